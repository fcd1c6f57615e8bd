from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.scoring import PROFILES, score
from benchmark.statistics import fill_missing, mean_interval, rank_intervals


def test_a_missing_prediction_counts_as_no_detection():
    filled = fill_missing([0.8, 0.9, np.nan], [True, False, False], [3, 4, 5])
    assert filled.values.tolist() == [0.8, 0, 0]
    assert (filled.n_filled.tolist(), filled.n_empty.tolist()) == (2, 0)


def test_where_there_is_nothing_to_find_a_missing_prediction_is_left_out():
    filled = fill_missing([0.8, 0.0, np.nan], [True, False, True], [3, 0, 0])
    assert filled.values.tolist() == pytest.approx([0.8, np.nan, np.nan], nan_ok=True)
    assert (filled.n_filled.tolist(), filled.n_empty.tolist()) == (0, 1)


@pytest.mark.parametrize("n_true", [0, 1, 2])
@pytest.mark.parametrize("profile", ["default", "stardist"])
def test_it_counts_what_an_empty_prediction_scores(n_true, profile):
    truth = np.zeros((8, 8), np.uint8)
    truth[:2, :2], truth[4:, 4:] = min(n_true, 1), 2 * (n_true == 2)
    assert len(np.unique(truth)) - 1 == n_true
    scored = score(truth, np.zeros_like(truth), profile=profile)
    empty = PROFILES[profile].empty
    for figure in (scored.mean_ap, scored.pq, scored.f1[0], scored.recall[0], scored.precision[0]):
        filled = fill_missing([0.7], [False], [n_true], empty=empty).values.tolist()
        assert filled == pytest.approx([figure], nan_ok=True)


def test_figures_of_predictions_stay_as_they_are():
    values = np.array([[0.1, np.nan, 0.0], [0.4, 0.5, np.nan]])
    filled = fill_missing(values, np.ones((2, 3), bool), [0, 1, 2])
    assert np.array_equal(filled.values, values, equal_nan=True)
    assert filled.n_filled.tolist() == [0, 0]
    assert filled.values is not values


def test_each_algorithm_has_its_own_numbers():
    ok = np.array([[True, True, True], [False, False, False], [True, False, True]])
    filled = fill_missing(np.full((3, 3), 0.5), ok, [1, 0, 9])
    assert filled.n_filled.tolist() == [0, 2, 0]
    assert filled.n_empty.tolist() == [0, 1, 1]
    assert np.array_equal(
        filled.values, [[0.5] * 3, [0, np.nan, 0], [0.5, np.nan, 0.5]], equal_nan=True
    )


def test_failing_where_it_is_hard_does_not_pay():
    hard = np.linspace(0.1, 0.9, 20)
    picky = np.where(hard > 0.5, hard, np.nan)
    assert rank_intervals([hard, picky], range(20))[0].tolist() == [2, 1]
    filled = fill_missing([hard, picky], ~np.isnan([hard, picky]), np.ones(20))
    assert rank_intervals(filled.values, range(20))[0].tolist() == [1, 2]
    assert mean_interval(filled.values[1], range(20))[1] < np.nanmean(picky)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(ValueError, match=r"ok of shape \(2,\)"):
        fill_missing([[0.1, 0.2]], [True, True], [1, 1])
    with pytest.raises(ValueError, match=r"n_true of shape \(1,\)"):
        fill_missing([0.1, 0.2], [True, True], [1])
    with pytest.raises(ValueError, match="not bool"):
        fill_missing([0.1, 0.2], ["ok", "failed"], [1, 1])
    with pytest.raises(ValueError, match="values of shape"):
        fill_missing(0.1, True, 1)


@pytest.mark.parametrize("unknown", [np.nan, -1])
def test_without_the_number_of_true_objects_there_is_no_telling(unknown):
    with pytest.raises(BenchError, match=r"1 images, the first of them image 1") as caught:
        fill_missing([0.1, 0.2], [True, True], [3, unknown])
    assert "truth" in caught.value.mend
