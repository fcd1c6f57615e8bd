from __future__ import annotations

import numpy as np
import pytest

from benchmark.statistics import mean_interval, rank_intervals


def ranks(values, scenes=None, **options):
    scenes = range(np.shape(values)[1]) if scenes is None else scenes
    low, high = rank_intervals(values, list(scenes), **options)
    return [(int(a), int(b)) for a, b in zip(low, high, strict=True)]


def test_one_that_always_wins_is_first():
    generator = np.random.default_rng(0)
    hard = generator.uniform(0, 0.5, 40)
    # Scenes vary by far more than the algorithms differ: only a paired comparison sees it.
    assert ranks([hard + 0.02, hard + 0.01, hard]) == [(1, 1), (2, 2), (3, 3)]


def test_two_that_cannot_be_told_apart_share_an_interval():
    noise = np.random.default_rng(1).normal(0, 0.2, (2, 30))
    noise -= noise.mean(axis=1, keepdims=True)
    assert ranks(np.vstack([0.5 + noise, np.full(30, 0.1)])) == [(1, 2), (1, 2), (3, 3)]


def test_equals_share_the_better_rank():
    same = np.random.default_rng(2).uniform(size=25)
    assert ranks([same, same, same - 0.1]) == [(1, 1), (1, 1), (3, 3)]


def test_images_of_one_scene_are_drawn_together():
    """Twenty copies of two scenes that disagree: as images a clear lead, as scenes nothing."""
    first = np.array([1.0, 0.0] * 20)
    second = np.array([0.2, 0.6] * 20)
    scenes = ["even", "odd"] * 20
    values = [first, second]
    assert ranks(values, scenes) == [(1, 2), (1, 2)]
    assert ranks([first + 0.3, second], range(40))[0] == (1, 1)
    assert ranks([first + 0.3, second], scenes)[0] == (1, 2)


def test_one_scene_tells_nothing():
    assert ranks([[0.9, 0.8], [0.1, 0.2]], ["a", "a"]) == [(1, 2), (1, 2)]


def test_undefined_images_are_left_out_of_that_mean():
    values = np.array([[0.6, np.nan, 0.6, np.nan, 0.6, 0.6], [0.5] * 6])
    assert ranks(values) == [(1, 1), (2, 2)]
    assert ranks(np.nan_to_num(values)) != [(1, 1), (2, 2)]


def test_an_algorithm_without_a_figure_is_last():
    values = [[0.1, 0.2, 0.3], [np.nan] * 3, [np.nan] * 3]
    assert ranks(values) == [(1, 1), (2, 2), (2, 2)]


def test_an_interval_holds_the_rank_as_observed():
    """The lead hangs on one scene in a hundred, which a third of all draws leave out."""
    values = np.zeros((2, 100))
    values[0, 0] = 1.0
    for seed in range(20):
        low, high = ranks(values, draws=1, seed=seed)[1]
        assert low <= 2 <= high


def test_seed_and_order_of_scenes():
    values = np.random.default_rng(4).uniform(size=(4, 30))
    assert ranks(values, seed=1) == ranks(values, seed=1)
    names = [f"s{k:02}" for k in range(30)]
    shuffle = np.random.default_rng(5).permutation(30)
    assert ranks(values, names) == ranks(values[:, shuffle], [names[k] for k in shuffle])
    first = mean_interval(values[0], names, seed=1)
    assert first != mean_interval(values[0], names, seed=2)
    assert first == mean_interval(values[0], names, seed=1)


def test_mean_interval_covers_as_often_as_it_says():
    generator = np.random.default_rng(6)
    covered = 0
    for seed in range(200):
        low, high = mean_interval(generator.normal(3, 1, 60), np.arange(60), seed=seed, draws=400)
        covered += bool(low <= 3 <= high)
    assert 0.88 <= covered / 200 <= 0.98


def test_mean_interval_agrees_with_resampling_spelled_out():
    generator = np.random.default_rng(7)
    values, scenes = generator.uniform(size=24), np.repeat(np.arange(8), 3)
    values[4] = np.nan
    by_scene = [values[scenes == k] for k in range(8)]
    means = [
        np.nanmean(np.concatenate([by_scene[k] for k in generator.integers(0, 8, 8)]))
        for _ in range(20_000)
    ]
    low, high = mean_interval(values, scenes, draws=20_000)
    assert [low, high] == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.004)


def test_mean_interval_of_several_rows():
    values = np.vstack([np.linspace(0, 1, 20), np.full(20, np.nan), np.full(20, 0.5)])
    low, high = mean_interval(values, np.arange(20))
    assert low.shape == (3,)
    assert np.isnan([low[1], high[1]]).all()
    assert (low[2], high[2]) == (0.5, 0.5)
    assert low[0] == mean_interval(values[0], np.arange(20))[0]
    assert np.isnan(mean_interval([0.5, 0.6], ["a", "a"])).all()


def test_a_wider_level_is_a_wider_interval():
    values, scenes = np.random.default_rng(8).uniform(size=30), np.arange(30)
    low, high = mean_interval(values, scenes, level=0.95)
    inner_low, inner_high = mean_interval(values, scenes, level=0.5)
    assert low < inner_low < values.mean() < inner_high < high


def test_more_draws_than_fit_at_once():
    values = np.random.default_rng(9).uniform(size=(3, 12))
    assert len(ranks(values, draws=1000)) == 3


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not go with 2 scenes"):
        rank_intervals([[1.0, 2.0, 3.0]], ["a", "b"])
    with pytest.raises(ValueError, match="n_algorithms"):
        rank_intervals([1.0, 2.0], ["a", "b"])
