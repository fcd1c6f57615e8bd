from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

from benchmark.errors import BenchError, LabelError
from benchmark.scoring import PROFILES, SCORER_VERSION, THRESHOLDS, metrics, score
from benchmark.scoring.kinds import PRED_KINDS, TRUE_KINDS
from benchmark.scoring.metrics import COUNTS, LISTS, NUMBERS

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


def test_to_dict_has_every_figure_as_plain_values():
    written = score(*worked_example()).to_dict()
    singles = [*NUMBERS, *COUNTS]
    assert list(written) == [
        "profile",
        "thresholds",
        *LISTS,
        *singles,
        "true_kinds",
        "pred_kinds",
        "events",
        "true_objects",
        "pred_objects",
    ]

    def assert_plain(value):
        if isinstance(value, dict):
            assert all(type(key) is str for key in value)
            value = list(value.values())
        if isinstance(value, list):
            for entry in value:
                assert_plain(entry)
        else:
            assert type(value) in {int, float, str, type(None)}

    assert_plain(written)
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    for name in singles:
        assert written[name] == getattr(score(*worked_example()), name)
    assert all(type(written[name]) is int for name in COUNTS)
    assert all(len(written[name]) == 10 for name in LISTS)


def test_what_the_issue_asks_for_is_there():
    asked = (
        "thresholds tp fp fn ap f1 precision recall mean_ap mean_matched_iou mean_true_iou pq sq rq"
        " seg det aji aji_plus aji_cellpose n_true n_pred"
    )
    assert set(asked.split()) <= score(*worked_example()).to_dict().keys()


def test_objects_can_be_left_out():
    whole = score(*worked_example()).to_dict()
    brief = score(*worked_example()).to_dict(objects=False)
    for name in ("events", "true_objects", "pred_objects"):
        del whole[name]
    assert brief == whole


def test_each_side_of_the_kinds_by_hand():
    result = score(*worked_example())
    assert result.true_kinds == dict.fromkeys(TRUE_KINDS, 0) | {"matched": 2, "missed": 1}
    assert result.pred_kinds == dict.fromkeys(PRED_KINDS, 0) | {"matched": 2, "spurious": 1}


def test_every_figure_that_profiles_share_by_hand():
    result = score(*worked_example())
    assert result.mean_f1 == pytest.approx((2 * 2 / 3 + 5 / 3) / 10, rel=1e-15)
    assert result.mean_true_iou == pytest.approx((0.8 + 0.55) / 3, rel=1e-15)
    assert result.seg == pytest.approx((0.8 + 0.55) / 3, rel=1e-15)  # 16 and 11 of 20 pixels
    assert result.det == pytest.approx(1 - (10 + 1) / 30, rel=1e-15)
    # 27 pixels are shared; 20 + 20 in the two pairs, 20 missed, 5 from nowhere.
    assert result.aji == result.aji_plus == result.aji_cellpose == 27 / 65
    assert result.foreground_iou == 27 / 65
    # The outlines of a line are its two ends: 0 and 4 off, 0 and 9 off.
    assert result.boundary_mean == (4 / 2 + 9 / 2) / 2
    assert result.boundary_bias == -result.boundary_mean
    assert result.boundary_f1 == 0.5


def test_a_figure_is_computed_when_it_is_asked_for_and_once(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError

    for name in ("boundaries", "kinds", "object_columns", "pieces"):
        monkeypatch.setattr(metrics, name, refuse)
    result = score(*worked_example())
    assert result.mean_ap > 0
    assert result.seg > 0
    monkeypatch.setattr(metrics.figures, "seg", refuse)
    assert result.seg > 0


def test_units_are_passed_to_the_outlines():
    truth, prediction = worked_example()
    plain = score(truth, prediction)
    assert score(truth, prediction, spacing=0.5).boundary_mean == plain.boundary_mean / 2
    assert score(truth, prediction, spacing=[3]).hausdorff_95 == 3 * plain.hausdorff_95
    assert score(truth, prediction, tolerance=4).boundary_f1 == (1 + 0.5) / 2
    assert score(truth, prediction, tolerance=9).boundary_f1 == 1
    assert score(truth, prediction, spacing=2, tolerance=8).boundary_f1 == (1 + 0.5) / 2


def test_several_threads_at_once_give_the_same():
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 40, (2, 60, 60)).astype(kind) for kind in "BHIL" * 6]
    expected = [score(*pair).to_dict() for pair in images]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda pair: score(*pair).to_dict(), images)) == expected
        one = score(*images[0])
        assert list(pool.map(lambda _: one.to_dict(), range(16))) == [expected[0]] * 16


