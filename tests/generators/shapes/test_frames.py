"""Sizes and elongations: what is drawn is like what was fitted, alone and together."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from generators.shapes.frames import Frames
from generators.shapes.styles import STYLES


@pytest.fixture(scope="module")
def real():
    """5000 frames: large shapes are longer, a tenth are small and round."""
    rng = np.random.default_rng(3)
    size = rng.lognormal(0, 0.15, 5000)
    elongation = 1 + 0.5 * size**2 * rng.lognormal(0, 0.6, 5000)
    small = rng.random(5000) < 0.1
    size[small] *= 0.5
    elongation[small] = 1 + rng.lognormal(-3, 0.4, small.sum())
    return np.stack([size, elongation], axis=1)


@pytest.fixture(scope="module")
def fitted(real):
    return Frames.of(real)


def apart(one, other):
    return stats.ks_2samp(one, other).statistic


def test_what_is_drawn_is_like_what_was_fitted(real, fitted):
    drawn = fitted.sample(5000, np.random.default_rng(0))
    assert drawn.shape == (5000, 2)
    assert apart(drawn[:, 0], real[:, 0] / np.median(real[:, 0])) < 0.04
    assert apart(drawn[:, 1], real[:, 1]) < 0.04
    assert np.median(drawn[:, 0]) == pytest.approx(1, abs=0.02)
    both = [stats.spearmanr(rows).statistic for rows in (real, drawn)]
    assert both[1] == pytest.approx(both[0], abs=0.06)


def test_one_that_is_given_decides_on_the_other(real, fitted):
    rng = np.random.default_rng(0)
    unit = np.median(real[:, 0])
    for size in (0.5, 1.2):
        drawn = fitted.sample(2000, rng, size=size)
        assert (drawn[:, 0] == size).all()
        near = real[abs(np.log(real[:, 0] / unit / size)) < 0.06, 1]
        assert apart(drawn[:, 1], near) < 0.13
    drawn = fitted.sample(2000, rng, elongation=np.full(2000, 1.05))
    assert (drawn[:, 1] == 1.05).all()
    assert np.median(drawn[:, 0]) < 0.7


def test_both_given_are_both_kept_and_none_are_none(fitted):
    rng = np.random.default_rng(0)
    assert fitted.sample(2, rng, size=[0.5, 2.0], elongation=1.0).tolist() == [[0.5, 1], [2.0, 1]]
    assert fitted.sample(0, rng).shape == (0, 2)


def test_the_unit_is_the_median_size(real, fitted):
    pixels = Frames.of(real * [28.0, 1.0])
    one, other = (f.sample(50, np.random.default_rng(4)) for f in (fitted, pixels))
    assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize("count", [1, 2, 49, 51])
def test_few_can_be_fitted_and_all_draws_are_within_limits(real, count):
    drawn = Frames.of(real[:count]).sample(500, np.random.default_rng(0))
    assert np.isfinite(drawn).all()
    for column, name in enumerate(("size", "elongation")):
        low, high, _ = STYLES[name]
        assert drawn[:, column].min() >= low
        assert drawn[:, column].max() <= high


def test_json_gives_the_same_draws(fitted):
    text = fitted.to_json()
    assert len(text) < 1000
    again = Frames.from_json(text)
    assert again.to_json() == text
    one, other = (f.sample(20, np.random.default_rng(1)) for f in (fitted, again))
    assert one == pytest.approx(other, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights", []),
        ("weights", [-1.0]),
        ("means", [[0.0]]),
        ("means", [[0.0, float("nan")]]),
        ("factors", [[[0.0, 0.0], [0.0, 1.0]]]),
        ("factors", "x"),
    ],
)
def test_what_is_no_distribution_is_refused(name, value):
    good = {"weights": [1.0], "means": [[0.0, -1.0]], "factors": [[[0.1, 0.0], [0.0, 0.5]]]}
    Frames.from_json(json.dumps(good))
    with pytest.raises((ValueError, TypeError)):
        Frames.from_json(json.dumps({**good, name: value}))
    with pytest.raises(KeyError):
        Frames.from_json(json.dumps({k: v for k, v in good.items() if k != name}))
