from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
import scipy.optimize
import scipy.spatial
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchError
from benchmark.scoring.spots import pool_spots, score_spots

# Quarters are exact as floats, so distances at the radius and ties occur.
COORDINATES = st.integers(0, 24).map(lambda n: n / 4)


def spots(n_axes, most=6):
    return st.lists(st.tuples(*[COORDINATES] * n_axes), max_size=most)


def brute_force(truth, prediction, radius):
    """Try every assignment: the most pairs within the radius, the least sum of squares."""
    square = [
        [sum((a - b) ** 2 for a, b in zip(t, p, strict=True)) for p in prediction] for t in truth
    ]
    best = (0, 0.0)
    # Each true spot takes one of the predictions, or one of as many places that stand for none.
    places = [*range(len(prediction)), *[None] * len(truth)]
    for choice in set(itertools.permutations(places, len(truth))):
        taken = [(t, p) for t, p in enumerate(choice) if p is not None]
        if all(square[t][p] <= radius**2 for t, p in taken):
            best = max(best, (len(taken), -sum(square[t][p] for t, p in taken)))
    return best[0], -best[1]


def test_by_hand():
    truth, prediction = [[0, 0], [10, 0], [20, 0], [30, 0]], [[0, 3], [14, 0], [99, 9], [30, -1]]
    result = score_spots(truth, prediction, radius=4)
    assert (result.n_true, result.n_pred) == (4, 4)
    assert (result.tp, result.fp, result.fn) == (3, 1, 1)
    assert (result.precision, result.recall, result.f1) == (0.75, 0.75, 0.75)
    assert result.pairs.tolist() == [[0, 0], [1, 1], [3, 3]]
    assert result.distances.tolist() == [3, 4, 1]
    assert result.localisation_rms == pytest.approx(math.sqrt(26 / 3))
    assert result.localisation_mean == pytest.approx(8 / 3)
    assert result.bias == pytest.approx((4 / 3, 2 / 3))


def test_gating_comes_before_assigning():
    """By least squares over all four, 10 pairs with 4 and 0 with -20: all of it out of reach."""
    result = score_spots([[0, 0], [0, 10]], [[0, 4], [0, -20]], radius=5)
    assert result.pairs.tolist() == [[0, 0]]


def test_a_spot_out_of_reach_takes_no_partner():
    """The first prediction lies nearer to a true spot that another one fits better."""
    result = score_spots([[0, 0], [0, 5]], [[0, 2], [0, 0.5], [0, 100]], radius=3)
    assert result.pairs.tolist() == [[0, 1], [1, 0]]


def test_more_matches_beat_a_smaller_distance():
    """Taking the pair at distance 1 first would leave the other two out of reach."""
    result = score_spots([[0, 0], [0, 4]], [[0, 3], [0, 7]], radius=3)
    assert result.pairs.tolist() == [[0, 0], [1, 1]]
    assert result.distances.tolist() == [3, 3]


def test_squares_are_added_up_not_distances():
    """Distances of 3 + 3 or of 1 + 4.999; squares of 9 + 9 or of 1 + 25."""
    truth, prediction = [[0, 0], [0, 4]], [[0, 3], [3, 4 - 1e-3]]
    straight = score_spots(truth, prediction, radius=10)
    assert straight.pairs.tolist() == [[0, 0], [1, 1]]
    assert straight.localisation_rms == pytest.approx(3)


def test_each_spot_matches_once():
    result = score_spots([[5, 5]], [[5, 5], [5, 5], [5, 6]], radius=2)
    assert (result.tp, result.fp, result.fn) == (1, 2, 0)
    assert result.localisation_rms == 0


