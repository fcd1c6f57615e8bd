from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.scoring import PROFILES, THRESHOLDS, Profile, score
from benchmark.scoring.metrics import LISTS, NUMBERS
from benchmark.scoring.profiles import profile_of

TEN = tuple(k / 100 for k in range(50, 100, 5))
NAN = math.nan


def line(*stretches):
    """Return an image of one axis from pairs of an id and a number of pixels."""
    ids, lengths = zip(*stretches, strict=True)
    return np.repeat(np.array(ids, np.uint16), lengths)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default", (TEN, False, NAN, "mean_ap", False)),
        ("cellpose", ((0.5, 0.75, 0.9), False, NAN, "ap", False)),
        ("stardist", ((0.5,), False, 0.0, "ap", True)),
        ("dsb2018", (TEN, True, NAN, "mean_ap", False)),
        ("caicedo", (TEN[:9], True, 0.0, "mean_f1", False)),
        ("neurips", ((0.5,), False, 0.0, "f1", False)),
        ("ctc", (TEN, False, 0.0, "seg", True)),
        ("tissuenet", ((0.6,), False, 0.0, "f1", True)),
        ("pq", ((0.5,), True, 0.0, "pq", True)),
    ],
)
def test_each_convention(name, expected):
    profile = PROFILES[name]
    assert profile.name == name
    assert profile.source
    thresholds = tuple(map(float, profile.thresholds))
    found = (thresholds, profile.strict, profile.empty, profile.headline, profile.pooled)
    np.testing.assert_equal(found, expected)


def test_there_are_nine():
    assert len(PROFILES) == 9
    assert tuple(map(float, THRESHOLDS)) == TEN


@pytest.mark.parametrize("name", PROFILES)
def test_without_any_object_every_figure_is_the_profiles(name):
    nothing = np.zeros((5, 5), np.uint8)
    result = score(nothing, nothing, profile=name)
    of_outlines = {"boundary_mean", "hausdorff_95", "boundary_f1", "boundary_bias"}
    for figure in {*LISTS, *NUMBERS, "headline"} - of_outlines:
        value = np.atleast_1d(getattr(result, figure))
        expected = 0 if figure in {"tp", "fp", "fn"} else PROFILES[name].empty
        np.testing.assert_array_equal(value, np.full(len(value), expected), err_msg=figure)
    for figure in of_outlines:
        assert math.isnan(getattr(result, figure))


@pytest.mark.parametrize("name", PROFILES)
def test_perfect_is_one_and_nothing_found_is_zero(name):
    truth = np.pad(np.array([[1, 1, 0, 2], [0, 0, 0, 2], [3, 3, 3, 0]]), 2)
    assert score(truth, truth, profile=name).headline == 1
    assert score(truth, np.zeros_like(truth), profile=name).headline == 0
    assert score(np.zeros_like(truth), truth, profile=name).headline == 0


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("default", 1),
        ("cellpose", 1),
        ("stardist", 1),
        ("dsb2018", 0),
        ("caicedo", 0),
        ("neurips", 1),
        ("ctc", 1),
        ("tissuenet", 0),
        ("pq", 0),
    ],
)
def test_a_pair_exactly_at_the_first_threshold(name, matches):
    shared, union = (12, 20) if name == "tissuenet" else (10, 20)
    truth = line((0, 5), (1, union), (0, 5))
    prediction = line((0, 5), (1, shared), (0, union - shared), (0, 5))
    result = score(truth, prediction, profile=name)
    assert result.tp[0] == matches
    assert len(result.matched) == matches
    more = line((0, 5), (1, shared + 1), (0, union - shared - 1), (0, 5))
    assert score(truth, more, profile=name).tp[0] == 1


def test_half_a_cell_is_no_panoptic_match_but_is_one_in_stardist():
    """stardist computes its quality from its own matches, which an IoU of 0.5 makes."""
    halves = np.ones(8, int), np.repeat([1, 2], 4)
    assert score(*halves, profile="default").pq == score(*halves, profile="pq").pq == 0
    assert score(*halves, profile="cellpose").pq == 0
    result = score(*halves, profile="stardist")
    assert (result.sq, result.rq) == (0.5, 2 / 3)
    assert result.pq == pytest.approx(1 / 3, rel=1e-15)


def test_stardist_speaks_of_the_first_threshold_throughout():
    truth, prediction = line((1, 10), (2, 10)), line((1, 10), (2, 6), (0, 4))
    result = score(truth, prediction, profile="stardist", thresholds=[0.7])
    assert (result.mean_matched_iou, result.mean_true_iou) == (1, 0.5)
    assert (result.sq, result.rq, result.pq) == (1, 0.5, 0.5)
    assert result.true_kinds["missed"] == result.pred_kinds["spurious"] == 1
    result = score(truth, prediction, profile="cellpose", thresholds=[0.7])
    assert (result.mean_matched_iou, result.rq) == (0.8, 1)