def test_defaults():
    assert THRESHOLDS[0] == Fraction(1, 2)
    assert THRESHOLDS[-1] == Fraction(19, 20)
    assert len(THRESHOLDS) == 10
    assert SCORER_VERSION


def test_no_threshold_is_refused():
    with pytest.raises(BenchError, match="no IoU threshold"):
        score(np.ones(3, int), np.ones(3, int), thresholds=[])


@pytest.mark.parametrize("thresholds", [0.5, "0.5", ["0.5"], [None], 1])
def test_what_is_no_list_of_thresholds_is_refused(thresholds):
    with pytest.raises(BenchError, match="no list of IoU thresholds") as caught:
        score(np.ones(3, int), np.ones(3, int), thresholds=thresholds)
    assert "[0.5, 0.75]" in caught.value.mend


@pytest.mark.parametrize("strict", [True, False])
def test_a_profile_that_matches_in_its_own_way_is_not_asked_for_another(strict):
    with pytest.raises(BenchError, match="nor `strict`"):
        score(ONES, ONES, profile="tissuenet", strict=strict)


ONES = np.ones((3, 4), int)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("bad", [0, -0.1, 1.1, 50, float("nan"), float("inf"), Fraction(3, 2)])
def test_thresholds_out_of_range_are_refused_at_once(name, bad):
    with pytest.raises(BenchError, match="no IoU threshold") as caught:
        score(ONES, ONES, profile=name, thresholds=[0.5, bad])
    assert caught.value.mend


@pytest.mark.parametrize(
    "spacing", [0, -1, float("nan"), float("inf"), [1], [1, 2, 3], [1, 0], [[1, 1]], "fine", []]
)
def test_what_is_no_spacing_is_refused_at_once(spacing):
    with pytest.raises(BenchError, match="no spacing") as caught:
        score(ONES, ONES, spacing=spacing)
    assert caught.value.mend


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf"), [1, 2], "wide"])
def test_what_is_no_tolerance_is_refused_at_once(tolerance):
    with pytest.raises(BenchError, match="no tolerance") as caught:
        score(ONES, ONES, tolerance=tolerance)
    assert caught.value.mend


def test_units_are_refused_even_where_there_is_nothing_to_measure():
    empty = np.zeros((3, 4), int)
    with pytest.raises(BenchError, match="no spacing"):
        score(empty, empty, spacing=-1)
    with pytest.raises(BenchError, match="no tolerance"):
        score(ONES, empty, tolerance=-1)


def test_thresholds_may_be_any_sequence_of_numbers():
    for thresholds in ([0.5, 0.75], (Fraction(1, 2), 0.75), np.array([0.5, 0.75], np.float32)):
        assert score(ONES, ONES, thresholds=thresholds).thresholds == (0.5, 0.75)
    assert score(ONES, ONES, thresholds=[1]).tp == (1,)
    # In the order given, and as often.
    assert score(*worked_example(), thresholds=[0.9, 0.5, 0.9]).tp == (0, 2, 0)


def test_errors_of_labels_come_through():
    with pytest.raises(LabelError, match="prediction has type float64"):
        score(np.ones(3, int), np.ones(3))


def test_arrays_are_left_as_they_were():
    truth, prediction = worked_example()
    copies = truth.copy(), prediction.copy()
    score(truth, prediction, profile="neurips").to_dict()
    assert np.array_equal(truth, copies[0])
    assert np.array_equal(prediction, copies[1])
