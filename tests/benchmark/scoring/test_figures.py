from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.scoring import figures
from benchmark.scoring.contingency import contingency
from benchmark.scoring.figures import rates_of
from benchmark.scoring.matching import HALF, match

OF_A_TABLE = (
    figures.seg,
    figures.det,
    figures.aji,
    figures.aji_plus,
    figures.aji_cellpose,
    figures.foreground_iou,
)


def line(*stretches):
    """Return an image of one axis from pairs of an id and a number of pixels."""
    ids, lengths = zip(*stretches, strict=True)
    return np.repeat(np.array(ids, np.uint16), lengths)


def table_of(truth, prediction):
    return contingency(line(*truth), line(*prediction))


def test_rates_by_hand():
    rates = rates_of(np.array(6), np.array(2), np.array(4))
    assert rates.ap == 6 / 12
    assert rates.f1 == 12 / 18
    assert rates.precision == 6 / 8
    assert rates.recall == 6 / 10


def test_rates_of_any_shape():
    rates = rates_of(np.array([[1, 0]]), np.array([[0, 0]]), np.array([[1, 0]]))
    assert rates.ap.shape == (1, 2)
    assert rates.ap[0, 0] == 0.5
    for name in ("ap", "f1", "precision", "recall"):
        assert math.isnan(getattr(rates, name)[0, 1])


@pytest.mark.parametrize("empty", [0.0, 1.0, math.nan])
def test_rates_of_nothing_are_what_the_caller_says(empty):
    rates = rates_of(np.zeros(2, int), np.array([0, 3]), np.zeros(2, int), empty=empty)
    for name in ("ap", "f1", "precision", "recall"):
        np.testing.assert_array_equal(getattr(rates, name), [empty, 0])


def test_one_prediction_serves_several_true_objects_in_seg():
    """Two cells of 6 and 4 pixels found as one of 10, and a third that is found to a half only."""
    table = table_of(
        [(1, 6), (2, 4), (3, 8), (0, 2)],
        [(7, 10), (8, 4), (9, 4), (0, 2)],
    )
    assert figures.seg(table) == (6 / 10 + 4 / 10 + 0) / 3
    swapped = table_of([(7, 10), (8, 4), (9, 4)], [(1, 6), (2, 4), (3, 8)])
    # 6 of 10 pixels are more than half; 8 and 9 lie in 3 as a whole.
    assert figures.seg(swapped) == pytest.approx((6 / 10 + 4 / 8 + 4 / 8) / 3, rel=1e-15)


def test_exactly_half_of_a_true_object_is_not_found():
    table = table_of([(1, 8)], [(4, 4), (5, 4)])
    assert figures.seg(table) == 0
    assert figures.det(table) == 0  # one missed and two spurious cost 12 of 10
    table = table_of([(1, 8)], [(4, 5), (5, 3)])
    assert figures.seg(table) == 5 / 8
    assert figures.det(table) == 1 - 1 / 10


def test_seg_asks_for_more_than_half_of_the_truth_not_of_the_prediction():
    table = table_of([(1, 4), (0, 96)], [(9, 100)])
    assert figures.seg(table) == 0.04


@pytest.mark.parametrize(
    ("truth", "prediction", "cost"),
    [
        ([(1, 4), (2, 4), (3, 4)], [(1, 4), (2, 4), (3, 4)], 0),
        ([(1, 4), (2, 4), (3, 4)], [(1, 4), (2, 4), (0, 4)], 10),
        ([(1, 4), (2, 4), (3, 4), (0, 2)], [(1, 4), (2, 4), (3, 4), (4, 2)], 1),
        ([(1, 4), (2, 4), (3, 4)], [(1, 8), (3, 4)], 5),
        ([(1, 4), (2, 4), (3, 4)], [(1, 12)], 5 + 5),
        # A merge of two, one missed, two from nowhere.
        ([(1, 4), (2, 4), (3, 4)], [(1, 8), (5, 1), (6, 1), (0, 2)], 5 + 10 + 1 + 1),
        # A cell found by one prediction; the other piece of it is a spurious one.
        ([(1, 4), (2, 4), (3, 4)], [(1, 3), (5, 1), (2, 4), (3, 4)], 1),
    ],
)
def test_det_adds_up_what_it_takes_to_mend_the_detections(truth, prediction, cost):
    assert figures.det(table_of(truth, prediction)) == pytest.approx(1 - cost / 30, rel=1e-15)


def test_det_is_never_below_zero():
    table = table_of([(1, 2), (0, 40)], [(0, 2), *((k, 1) for k in range(1, 41))])
    assert figures.det(table) == 0


def test_three_meanings_of_aji_on_one_picture():
    """Two cells of 4 pixels found as one, and 2 pixels from nowhere."""
    table = table_of([(1, 4), (2, 4), (0, 2)], [(1, 8), (2, 2)])
    # Both cells are paired with the same prediction: 4 + 4 over 8 + 8, and 2 left over.
    assert figures.aji(table) == 8 / 18
    # One of them has to stand alone: 4 over 8, and 4 + 2 left over.
    assert figures.aji_plus(table) == 4 / 14
    # 4 pixels over all 10 that are in any object.
    assert figures.aji_cellpose(table) == 4 / 10
    assert figures.foreground_iou(table) == 8 / 10


