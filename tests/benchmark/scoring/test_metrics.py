from __future__ import annotations

import json
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark.errors import BenchError, LabelError
from benchmark.scoring import SCORER_VERSION, THRESHOLDS, Score, score
from benchmark.scoring.metrics import rates_of

RATES = ("ap", "f1", "precision", "recall")
SINGLE = ("mean_ap", "mean_matched_iou", "pq", "sq", "rq")


def worked_example():
    """Three cells of 20 pixels: found to 16, to 11, and missed; one prediction from nowhere."""
    truth, prediction = np.zeros((2, 100), np.uint16)
    truth[0:20], truth[30:50], truth[60:80] = 1, 2, 3
    prediction[0:16], prediction[30:41], prediction[90:95] = 8, 6, 4
    return truth, prediction


def test_by_hand():
    result = score(*worked_example())
    assert result.thresholds == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    # IoU 16/20 = 0.80 and 11/20 = 0.55, both reached exactly.
    assert result.tp == (2, 2, 1, 1, 1, 1, 1, 0, 0, 0)
    assert result.fp == (1, 1, 2, 2, 2, 2, 2, 3, 3, 3)
    assert result.fn == result.fp
    assert result.ap == (2 / 4, 2 / 4, 1 / 5, 1 / 5, 1 / 5, 1 / 5, 1 / 5, 0, 0, 0)
    assert result.f1 == (2 / 3, 2 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 0, 0, 0)
    assert result.precision == result.f1 == result.recall
    assert result.mean_ap == pytest.approx(0.2, rel=1e-15)
    assert result.mean_matched_iou == pytest.approx((0.8 + 0.55) / 2, rel=1e-15)
    assert result.rq == 2 / 3
    assert result.sq == pytest.approx(0.675, rel=1e-15)
    assert result.pq == pytest.approx(0.45, rel=1e-15)  # (0.8 + 0.55) / (2 + 1/2 + 1/2)
    assert (result.n_true, result.n_pred) == (3, 3)


def test_precision_and_recall_are_not_swapped():
    truth, prediction = np.array([1, 1, 0, 2, 3]), np.array([7, 7, 0, 0, 0])
    result = score(truth, prediction, thresholds=[0.5])
    assert (result.precision, result.recall) == ((1.0,), (1 / 3,))
    swapped = score(prediction, truth, thresholds=[0.5])
    assert (swapped.precision, swapped.recall) == ((1 / 3,), (1.0,))


def test_strict_changes_matches_at_the_threshold_only():
    result = score(*worked_example(), strict=True)
    assert result.tp == (2, 1, 1, 1, 1, 1, 0, 0, 0, 0)


def test_quality_is_strict_where_ap_is_not():
    """IoU exactly 0.5: a match at 0.5, but none for panoptic quality."""
    result = score(np.ones(8, int), np.repeat([1, 2], 4), thresholds=[0.5])
    assert result.tp == (1,)
    assert result.mean_matched_iou == 0.5
    assert (result.pq, result.sq, result.rq) == (0, 0, 0)
    assert score(np.ones(8, int), np.repeat([1, 2], 4), strict=True).mean_matched_iou == 0


def test_matched_iou_is_at_one_half_whatever_the_thresholds():
    truth, prediction = worked_example()
    only_high = score(truth, prediction, thresholds=[0.9])
    everything = score(truth, prediction)
    for name in ("mean_matched_iou", "pq", "sq", "rq"):
        assert getattr(only_high, name) == getattr(everything, name)


def test_both_empty_is_undefined_and_null_in_files():
    empty = np.zeros((4, 4), np.uint8)
    result = score(empty, empty)
    assert (result.n_true, result.n_pred) == (0, 0)
    assert result.tp == result.fp == result.fn == (0,) * 10
    written = result.to_dict()
    for name in RATES:
        assert np.isnan(getattr(result, name)).all()
        assert written[name] == [None] * 10
    for name in SINGLE:
        assert np.isnan(getattr(result, name))
        assert written[name] is None
    json.dumps(written, allow_nan=False)


@pytest.mark.parametrize("swap", [False, True])
def test_one_empty_scores_zero_and_counts_every_object(swap):
    cells, empty = np.array([1, 1, 0, 2]), np.zeros(4, int)
    result = score(empty, cells) if swap else score(cells, empty)
    assert (result.fp if swap else result.fn) == (2,) * 10
    assert (result.fn if swap else result.fp) == (0,) * 10
    for name in RATES:
        assert getattr(result, name) == (0,) * 10
    for name in SINGLE:
        assert getattr(result, name) == 0


def test_truth_against_itself_is_one_everywhere():
    truth, _ = worked_example()
    result = score(truth, truth)
    for name in RATES:
        assert getattr(result, name) == (1,) * 10
    for name in SINGLE:
        assert getattr(result, name) == 1


