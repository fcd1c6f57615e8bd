from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.scoring.contingency import Contingency, contingency
from benchmark.scoring.matching import as_fraction, match


def table_of(iou):
    """Return a table of objects with the given IoU, in hundredths; 0 is no overlap."""
    percent = np.asarray(iou)
    truth, pred = np.nonzero(percent)
    shared = percent[truth, pred]
    # Only the sums below matter to the matching: intersection = percent, union = 100.
    table = Contingency(
        true_ids=np.arange(1, percent.shape[0] + 1, dtype=np.uint64),
        true_areas=np.zeros(percent.shape[0], np.int64),
        pred_ids=np.arange(1, percent.shape[1] + 1, dtype=np.uint64),
        pred_areas=np.zeros(percent.shape[1], np.int64),
        pair_true=truth,
        pair_pred=pred,
        intersection=shared,
    )
    table.__dict__["union"] = np.full(len(shared), 100)
    return table


def matched(table, threshold, **options):
    [pairs] = match(table, [as_fraction(threshold)], **options)
    return [(int(table.pair_true[k]), int(table.pair_pred[k])) for k in pairs]


def test_a_pair_exactly_at_the_threshold_matches_unless_strict():
    truth = np.array([1] * 4 + [0] * 16)
    prediction = np.array([0] + [1] * 4 + [0] * 15)  # IoU 3/5
    table = contingency(truth, prediction)
    for threshold in (0.6, 0.6 + 1e-9, Fraction(3, 5)):
        assert len(matched(table, threshold)) == 1
        assert len(matched(table, threshold, strict=True)) == 0
    assert len(matched(table, 0.600001)) == 0


@pytest.mark.parametrize("percent", range(5, 101, 5))
def test_every_threshold_is_met_exactly(percent):
    """Floats would miss some of these: 0.55 * 100 is 55.00000000000001."""
    table = contingency(np.ones(100, int), np.repeat([3, 0], [percent, 100 - percent]))
    assert len(matched(table, percent / 100)) == 1
    assert len(matched(table, percent / 100, strict=True)) == 0
    assert len(matched(table, (percent + 1e-4) / 100)) == 0 if percent < 100 else True


def test_a_cell_cut_in_two_halves_matches_one_of_them():
    table = contingency(np.ones(8, int), np.repeat([1, 2], 4))
    assert len(matched(table, 0.5)) == 1
    assert len(matched(table, 0.5, strict=True)) == 0


def test_two_cells_merged_match_once():
    table = contingency(np.repeat([1, 2], 4), np.ones(8, int))
    assert len(matched(table, 0.5)) == 1


def test_more_matches_beat_a_larger_sum():
    table = table_of([[45, 20], [20, 0]])
    assert matched(table, 0.2) == [(0, 1), (1, 0)]
    assert matched(table, 0.25) == [(0, 0)]


def test_the_larger_sum_beats_the_greedy_choice():
    table = table_of([[40, 39], [38, 10]])  # greedy takes 40 and is left with 10
    assert matched(table, 0.1) == [(0, 1), (1, 0)]


def test_a_long_chain_is_matched_completely():
    n = 40
    chain = np.zeros((n, n), int)
    chain[np.arange(n), np.arange(n)] = 11
    chain[np.arange(1, n), np.arange(n - 1)] = 30  # greedy takes these, and leaves one over
    assert matched(table_of(chain), 0.1) == [(k, k) for k in range(n)]


def test_contested_and_plain_pairs_come_back_in_order():
    iou = [[0, 0, 0, 60], [30, 30, 0, 0], [20, 35, 0, 0]]
    assert matched(table_of(iou), 0.2) == [(0, 3), (1, 0), (2, 1)]


def test_large_areas_do_not_overflow():
    huge = 3 * 2**60
    table = table_of([[1]])
    exact = Contingency(
        table.true_ids,
        np.array([huge]),
        table.pred_ids,
        np.array([huge // 2]),
        table.pair_true,
        table.pair_pred,
        np.array([huge // 2]),
    )
    assert len(matched(exact, 0.5)) == 1
    assert len(matched(exact, 0.5, strict=True)) == 0
    assert len(matched(exact, 0.500001)) == 0


def test_no_pair_no_match():
    table = contingency(np.array([1, 0]), np.array([0, 1]))
    assert [len(pairs) for pairs in match(table, [Fraction(1, 10), Fraction(9, 10)])] == [0, 0]


def test_a_float_means_the_decimal_it_is_written_as():
    assert as_fraction(0.55) == Fraction(11, 20)
    assert as_fraction(1 / 3) == Fraction(333_333, 1_000_000)
    assert as_fraction(Fraction(1, 3)) == Fraction(1, 3)
    assert as_fraction(1) == 1


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, 50, float("nan"), float("inf"), 1e-9])
def test_what_is_no_threshold_is_refused(threshold):
    with pytest.raises(BenchError, match="no IoU threshold"):
        as_fraction(threshold)