def test_aji_plus_and_cellpose_pair_differently():
    """An IoU of 62/120 against two of 38/100 and 20/82, whose sum is larger."""
    truth = [(1, 62), (1, 38), (2, 20)]
    prediction = [(8, 62), (9, 38), (8, 20)]
    table = table_of(truth, prediction)
    assert figures.aji_plus(table) == (38 + 20) / (100 + 82)
    assert figures.aji_cellpose(table) == 62 / 120
    assert figures.aji(table) == (62 + 20) / (120 + 82 + 38)


def test_aji_of_equal_ious_takes_the_one_of_more_pixels():
    """Of 6 pixels, 2 in a prediction of 2 and 3 in one of 6: both an IoU of 1/3."""
    table = table_of([(1, 6), (0, 3)], [(4, 2), (0, 1), (5, 6)])
    assert figures.aji(table) == 3 / (9 + 2)


def test_splits_and_merges_of_overlaps_whatever_else_became_of_them():
    """A cell that is found, with a piece of IoU 12/110 in it; two others found as one."""
    truth = [(1, 98), (1, 12), (2, 50), (3, 40), (0, 10)]
    prediction = [(1, 98), (4, 12), (5, 50), (5, 40), (0, 10)]
    assert figures.overlapped(table_of(truth, prediction)) == (1, 1)
    # An IoU of 11/110 is a tenth, and no more than that.
    truth[0], truth[1], prediction[0], prediction[1] = (1, 99), (1, 11), (1, 99), (4, 11)
    assert figures.overlapped(table_of(truth, prediction)) == (0, 1)
    # Two by two: every object is in both.
    table = table_of([(1, 20), (2, 20)], [(1, 10), (2, 10), (1, 10), (2, 10)])
    assert figures.overlapped(table) == (2, 2)
    assert figures.overlapped(table_of([(1, 4)], [(0, 4)])) == (0, 0)
    assert figures.overlapped(table_of([(0, 4)], [(0, 4)])) == (0, 0)


def test_foreground_is_one_mask():
    table = table_of([(1, 4), (2, 4), (0, 4)], [(0, 2), (9, 1), (8, 7), (0, 2)])
    assert figures.foreground_iou(table) == 6 / 10


def test_mean_iou_by_hand():
    table = table_of([(1, 4), (2, 4), (3, 4)], [(1, 3), (0, 1), (2, 4), (0, 4)])
    pairs = np.array([0, 1])
    assert figures.mean_iou(table, pairs, 2) == (3 / 4 + 1) / 2
    assert figures.mean_iou(table, pairs, 3) == (3 / 4 + 1) / 3
    assert figures.mean_iou(table, pairs[:0], 0) == 0
    assert figures.recognition_quality(table, pairs) == 4 / 5


def test_sums_of_iou_do_not_depend_on_the_order():
    generator = np.random.default_rng(0)
    truth = np.repeat(generator.permutation(500) + 1, generator.integers(3, 30, 500))
    prediction = np.roll(truth, 2)
    table = contingency(truth, prediction)
    [pairs] = match(table, [HALF])
    sums = {figures.mean_iou(table, generator.permutation(pairs), len(pairs)) for _ in range(20)}
    assert len(sums) == 1


@pytest.mark.parametrize("figure", OF_A_TABLE)
def test_nothing_is_undefined_and_one_side_alone_is_zero(figure):
    nothing, cells = np.zeros(4, int), np.array([1, 1, 0, 2])
    assert math.isnan(figure(contingency(nothing, nothing)))
    assert figure(contingency(cells, nothing)) == 0
    assert figure(contingency(nothing, cells)) == 0
    assert type(figure(contingency(cells, nothing))) in (int, float)
    no_pair = np.empty(0, np.intp)
    assert math.isnan(figures.mean_iou(contingency(nothing, nothing), no_pair, 0))
    assert math.isnan(figures.recognition_quality(contingency(nothing, nothing), no_pair))


@pytest.mark.parametrize("figure", OF_A_TABLE)
def test_an_image_against_itself_is_one(figure):
    labels = np.random.default_rng(1).integers(0, 6, (9, 9))
    assert figure(contingency(labels, labels)) == 1


STRETCHES = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(truth=STRETCHES, prediction=STRETCHES)
def test_every_figure_is_a_share_and_aji_agree_where_they_must(truth, prediction):
    size = min(len(line(*truth)), len(line(*prediction)))
    table = contingency(line(*truth)[:size], line(*prediction)[:size])
    swapped = contingency(line(*prediction)[:size], line(*truth)[:size])
    if table.n_true + table.n_pred == 0:
        return
    for figure in OF_A_TABLE:
        assert 0 <= figure(table) <= 1
    assert figures.foreground_iou(table) == figures.foreground_iou(swapped)
    # Pairing one to one cannot tell truth from prediction.
    if len(match(table, [HALF], strict=True)[0]) == len(table.iou):
        pairs_only = figures.aji_plus(table)
        assert figures.aji(table) == pairs_only == figures.aji_plus(swapped)
        assert figures.aji_cellpose(table) == pairs_only
