from __future__ import annotations

import numpy as np
import pytest

from benchmark.statistics.scenes import CHUNK, by_scene, drawn_means


def test_sums_and_counts_by_scene():
    added = by_scene([[1, 2, 4, np.nan], [np.nan, np.nan, 8, 16]], ["q", "p", "q", "q"])
    assert added.sums.tolist() == [[2, 5], [0, 24]]
    assert added.counts.tolist() == [[1, 2], [0, 2]]
    assert added.means.tolist() == pytest.approx([7 / 3, 12])
    assert added.n_scenes == 2


def test_who_has_no_figure_has_no_mean():
    assert np.isnan(by_scene([[np.nan, np.nan]], [0, 1]).means).all()


def test_all_algorithms_see_the_same_draws():
    values = np.random.default_rng(0).uniform(size=(1, 9))
    means = drawn_means(by_scene(np.vstack([values, values + 1]), range(9)), seed=0, draws=50)
    assert means.shape == (2, 50)
    assert np.allclose(means[1] - means[0], 1)
    assert len(np.unique(means[0].round(9))) > 40


def test_a_longer_series_of_draws_begins_with_the_shorter_one():
    added = by_scene(np.random.default_rng(1).uniform(size=(2, 9)), range(9))
    long = drawn_means(added, seed=0, draws=3 * CHUNK + 5)
    assert np.array_equal(long[:, : 2 * CHUNK], drawn_means(added, seed=0, draws=2 * CHUNK))
    assert long.shape == (2, 3 * CHUNK + 5)


def test_a_draw_without_a_figure_is_no_zero():
    means = drawn_means(by_scene([[0.5, np.nan]], ["p", "q"]), seed=0, draws=400)
    assert set(np.unique(means[~np.isnan(means)])) == {0.5}
    assert 0.15 < np.isnan(means).mean() < 0.35
