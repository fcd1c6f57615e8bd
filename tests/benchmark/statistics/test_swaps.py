from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.statistics.scenes import by_scene
from benchmark.statistics.swaps import swap_p_values


def p_value(a, b, scenes=None, *, seed=0, flips=10_000):
    scenes = range(len(a)) if scenes is None else scenes
    added = by_scene([a, b], list(scenes))
    [p] = swap_p_values(added, np.array([0]), np.array([1]), seed=seed, flips=flips)
    return float(p)


def mean_difference(a, b, axis):
    return a.mean(axis=axis) - b.mean(axis=axis)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.integers(0, 2**32))
def test_exact_values_are_those_of_scipy(n, seed):
    a, b = np.random.default_rng(seed).integers(0, 5, (2, n)) / 4  # with ties
    oracle = scipy.stats.permutation_test(
        (a, b), mean_difference, permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    assert p_value(a, b) == pytest.approx(oracle.pvalue)


def test_by_hand():
    """Swaps of the differences 3, 2 and -1, which add up to 4, make it ±4, ±6, ±0 or ±2."""
    assert p_value([3, 2, 0], [0, 0, 1]) == 0.5


def test_a_scene_is_swapped_as_one():
    """Three scenes of four images: eight swaps, not 2^12."""
    a, b = np.full(12, 0.8), np.linspace(0.1, 0.5, 12)
    scenes = np.repeat([0, 1, 2], 4)
    assert p_value(a, b, scenes) == 2 / 8
    assert p_value(a, b) == 2 / 2**12


def test_each_image_counts_the_same():
    """A scene of three images weighs three times as much as one of a single image."""
    a, b = np.array([0.3, 0.3, 0.3, -0.5, 0.1]), np.zeros(5)
    scenes = [0, 0, 0, 1, 2]
    sums = np.array([0.9, -0.5, 0.1])
    signs = np.array(np.meshgrid([1, -1], [1, -1], [1, -1])).reshape(3, -1)
    expected = (np.abs(sums @ signs) >= abs(sums.sum()) - 1e-12).mean()
    assert p_value(a, b, scenes) == expected


def test_missing_figures_move_with_their_scene():
    """Every swap tried one by one, the means taken anew each time."""
    generator = np.random.default_rng(0)
    a, b = generator.uniform(size=(2, 14))
    a[[0, 5]], b[[5, 6, 13]] = np.nan, np.nan
    scenes = np.repeat(np.arange(7), 2)
    seen = abs(np.nanmean(a) - np.nanmean(b))
    extreme = 0
    for swap in range(2**7):
        swapped = (swap >> scenes) & 1 == 1
        difference = np.nanmean(np.where(swapped, b, a)) - np.nanmean(np.where(swapped, a, b))
        extreme += abs(difference) >= seen - 1e-12
    assert p_value(a, b, scenes) == extreme / 2**7


def test_a_swap_that_leaves_one_side_empty_is_no_evidence():
    """Each has figures in one scene only: of four swaps two say nothing and count against it."""
    assert p_value([0.9, np.nan], [np.nan, 0.1], ["p", "q"]) == 1


def test_drawn_values_agree_with_exact_ones():
    generator = np.random.default_rng(1)
    for _ in range(5):
        a, b = generator.normal(0, 1, (2, 12))
        exact = p_value(a, b + 0.4, flips=2**11)
        drawn = p_value(a, b + 0.4, flips=2**11 - 1)
        assert drawn == pytest.approx(exact, abs=0.04)
        assert drawn != exact


def test_a_drawn_value_is_never_zero():
    a, b = np.random.default_rng(2).normal(0, 0.01, (2, 50))
    assert p_value(a + 1, b, flips=999) == 1 / 1000


def test_seed_alone_decides_the_swaps():
    a, b = np.random.default_rng(3).uniform(size=(2, 30))
    assert p_value(a, b, seed=1, flips=500) == p_value(a, b, seed=1, flips=500)
    assert len({p_value(a, b, seed=seed, flips=500) for seed in range(5)}) > 1


def test_p_values_under_no_difference_are_uniform():
    generator = np.random.default_rng(4)
    p_values = []
    for seed in range(400):
        hard = generator.beta(2, 2, 40)
        a, b = hard + generator.normal(0, 0.2, (2, 40))
        p_values.append(p_value(a, b, seed=seed, flips=400))
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08


def test_images_of_a_scene_are_no_independent_witnesses():
    """Ten copies of each of eight scenes: taken as images, noise would pass for a finding."""
    generator = np.random.default_rng(5)
    found_as_scenes = found_as_images = 0
    for seed in range(100):
        a, b = generator.normal(0, 1, (2, 8))
        copies, scenes = np.repeat([a, b], 10, axis=1), np.repeat(np.arange(8), 10)
        assert p_value(*copies, scenes) == p_value(a, b)
        found_as_scenes += p_value(a, b) <= 0.05
        found_as_images += p_value(*copies, seed=seed, flips=300) <= 0.05
    assert found_as_scenes <= 11
    assert found_as_images >= 30


def test_neither_order_nor_sides_nor_units_matter():
    generator = np.random.default_rng(6)
    a, b = generator.uniform(size=(2, 30))
    scenes, shuffle = np.repeat(np.arange(10), 3), generator.permutation(30)
    expected = p_value(a, b, scenes)
    assert p_value(a[shuffle], b[shuffle], scenes[shuffle]) == expected
    assert p_value(b, a, scenes) == expected
    assert p_value(1e6 * a, 1e6 * b, scenes) == expected
    assert p_value(a + 7, b + 7, scenes) == expected
