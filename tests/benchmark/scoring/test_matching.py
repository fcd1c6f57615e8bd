from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment

from benchmark.errors import BenchError
from benchmark.scoring import matching
from benchmark.scoring.contingency import Contingency, contingency
from benchmark.scoring.matching import as_fraction, count_matches, heaviest, match, reaches


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
    if percent < 100:
        assert len(matched(table, (percent + 1e-4) / 100)) == 0


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


@pytest.mark.parametrize("area", [2**40, 9 * 10**12])
def test_large_areas_do_not_overflow(area):
    """The largest is a volume of 9 TB; a threshold has a denominator of at most a million."""
    one = np.array([1], np.uint64)
    half = Contingency(
        one,
        np.array([area]),
        one,
        np.array([area // 2]),
        np.array([0]),
        np.array([0]),
        np.array([area // 2]),
    )
    assert len(matched(half, 0.5)) == 1
    assert len(matched(half, 0.5, strict=True)) == 0
    assert len(matched(half, Fraction(499_999, 1_000_000), strict=True)) == 1
    assert len(matched(half, Fraction(500_001, 1_000_000))) == 0
    assert len(matched(half, Fraction(333_333, 999_983))) == 1
    assert len(matched(half, 1)) == 0


def test_one_pixel_more_or_less_decides():
    """IoU of 1/2 + 1/(2 n) and 1/2 - 1/(2 n), beyond what a float can tell from 1/2."""
    n = 2**60 + 1
    for shared, expected in (((n + 1) // 2, 1), ((n - 1) // 2, 0)):
        one = np.array([1], np.uint64)
        areas = np.array([n]), np.array([shared])
        at = np.array([0])
        table = Contingency(one, areas[0], one, areas[1], at, at, areas[1])
        assert len(matched(table, 0.5)) == len(matched(table, 0.5, strict=True)) == expected


def test_no_pair_no_match():
    table = contingency(np.array([1, 0]), np.array([0, 1]))
    assert [len(pairs) for pairs in match(table, [Fraction(1, 10), Fraction(9, 10)])] == [0, 0]


def test_a_float_means_the_decimal_it_is_written_as():
    assert as_fraction(0.55) == Fraction(11, 20)
    assert as_fraction(1 / 3) == Fraction(333_333, 1_000_000)
    assert as_fraction(Fraction(1, 3)) == Fraction(1, 3)
    assert as_fraction(1) == 1
    assert as_fraction(np.float64(0.55)) == as_fraction(np.float32(0.55)) == Fraction(11, 20)


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, 50, float("nan"), float("inf"), 1e-9])
def test_what_is_no_threshold_is_refused(threshold):
    with pytest.raises(BenchError, match="no IoU threshold"):
        as_fraction(threshold)


def test_a_fraction_finer_than_a_millionth_is_refused():
    assert as_fraction(Fraction(1, 1_000_000)) == Fraction(1, 1_000_000)
    with pytest.raises(BenchError, match="finer than a millionth") as caught:
        as_fraction(Fraction(1, 1_000_001))
    assert "limit_denominator" in caught.value.mend


def test_leftovers_break_ties_as_cellpose_and_stardist_do():
    """One match can be had, of .30 or of .25; what is left over makes a pair besides."""
    iou = [[30, 10], [25, 0], [0, 9]]
    assert matched(table_of(iou), 0.2) == [(0, 0)]
    assert matched(table_of(iou), 0.2, leftovers=True) == [(0, 0)]  # .30 + .09 beats .25 + .10
    iou[0][1] = 15
    assert matched(table_of(iou), 0.2) == [(0, 0)]
    assert matched(table_of(iou), 0.2, leftovers=True) == [(1, 0)]  # .25 + .15 beats .30 + .09


def test_leftovers_never_cost_a_match():
    iou = [[20, 19], [0, 20]]
    for threshold in (0.2, 0.19):
        assert matched(table_of(iou), threshold, leftovers=True) == [(0, 0), (1, 1)]


TABLES = hnp.arrays(
    np.int64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7),
    elements=st.sampled_from([0, 0, 1, 10, 20, 30, 40, 49, 50]),
)


@settings(max_examples=150, deadline=None)
@given(iou=TABLES, percent=st.sampled_from([1, 10, 20, 30, 45, 50]), strict=st.booleans())
def test_no_assignment_of_the_whole_matrix_is_better(iou, percent, strict):
    table = table_of(iou)
    passes = iou > percent if strict else iou >= max(percent, 1)
    worth = passes * (10_000 + iou)
    pairs = matched(table, percent / 100, strict=strict)
    assert sum(worth[pair] for pair in pairs) == worth[linear_sum_assignment(-worth)].sum()
    assert all(passes[pair] for pair in pairs)
    assert len({t for t, _ in pairs}) == len({p for _, p in pairs}) == len(pairs)
    worth = 10_000 * passes + iou
    pairs = matched(table, percent / 100, strict=strict, leftovers=True)
    best = worth[linear_sum_assignment(-worth)].sum()
    assert len(pairs) == best // 10_000
    # What the pairs leave over can be paired so that all together are worth as much.
    rest = iou.copy()
    for t, p in pairs:
        rest[t], rest[:, p] = 0, 0
    leftovers = rest[linear_sum_assignment(-rest)].sum()
    assert sum(worth[pair] for pair in pairs) + leftovers == best


@settings(max_examples=60, deadline=None)
@given(iou=TABLES, strict=st.booleans(), leftovers=st.booleans())
def test_counting_matches_is_matching_and_counting(iou, strict, leftovers):
    table = table_of(iou)
    thresholds = [Fraction(percent, 100) for percent in (1, 10, 30, 49, 50, 51, 90)]
    options = {"strict": strict, "leftovers": leftovers}
    counts = count_matches(table, thresholds, **options)
    assert counts.tolist() == [len(pairs) for pairs in match(table, thresholds, **options)]
    assert counts.tolist() == sorted(counts, reverse=True)


def test_reaching_is_told_for_each_threshold_and_pair():
    table = table_of([[30, 50]])
    thresholds = [Fraction(3, 10), Fraction(1, 2), Fraction(1)]
    assert reaches(table, thresholds).tolist() == [[True, True], [False, True], [False, False]]
    strictly = [[False, True], [False, False], [False, False]]
    assert reaches(table, thresholds, strict=True).tolist() == strictly


def test_the_heaviest_choice_by_hand():
    nothing = np.empty(0, np.intp)
    assert heaviest(nothing, nothing, np.empty(0)).tolist() == []
    # Objects 5 and 9 contest prediction 3; 5 can turn to 7, and then both have one.
    truth, pred = np.array([5, 5, 9]), np.array([3, 7, 3])
    assert heaviest(truth, pred, np.array([0.9, 0.1, 0.5])).tolist() == [0]
    assert heaviest(truth, pred, np.array([0.9, 0.5, 0.5])).tolist() == [1, 2]


@settings(max_examples=150, deadline=None)
@given(
    worth=hnp.arrays(
        np.int64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7),
        elements=st.sampled_from([0, 0, 1, 2, 3, 4, 8, 9]),
    )
)
def test_no_choice_is_heavier(worth):
    """Also where some pairs outweigh all that compete with them, or are as heavy as those."""
    truth, pred = np.nonzero(worth)
    chosen = heaviest(truth, pred, worth[truth, pred] / 8)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    for ends in (truth[chosen], pred[chosen]):
        assert len(set(ends.tolist())) == len(ends)
    best = worth[linear_sum_assignment(worth, maximize=True)].sum()
    assert worth[truth[chosen], pred[chosen]].sum() == best


def test_thousands_of_contested_pairs_take_no_matrix():
    """As a dense matrix these would take 800 MB."""
    n = 10_000
    truth = np.repeat(np.arange(1, n + 1), 4)
    table = contingency(truth, np.roll(truth, 2))  # a third of each is shared with two others
    counts = count_matches(table, [Fraction(1, 3), Fraction(1, 10)], leftovers=True)
    assert counts.tolist() == [n, n]
    [pairs] = match(table, [Fraction(1, 3)])
    assert table.iou[pairs].sum() == pytest.approx(n / 3)


@given(
    hnp.arrays(
        np.int64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 5)
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=200, deadline=None)
def test_no_other_choice_is_heavier(matrix, random):
    truth, pred = np.nonzero(matrix)
    order = np.array(random.sample(range(len(truth)), len(truth)), np.intp)
    truth, pred = truth[order], pred[order]
    weight = matrix[truth, pred] / 8
    chosen = heaviest(truth, pred, weight)
    assert len(set(truth[chosen])) == len(set(pred[chosen])) == len(chosen)
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    assert weight[chosen].sum() == matrix[rows, columns].sum() / 8
    assert (np.diff(chosen) > 0).all()


def test_cells_that_are_found_well_need_no_assignment(monkeypatch):
    """Its time grows with the square of the pairs: a minute for 100 000 cells."""
    monkeypatch.setattr(matching, "min_weight_full_bipartite_matching", None)
    truth = np.repeat(np.arange(1, 1001), 10)
    table = contingency(truth, np.roll(truth, 1))  # each touches the next, and laps over it
    assert (
        table.iou[heaviest(table.pair_true, table.pair_pred, table.iou)].tolist() == [9 / 11] * 1000
    )