@pytest.mark.parametrize("radius", [0.3, 0.1, 1 / 3, 2.55])
@pytest.mark.parametrize("place", [0.0, 1.0, 1000.0, 65535.7])
def test_a_spot_exactly_at_the_radius_matches(radius, place):
    """As floats, 1.3 - 1 is more than 0.3."""
    assert score_spots([[place, 0]], [[place + radius, 0]], radius=radius).tp == 1
    assert score_spots([[0, place]], [[0, place - radius]], radius=radius).tp == 1
    assert score_spots([[place, 0]], [[place + radius * 1.000001, 0]], radius=radius).tp == 0


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(2, 3), st.sampled_from([0.25, 1.0, 1.25, 2.5, 9.0]))
def test_no_choice_of_pairs_is_better(data, n_axes, radius):
    truth, prediction = data.draw(spots(n_axes, most=4)), data.draw(spots(n_axes, most=4))
    tp, squares = brute_force(truth, prediction, radius)
    result = score_spots(truth, prediction, radius=radius)
    assert result.tp == tp == len(result.pairs)
    assert np.sum(result.distances**2) == pytest.approx(squares)
    assert len(set(result.pairs[:, 0])) == len(set(result.pairs[:, 1])) == tp
    for (t, p), distance in zip(result.pairs, result.distances, strict=True):
        assert math.dist(truth[t], prediction[p]) == pytest.approx(distance)
        assert distance <= radius * (1 + 1e-9)


@settings(deadline=None)
@given(spots(2), spots(2), st.sampled_from([0.5, 1.0, 3.0]))
def test_truth_and_prediction_swapped(truth, prediction, radius):
    one = score_spots(truth, prediction, radius=radius)
    other = score_spots(prediction, truth, radius=radius)
    assert (one.tp, one.fp, one.fn) == (other.tp, other.fn, other.fp)
    assert (one.precision, one.f1) == pytest.approx((other.recall, other.f1), nan_ok=True)
    assert one.localisation_rms == pytest.approx(other.localisation_rms, nan_ok=True)


@settings(deadline=None)
@given(spots(3), spots(3), st.randoms(use_true_random=False))
def test_neither_order_nor_place_matters(truth, prediction, random):
    before = score_spots(truth, prediction, radius=1.5)
    true_order, pred_order = list(range(len(truth))), list(range(len(prediction)))
    random.shuffle(true_order)
    random.shuffle(pred_order)
    shift = np.array([64, -32, 128.5])
    after = score_spots(
        [np.add(truth[k], shift) for k in true_order],
        [np.add(prediction[k], shift) for k in pred_order],
        radius=1.5,
    )
    # The very same places are paired, ties included; equal places cannot be told apart.
    assert sorted((truth[t], prediction[p]) for t, p in before.pairs) == sorted(
        (truth[true_order[t]], prediction[pred_order[p]]) for t, p in after.pairs
    )
    assert (before.tp, before.fp, before.fn) == (after.tp, after.fp, after.fn)
    assert before.localisation_rms == pytest.approx(after.localisation_rms, nan_ok=True)


@settings(deadline=None)
@given(spots(2), spots(2), st.floats(0.1, 5), st.floats(1, 2))
def test_a_larger_radius_never_loses_a_match(truth, prediction, radius, factor):
    narrow = score_spots(truth, prediction, radius=radius)
    assert score_spots(truth, prediction, radius=radius * factor).tp >= narrow.tp


def test_spacing_makes_the_radius_physical():
    truth, prediction = [[0, 0, 0], [10, 0, 0]], [[1, 0, 0], [10, 0, 3]]
    assert score_spots(truth, prediction, radius=1).tp == 1
    result = score_spots(truth, prediction, radius=300, spacing=(400, 100, 100))
    assert result.pairs.tolist() == [[1, 1]]
    assert result.distances.tolist() == [300]
    assert result.bias == (0, 0, 300)
    assert score_spots(truth, prediction, radius=400, spacing=(400, 100, 100)).tp == 2
    assert score_spots(truth, prediction, radius=0.5, spacing=0.5).tp == 1


def test_photons_of_matched_spots():
    result = score_spots(
        [[0, 0], [9, 0], [50, 50]],
        [[9, 1], [0, 1], [80, 80]],
        radius=2,
        true_photons=[100, 200, 300],
        pred_photons=[180, 130, 9999],
    )
    assert result.n_photons == 2
    assert result.photon_bias == pytest.approx((0.3 - 0.1) / 2)
    assert result.photon_rms == pytest.approx(math.sqrt((0.09 + 0.01) / 2))


def test_photons_of_one_side_only_tell_nothing():
    for photons in ({"true_photons": [5]}, {"pred_photons": [5]}, {}):
        result = score_spots([[0, 0]], [[0, 0]], radius=1, **photons)
        assert result.n_photons == 0
        assert math.isnan(result.photon_bias)
        assert math.isnan(result.photon_rms)