def test_no_background_gives_no_score_above_one():
    """An image of cells wall to wall, where `unique() - 1` would lose one of them."""
    truth = np.repeat([1, 2, 3], 5)
    prediction = np.repeat([1, 2, 0], 5)
    result = score(truth, prediction, thresholds=[0.5])
    assert (result.tp, result.fp, result.fn) == ((2,), (0,), (1,))
    assert result.ap == (2 / 3,)


def test_memory_does_not_grow_with_ids():
    truth = np.zeros((64, 64), np.int64)
    truth[:8, :8], truth[20:30, 20:30] = 2**40, 100_000
    tracemalloc.start()
    assert score(truth, truth).mean_ap == 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


def test_to_dict_has_plain_numbers_and_lists():
    written = score(*worked_example()).to_dict()
    assert list(written) == list(Score.__dataclass_fields__)
    for value in written.values():
        for entry in value if isinstance(value, list) else [value]:
            assert type(entry) in (int, float)
    assert json.loads(json.dumps(written)) == written


def test_defaults():
    assert THRESHOLDS[0] == Fraction(1, 2)
    assert THRESHOLDS[-1] == Fraction(19, 20)
    assert len(THRESHOLDS) == 10
    assert SCORER_VERSION


def test_no_threshold_is_refused():
    with pytest.raises(BenchError, match="no IoU threshold"):
        score(np.ones(3, int), np.ones(3, int), thresholds=[])


def test_errors_of_labels_come_through():
    with pytest.raises(LabelError, match="prediction has type float64"):
        score(np.ones(3, int), np.ones(3))


def test_rates_of_any_shape():
    rates = rates_of(np.array([[1, 0]]), np.array([[0, 0]]), np.array([[1, 0]]))
    assert rates.ap.shape == (1, 2)
    assert rates.ap[0, 0] == 0.5
    assert np.isnan(rates.f1[0, 1])


def assert_same(result, other):
    """Compare scores whose sums may have been added up in another order."""
    for name in Score.__dataclass_fields__:
        mine, theirs = getattr(result, name), getattr(other, name)
        np.testing.assert_allclose(mine, theirs, rtol=1e-14, err_msg=name)


LABELS = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=8).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.uint8, shape, elements=st.integers(0, 4)),
        hnp.arrays(np.uint8, shape, elements=st.integers(0, 4)),
    )
)
LOW_TOO = [0.1, 0.3, 0.45, 0.5, 0.6, 0.75, 0.9]


@settings(max_examples=60, deadline=None)
@given(pair=LABELS, data=st.data())
def test_ids_do_not_matter(pair, data):
    truth, prediction = pair
    new_ids = st.lists(st.integers(1, 2**40), min_size=4, max_size=4, unique=True).map(
        lambda ids: np.array([0, *ids])
    )
    relabelled = (data.draw(new_ids)[truth], data.draw(new_ids)[prediction])
    result, other = score(*pair, thresholds=LOW_TOO), score(*relabelled, thresholds=LOW_TOO)
    assert_same(result, other)


@settings(max_examples=60, deadline=None)
@given(pair=LABELS)
def test_swapping_truth_and_prediction_swaps_the_errors(pair):
    result, swapped = score(*pair, thresholds=LOW_TOO), score(*pair[::-1], thresholds=LOW_TOO)
    assert (result.tp, result.fp, result.fn) == (swapped.tp, swapped.fn, swapped.fp)
    np.testing.assert_allclose(result.pq, swapped.pq, rtol=1e-14)
    np.testing.assert_allclose(result.precision, swapped.recall)


@settings(max_examples=60, deadline=None)
@given(pair=LABELS)
def test_a_higher_threshold_never_gains(pair):
    tp = score(*pair, thresholds=LOW_TOO).tp
    assert list(tp) == sorted(tp, reverse=True)


@settings(max_examples=60, deadline=None)
@given(pair=LABELS)
def test_f1_at_strict_one_half_is_recognition_quality(pair):
    assume(pair[0].any() or pair[1].any())
    result = score(*pair, thresholds=[0.5], strict=True)
    assert result.f1 == (result.rq,)
    assert result.sq == result.mean_matched_iou
    assert result.pq == result.sq * result.rq


@settings(max_examples=60, deadline=None)
@given(pair=LABELS, width=st.integers(0, 5))
def test_background_around_changes_nothing(pair, width):
    padded = [np.pad(labels, width) for labels in pair]
    assert score(*padded).to_dict() == score(*pair).to_dict()


@settings(max_examples=60, deadline=None)
@given(pair=LABELS)
def test_moving_pixels_about_together_changes_nothing(pair):
    """Scores depend on overlaps alone, so a transposed or ravelled image has the same."""
    expected = score(*pair, thresholds=LOW_TOO)
    for move in (np.transpose, np.ravel, lambda a: a[None, ..., None]):
        assert_same(score(*map(move, pair), thresholds=LOW_TOO), expected)
