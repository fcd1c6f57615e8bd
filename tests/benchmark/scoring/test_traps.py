"""What other packages stumble over, each by name."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from benchmark.errors import LabelError
from benchmark.scoring import PROFILES, score


def cells(n, side=6, kind=np.int64):
    """Return n square cells with gaps between them, in rows, ids from 1."""
    across = int(np.ceil(np.sqrt(n)))
    labels = np.zeros((across * side, across * side), kind)
    for k in range(n):
        y, x = side * (k // across), side * (k % across)
        labels[y : y + side - 2, x : x + side - 2] = k + 1
    return labels


def plain(result):
    """Return all figures, without the objects and their ids."""
    return result.to_dict(objects=False)


def peak_memory(truth, prediction):
    tracemalloc.start()
    score(truth, prediction).to_dict()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("large", [100_000, 2**31, 2**40, 2**62])
def test_memory_does_not_grow_with_ids(large):
    """cellpose makes a matrix of all ids up to the largest: 74 GiB for the label 100 000."""
    truth = cells(9)
    relabelled = np.where(truth == 4, large, truth)
    assert plain(score(relabelled, relabelled)) == plain(score(truth, truth))
    assert peak_memory(relabelled, relabelled) < 1.1 * peak_memory(truth, truth) + 10_000


def test_255_cells_in_eight_bits():
    """py-ctcmetrics gives SEG 0, cellpose and panoptica end in an error: 255 + 1 is 0."""
    truth = cells(255, kind=np.uint8)
    assert truth.max() == 255
    prediction = np.where(truth == 255, 0, truth)
    result = score(truth, prediction)
    assert result.tp == (254,) * 10
    assert result.fn == (1,) * 10
    assert result.seg == 254 / 255
    assert score(truth, truth).seg == score(truth, truth).det == 1
    assert result.true_objects["label"].tolist() == list(range(1, 256))
    assert plain(result) == plain(score(truth.astype(int), prediction.astype(int)))


@pytest.mark.parametrize("top", [2**40, 2**63 + 5, 2**64 - 1])
def test_ids_of_all_64_bits(top):
    """2**40 breaks four packages."""
    truth = cells(4, kind=np.uint64)
    relabelled = np.where(truth == 2, np.uint64(top), truth)
    relabelled[truth == 3] = top - 1  # as floats, the two are one
    prediction = np.roll(truth, 1, axis=1)
    assert plain(score(relabelled, prediction)) == plain(score(truth, prediction))
    objects = score(prediction, relabelled).true_objects
    assert objects["match"].tolist() == [1, top, top - 1, 4]


def test_ids_close_to_each_other_stay_apart():
    """Bins of a histogram over the range of ids merge some: Caicedo 2019."""
    truth = cells(2)
    sparse = np.array([0, 10**9, 10**9 + 1])[truth]
    assert plain(score(sparse, truth)) == plain(score(truth, truth))
    assert score(sparse, truth).n_true == 2


def test_no_background_gives_no_score_above_one():
    """cellpose: an AP of 1.143 with a FP of -1. Others lose the first object."""
    truth = np.repeat([1, 2, 3], 5)
    prediction = np.repeat([1, 2, 0], 5)
    result = score(truth, prediction, thresholds=[0.5])
    assert (result.tp, result.fp, result.fn) == ((2,), (0,), (1,))
    assert result.ap == (2 / 3,)
    for pair in ((truth, truth), (prediction, prediction)):
        result = score(*pair)
        assert result.ap == result.f1 == (1,) * 10
        assert result.fp == result.fn == (0,) * 10
        assert (result.n_true, result.aji, result.seg, result.foreground_iou) == (
            result.n_pred,
            1,
            1,
            1,
        )
    assert score(truth, truth).n_true == 3


@pytest.mark.parametrize("percent", range(50, 100, 5))
def test_iou_exactly_at_each_threshold(percent):
    """As floats 0.55 * 100 is above 55, and 0.7 * 100 below 70."""
    for pixels in (20, 100, 340):
        truth, prediction = np.zeros((2, pixels), np.uint8)
        truth[:], prediction[: pixels * percent // 100] = 1, 1
        reached = (percent - 50) // 5 + 1
        assert sum(score(truth, prediction).tp) == reached
        assert sum(score(truth, prediction, profile="dsb2018").tp) == reached - 1


def test_a_cell_split_in_two_halves():
    truth, prediction = np.ones(8, int), np.repeat([1, 2], 4)
    for name in PROFILES.keys() - {"neurips"}:
        for pair in ((truth, prediction), (prediction, truth)):
            result = score(*pair, profile=name)
            matches = name not in {"dsb2018", "caicedo", "tissuenet", "pq"}
            assert result.tp[0] == matches
            n_split = result.splits + result.merges
            assert (n_split, result.catastrophes) == (1, 0)
    assert score(truth, prediction).splits == score(prediction, truth).merges == 1
    assert score(truth, prediction).seg == 0  # neither half is more than half
    assert score(prediction, truth).seg == 0.5


def test_an_empty_prediction_misses_every_object():
    """One package reports a FN of 0."""
    truth = cells(5)
    result = score(truth, np.zeros_like(truth))
    assert (result.tp, result.fp, result.fn) == ((0,) * 10, (0,) * 10, (5,) * 10)
    assert result.true_kinds["missed"] == 5
    assert plain(result)["precision"] == [0] * 10
    result = score(np.zeros_like(truth), truth)
    assert (result.fp, result.fn) == ((5,) * 10, (0,) * 10)
    assert result.pred_kinds["spurious"] == 5


def test_empty_images_of_different_shapes():
    """Three packages say nothing."""
    for shape in ((4, 5), (5, 4), (4, 4, 1), (16,), (0, 4)):
        with pytest.raises(LabelError, match=r"truth has shape \(4, 4\)"):
            score(np.zeros((4, 4), int), np.zeros(shape, int))


def test_a_catastrophe_is_no_detection():
    """deepcell counts it as a correct one."""
    truth = np.repeat([1, 2, 0], [10, 10, 2])
    prediction = np.repeat([0, 7, 8, 9], [5, 10, 6, 1])
    result = score(truth, prediction, profile="tissuenet")
    assert result.catastrophes == 1
    assert (result.tp, result.fp, result.fn) == ((0,), (3,), (2,))
    assert result.f1 == (0,)


def test_below_one_half_the_greedy_choice_loses():
    """It takes the 36/80 of cell 1 and prediction 5, and leaves 6 and cell 2 without a partner."""
    truth = np.repeat([1, 2], [60, 30])
    prediction = np.repeat([5, 6, 0, 5, 0], [36, 20, 4, 20, 10])
    result = score(truth, prediction, thresholds=[0.3, 0.4], profile="stardist")
    assert result.table.iou.tolist() == [36 / 80, 20 / 60, 20 / 66]
    assert result.tp == (2, 1)
    assert result.mean_matched_iou == pytest.approx((20 / 60 + 20 / 66) / 2, rel=1e-15)


def test_fragments_under_one_id_are_one_object_and_counted():
    truth = np.array([1, 1, 0, 1, 1, 0, 2, 2])
    result = score(truth, truth)
    assert (result.n_true, result.fragmented_true, result.fragmented_pred) == (2, 1, 1)
    assert result.mean_ap == 1


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        (np.full((3, 3), -1), "negative id -1"),
        (np.full((3, 3), -128, np.int8), "negative id -128"),
        (np.zeros((3, 3)), "type float64"),
        (np.ones((3, 3), np.float32), "type float32"),
        (np.full((3, 3), np.nan), "NaN"),
        (np.ones((3, 3), bool), "boolean"),
        (np.ma.masked_equal(np.ones((3, 3), int), 1), "MaskedArray"),
        ([[0, 1, 0]] * 3, "list"),
        (np.full((3, 3), "1"), "type <U1"),
    ],
)
@pytest.mark.parametrize("name", PROFILES)
def test_what_is_no_label_image_is_refused_at_once(labels, what, name):
    good = np.zeros((3, 3), np.uint64)
    for pair in ((labels, good), (good, labels)):
        with pytest.raises(LabelError, match=what) as caught:
            score(*pair, profile=name)
        assert caught.value.mend


@pytest.mark.parametrize("kind", [">u2", "<u2", ">i4", ">u8", "u1", "i1", ">i8"])
def test_any_type_and_byte_order_beside_any_other(kind):
    truth = cells(20)
    prediction = np.roll(truth, (1, 1), (0, 1))
    expected = score(truth, prediction).to_dict()
    assert score(truth.astype(kind), prediction.astype(np.uint16)).to_dict() == expected
    assert score(truth.astype(np.uint64), prediction.astype(kind)).to_dict() == expected
    assert score(truth.astype(kind), prediction.astype(kind)).to_dict() == expected


def test_an_image_that_cannot_be_written_and_is_not_contiguous():
    truth = cells(20)
    prediction = np.roll(truth, (1, 1), (0, 1))
    expected = score(truth, prediction).to_dict()
    large = np.zeros((2 * len(truth), 3 * len(truth)), int)
    large[::2, ::3] = truth
    view = large[::2, ::3]
    view.flags.writeable = False
    before = large.copy()
    assert score(view, np.asfortranarray(prediction)).to_dict() == expected
    assert score(prediction, view).n_pred == 20
    assert np.array_equal(large, before)


@pytest.mark.parametrize("n", [63, 64, 65, 127, 128, 129, 255, 256, 511, 512, 513, 1024, 2500])
def test_any_number_of_objects(n):
    truth = cells(n, side=4)
    prediction = np.roll(truth, 1, axis=1)  # 2 of the 6 pixels in either square of 2 x 2
    result = score(truth, prediction, thresholds=[0.3, 0.4])
    assert (result.n_true, result.n_pred) == (n, n)
    assert result.tp == (n, 0)


@pytest.mark.parametrize("n", [64, 300, 3000])
def test_one_object_under_many_predictions(n):
    one, many = np.ones((2, n), int), np.tile(np.arange(1, n + 1), (2, 1))
    result = score(one, many)
    assert (result.splits, result.n_pred) == (1, n)
    assert result.true_kinds["split"] == 1
    assert result.pred_kinds["split"] == n
    assert score(many, one).merges == 1
    assert score(many, one).seg == pytest.approx(1 / n)