def test_leftovers_change_which_pair_matches():
    """Prediction 8 can have cell 1 at 20/60 or cell 2 at 18/62, and 20/60 is more.

    But with cell 2 it leaves cell 1 to prediction 9, at 12/68, which is more in all.
    """
    truth = line((1, 20), (1, 12), (1, 8), (2, 18), (2, 22), (0, 30))
    prediction = line((8, 20), (9, 12), (0, 8), (8, 18), (0, 22), (8, 2), (9, 28))
    with_leftovers = PROFILES["stardist"]
    without = replace(with_leftovers, leftovers=False)
    result = score(truth, prediction, profile=with_leftovers, thresholds=[0.25])
    assert result.true_objects["match"].tolist() == [0, 8]
    assert result.mean_matched_iou == 18 / 62
    result = score(truth, prediction, profile=without, thresholds=[0.25])
    assert result.true_objects["match"].tolist() == [8, 0]
    assert result.mean_matched_iou == 20 / 60


def test_caicedo_counts_overlaps_of_cells_that_are_found():
    """Prediction 2 is a match of cell 2, and a fifth of cell 1 besides."""
    truth, prediction = line((1, 100), (2, 80)), line((1, 80), (2, 100))
    result = score(truth, prediction, profile="caicedo")
    assert (result.tp[0], result.splits, result.merges, result.events) == (2, 1, 1, [])
    assert score(truth, prediction).splits == score(truth, prediction).merges == 0


def test_neurips_leaves_out_what_comes_near_the_border():
    truth, prediction = np.zeros((2, 12, 12), np.int32)
    truth[4:8, 4:8] = 1
    truth[2:4, 9:11] = 2  # its last column is the last but one
    truth[9:10, 2:4] = 3  # touches no border
    prediction[4:8, 4:8] = 7
    prediction[0, 0] = 8
    result = score(truth, prediction, profile="neurips")
    assert (result.tp, result.fp, result.fn) == ((1,), (0,), (1,))
    assert result.true_objects["label"].tolist() == [1, 3]
    assert score(truth, prediction, profile="default").fn[0] == 2


def test_neurips_leaves_out_an_object_in_one_image_only():
    """What is left of a truth whose match is gone counts as missed."""
    truth, prediction = np.zeros((2, 12, 12), np.int32)
    truth[2:6, 2:6], prediction[1:6, 1:6] = 1, 1
    assert score(truth, prediction, profile="neurips").fn == (1,)
    assert score(prediction, truth, profile="neurips").fp == (1,)
    assert score(prediction, prediction, profile="neurips").f1 == (0,)


def test_a_small_image_is_all_border():
    cell = np.ones((4, 20), np.uint8)
    assert score(cell, cell, profile="neurips").n_true == 0
    assert score(cell[0], cell[0], profile="neurips").n_pred == 0


def test_an_object_at_the_border_covers_nothing_that_is_left():
    """Its pixels are background for everything that follows."""
    truth, prediction = np.zeros((2, 12, 12), np.int32)
    truth[4:8, 4:8] = 1
    prediction[4:8, 4:6] = 1
    prediction[4:8, 6:12] = 2
    result = score(truth, prediction, profile="neurips")
    assert (result.splits, result.n_pred) == (0, 1)
    assert result.foreground_iou == 8 / 16


def test_tissuenet_takes_no_thresholds():
    cells = np.array([1, 1, 0, 2])
    for thresholds in ([0.5], [0.6, 0.7]):
        with pytest.raises(BenchError, match="takes no thresholds") as caught:
            score(cells, cells, profile="tissuenet", thresholds=thresholds)
        assert caught.value.mend
    assert score(cells, cells, profile="tissuenet", thresholds=[0.6]).tp == (2,)


@pytest.mark.parametrize(
    ("name", "mend"), [("cellpos", "cellpose"), ("StarDist", "stardist"), ("dsb-2018", "dsb2018")]
)
def test_an_unknown_profile_is_refused_with_the_nearest(name, mend):
    with pytest.raises(BenchError, match=f"no scoring profile '{name}'") as caught:
        score(np.ones(3, int), np.ones(3, int), profile=name)
    assert mend in caught.value.mend


def test_a_profile_of_ones_own():
    mine = Profile("mine", "this test", thresholds=(0.55, 0.8), headline="recall", strict=True)
    assert profile_of(mine) is mine
    truth, prediction = line((1, 20), (2, 20)), line((1, 11), (0, 9), (2, 17), (0, 3))
    result = score(truth, prediction, profile=mine)
    assert result.thresholds == (0.55, 0.8)
    assert result.tp == (1, 1)
    assert result.headline == 0.5
    assert score(truth, prediction, profile=mine, strict=False).tp == (2, 1)
    assert score(truth, prediction, profile=mine, thresholds=[0.5]).tp == (2,)
    assert result.to_dict()["profile"] == "mine"


def test_a_profile_of_ones_own_without_thresholds_is_refused():
    with pytest.raises(BenchError, match="no IoU threshold"):
        score(np.ones(3, int), np.ones(3, int), profile=Profile("mine", "x", thresholds=()))
    with pytest.raises(BenchError, match="no IoU threshold"):
        score(np.ones(3, int), np.ones(3, int), profile=Profile("mine", "x", thresholds=(1.5,)))


def test_all_that_a_profile_says_is_documented():
    for field in fields(Profile):
        assert f"    {field.name}\n" in Profile.__doc__