def test_no_spot_at_all_is_not_defined():
    result = score_spots([], np.empty((0, 3)), radius=1)
    assert (result.tp, result.fp, result.fn) == (0, 0, 0)
    assert all(math.isnan(figure) for figure in (result.precision, result.recall, result.f1))
    assert len(result.bias) == 3
    assert result.pairs.shape == (0, 2)


@pytest.mark.parametrize(
    ("truth", "prediction"), [([], [[1, 2]]), ([[1, 2]], []), ([[1, 2]], [[9, 9]])]
)
def test_without_a_match_rates_are_zero_and_errors_not_defined(truth, prediction):
    result = score_spots(truth, prediction, radius=1)
    assert (result.tp, result.fp, result.fn) == (0, len(prediction), len(truth))
    assert (result.precision, result.recall, result.f1) == (0, 0, 0)
    assert math.isnan(result.localisation_rms)
    assert math.isnan(result.localisation_mean)
    assert np.isnan(result.bias).all()


def test_plain_values_for_json():
    result = score_spots([[0, 0], [5, 5]], [[0, 1]], radius=np.float32(2), true_photons=[3, 4])
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert plain == {
        "radius": 2,
        "n_true": 2,
        "n_pred": 1,
        "tp": 1,
        "fp": 0,
        "fn": 1,
        "precision": 1,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "localisation_rms": 1,
        "localisation_mean": 1,
        "bias": [0, 1],
        "n_photons": 0,
        "photon_bias": None,
        "photon_rms": None,
        "pairs": [[0, 0]],
        "distances": [1],
    }
    nothing = score_spots([], [], radius=2).to_dict()
    assert nothing["f1"] is None
    assert nothing["bias"] == [None, None]


@pytest.mark.parametrize("kind", [np.uint16, np.int8, ">f4", np.float64])
def test_any_type_of_number(kind):
    truth, prediction = np.array([[3, 4]], kind), np.array([[2, 4]], kind)
    assert score_spots(truth, prediction, radius=1).bias == (-1, 0)


@pytest.mark.parametrize("radius", [0, -1, float("nan"), float("inf")])
def test_what_is_no_radius_is_refused(radius):
    with pytest.raises(BenchError, match="no radius"):
        score_spots([[0, 0]], [[0, 0]], radius=radius)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([1, 2], r"shape \(2,\)"),
        ([[1], [2]], r"shape \(2, 1\)"),
        ([[1, 2, 3, 4]], r"shape \(1, 4\)"),
        ([[[1, 2]]], r"shape \(1, 1, 2\)"),
        ([[1, 2], [3]], "cannot be read"),
        ([["a", "b"]], "cannot be read"),
        ([[1, float("nan")]], "NaN"),
        ([[1, float("inf")]], "NaN or infinity"),
    ],
)
def test_what_are_no_positions_is_refused(wrong, message):
    for truth, prediction in ((wrong, [[0, 0]]), ([[0, 0]], wrong)):
        with pytest.raises(BenchError, match=message) as caught:
            score_spots(truth, prediction, radius=1)
        assert ("true" if truth is wrong else "predicted") in caught.value.what


