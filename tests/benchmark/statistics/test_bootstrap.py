from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.statistics import (
    difference_interval,
    mean_interval,
    probability_better,
    rank_intervals,
)


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


def test_difference_interval_agrees_with_resampling_spelled_out():
    generator = np.random.default_rng(10)
    a, b = generator.uniform(size=(2, 24))
    a[3], b[[7, 8]] = np.nan, np.nan
    scenes = np.repeat(np.arange(8), 3)
    differences = []
    for _ in range(20_000):
        images = np.concatenate([np.flatnonzero(scenes == k) for k in generator.integers(0, 8, 8)])
        differences.append(np.nanmean(a[images]) - np.nanmean(b[images]))
    interval = difference_interval(a, b, scenes, draws=20_000)
    assert interval == pytest.approx(np.quantile(differences, [0.025, 0.975]), abs=0.006)


def test_a_difference_is_surer_than_the_means_it_comes_from():
    hard = np.random.default_rng(11).uniform(0, 0.5, 30)
    low, high = difference_interval(hard + 0.1, hard, range(30))
    assert (low, high) == pytest.approx((0.1, 0.1))
    mean_low, mean_high = mean_interval(hard, range(30))
    assert mean_high - mean_low > 0.05


def test_difference_interval_covers_as_often_as_it_says():
    generator = np.random.default_rng(12)
    covered = 0
    for seed in range(400):
        hard = generator.normal(0, 1, 40)
        a, b = hard + 0.1 + generator.normal(0, 0.2, 40), hard + generator.normal(0, 0.2, 40)
        low, high = difference_interval(a, b, np.arange(40), seed=seed, draws=400)
        covered += low <= 0.1 <= high
    assert 0.91 <= covered / 400 <= 0.97


def test_turned_round_a_difference_is_its_negative():
    a, b = np.random.default_rng(13).uniform(size=(2, 20))
    low, high = difference_interval(a, b, range(20))
    assert difference_interval(b, a, range(20)) == pytest.approx((-high, -low))


def test_a_difference_of_one_scene_or_of_nothing_is_not_known():
    nothing = [np.nan] * 3
    assert np.isnan(difference_interval([0.1, 0.2], [0.3, 0.4], ["a", "a"])).all()
    assert np.isnan(difference_interval([0.1, 0.2, 0.3], nothing, range(3))).all()


def test_probability_better_by_hand():
    """The mean of the first depends on how often the first two of three scenes are drawn."""
    values = [[1.0, 0.0, 0.5], [0.5, 0.5, 0.5]]
    chances = probability_better(values, range(3), draws=20_000)
    # The first scene is drawn more often than the second in 10 of 27 draws, as often in 7.
    assert chances[0, 1] == pytest.approx((10 + 7 / 2) / 27, abs=0.01)
    assert chances[1, 0] == pytest.approx(1 - chances[0, 1])
    assert np.diag(chances).tolist() == [0.5, 0.5]


def test_one_that_is_always_better_is_surely_better():
    chances = probability_better([[0.5, 0.9, 0.4], [0.4, 0.8, 0.3], [0.4, 0.8, 0.3]], range(3))
    assert chances.tolist() == [[0.5, 1, 1], [0, 0.5, 0.5], [0, 0.5, 0.5]]


def test_probability_better_agrees_with_a_normal_approximation():
    generator = np.random.default_rng(14)
    difference = generator.normal(0, 1, 400)
    difference += 0.05 - difference.mean()  # one standard error of 1 / 20 above zero
    chances = probability_better([difference, np.zeros(400)], range(400), draws=10_000)
    assert chances[0, 1] == pytest.approx(0.8413, abs=0.02)


def test_who_has_no_figure_is_neither_better_nor_worse():
    chances = probability_better([[0.5, 0.6], [np.nan, np.nan]], ["a", "b"])
    assert np.isnan(chances[1]).all()
    assert np.isnan(chances[:, 1]).all()
    assert chances[0, 0] == 0.5
    assert np.isnan(probability_better([[0.5, 0.6], [0.1, 0.2]], ["a", "a"])).all()


def test_copies_of_the_images_of_each_scene_change_nothing():
    """Ten images of a scene that say the same are one witness."""
    values = np.random.default_rng(15).uniform(size=(3, 12))
    copies, scenes = np.repeat(values, 10, axis=1), np.repeat(np.arange(12), 10)
    assert np.allclose(mean_interval(copies, scenes), mean_interval(values, range(12)))
    assert np.allclose(
        difference_interval(*copies[:2], scenes), difference_interval(*values[:2], range(12))
    )
    assert ranks(copies, scenes) == ranks(values)
    assert np.allclose(probability_better(copies, scenes), probability_better(values, range(12)))


def test_the_order_of_images_does_not_matter():
    generator = np.random.default_rng(16)
    values, scenes = generator.uniform(size=(3, 24)), np.repeat(np.arange(8), 3)
    shuffle = generator.permutation(24)
    mixed, mixed_scenes = values[:, shuffle], scenes[shuffle]
    for first, second in [
        (mean_interval(values, scenes), mean_interval(mixed, mixed_scenes)),
        (difference_interval(*values[:2], scenes), difference_interval(*mixed[:2], mixed_scenes)),
        (probability_better(values, scenes), probability_better(mixed, mixed_scenes)),
    ]:
        assert np.allclose(first, second, atol=1e-12)


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
@pytest.mark.parametrize("scenes", [["a", "b"], ["a", "a"]])
def test_what_is_no_level_is_refused(level, scenes):
    for ask in (
        lambda: mean_interval([0.1, 0.2], scenes, level=level),
        lambda: rank_intervals([[0.1, 0.2]], scenes, level=level),
        lambda: difference_interval([0.1, 0.2], [0.3, 0.4], scenes, level=level),
    ):
        with pytest.raises(BenchError, match="no level"):
            ask()


def test_no_draws_are_refused():
    with pytest.raises(BenchError, match="0 draws"):
        mean_interval([0.1, 0.2], ["a", "b"], draws=0)
    with pytest.raises(BenchError, match="-1 draws"):
        probability_better([[0.1, 0.2]], ["a", "b"], draws=-1)