def test_planes_and_volumes_do_not_mix():
    with pytest.raises(BenchError, match="true spots have 2 coordinates, predicted ones 3"):
        score_spots([[1, 2]], [[1, 2, 3]], radius=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"true_photons": [1, 2]}, r"true spots have shape \(2,\), and there are 1"),
        ({"pred_photons": 5}, r"predicted spots have shape \(\)"),
        ({"pred_photons": [float("nan")]}, "NaN or infinity in the photons of predicted"),
        ({"true_photons": [0]}, "true spot 0 has no photons"),
        ({"true_photons": [-3]}, "true spot 0 has no photons"),
        ({"spacing": (1, 1, 1)}, "positions of 2 coordinates"),
        ({"spacing": (1, 0)}, "positions of 2 coordinates"),
        ({"spacing": -1}, "positions of 2 coordinates"),
        ({"spacing": (1, float("nan"))}, "NaN or infinity in the spacing"),
        ({"spacing": ("a", "b")}, "the spacing cannot be read"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(BenchError, match=message) as caught:
        score_spots([[0, 0]], [[0, 0]], radius=1, **options)
    assert caught.value.mend


def test_a_radius_in_other_units_than_the_positions_is_refused():
    """Nanometres against pixels: everything is in reach of everything."""
    truth = np.random.default_rng(0).uniform(0, 100, (3000, 2))
    with pytest.raises(BenchError, match="9000000 pairs") as caught:
        score_spots(truth, truth, radius=250)
    assert "pixels" in caught.value.mend


@pytest.mark.parametrize("radius", [2, 5, 12])
def test_crowded_spots_are_matched_as_a_dense_assignment_has_it(radius):
    truth, prediction = np.random.default_rng(3).uniform(0, 100, (2, 300, 2))
    square = scipy.spatial.distance.cdist(truth, prediction, "sqeuclidean")
    cost = np.where(square <= radius**2, square, 1e6)
    rows, columns = scipy.optimize.linear_sum_assignment(cost)
    within = square[rows, columns] <= radius**2
    result = score_spots(truth, prediction, radius=radius)
    assert result.tp == within.sum()
    assert np.sum(result.distances**2) == pytest.approx(square[rows, columns][within].sum())


def test_many_spots():
    """Each true spot is found within its jitter; an array over all pairs would take gigabytes."""
    generator = np.random.default_rng(1)
    truth = np.stack(np.meshgrid(np.arange(141), np.arange(141)), axis=-1).reshape(-1, 2) * 8.0
    found = generator.permutation(len(truth))[:15_000]
    prediction = truth[found] + generator.uniform(-2, 2, (15_000, 2))
    result = score_spots(truth, prediction, radius=3)
    assert (result.tp, result.fp, result.fn) == (15_000, 0, len(truth) - 15_000)
    assert np.array_equal(found[result.pairs[:, 1]], result.pairs[:, 0])
    assert result.localisation_rms == pytest.approx(math.sqrt(8 / 3), rel=0.01)


def test_pooled_figures_are_those_of_all_spots_together():
    """Images far apart in one plane, and the same images one by one."""
    generator = np.random.default_rng(2)
    images, truths, predictions, light = [], [], [], []
    for k in range(5):
        truth = generator.uniform(0, 30, (3 * k, 3))
        prediction = generator.uniform(0, 30, (12 - k, 3))
        photons = {
            "true_photons": generator.uniform(50, 90, len(truth)),
            "pred_photons": generator.uniform(50, 90, len(prediction)),
        }
        images.append(score_spots(truth, prediction, radius=9, **photons))
        truths.append(truth + 1000 * k)
        predictions.append(prediction + 1000 * k)
        light.append(photons)
    together = score_spots(
        np.concatenate(truths),
        np.concatenate(predictions),
        radius=9,
        true_photons=np.concatenate([photons["true_photons"] for photons in light]),
        pred_photons=np.concatenate([photons["pred_photons"] for photons in light]),
    ).to_dict()
    pooled = pool_spots(images).to_dict()
    assert pooled["tp"] > 10
    bias = pooled.pop("bias")
    assert bias == pytest.approx(together["bias"])
    assert pooled == pytest.approx({name: together[name] for name in pooled})


def test_an_image_without_a_match_has_no_say_in_the_error():
    found = score_spots([[0, 0]], [[0, 1]], radius=2, true_photons=[10], pred_photons=[5])
    missed = score_spots([[0, 0]], [], radius=2)
    unlit = score_spots([[0, 0]], [[1, 0]], radius=2)
    pooled = pool_spots([found, missed, unlit])
    assert (pooled.tp, pooled.fn, pooled.localisation_rms) == (2, 1, 1)
    assert pooled.bias == (0.5, 0.5)
    assert (pooled.n_photons, pooled.photon_bias, pooled.photon_rms) == (1, -0.5, 0.5)
    nothing = pool_spots([score_spots([], [], radius=2)] * 2)
    assert math.isnan(nothing.f1)
    assert math.isnan(nothing.localisation_rms)


def test_what_cannot_be_pooled_is_refused():
    flat = score_spots([[0, 0]], [[0, 0]], radius=1)
    with pytest.raises(BenchError, match="no spot score"):
        pool_spots([])
    with pytest.raises(BenchError, match="radius 1, 2 axes, radius 2, 2 axes"):
        pool_spots([flat, score_spots([[0, 0]], [[0, 0]], radius=2)])
    with pytest.raises(BenchError, match="radius 1, 3 axes"):
        pool_spots([flat, score_spots([[0, 0, 0]], [[0, 0, 0]], radius=1)])
