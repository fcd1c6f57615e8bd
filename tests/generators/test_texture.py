"""Shading: levels and spreads are what the dials say."""

from __future__ import annotations

import numpy as np
import pytest

from generators.polygons import Window, coverage
from generators.texture import Shading, shade, smooth_noise

FLAT = {"texture": 0, "dome": 0, "nucleoli": 0, "brightness_variation": 0}


def disc_cover(radius=15, size=41):
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    ring = np.stack([np.sin(angle), np.cos(angle)], axis=1) * radius + size // 2
    return coverage(ring, Window(0, 0, size, size))


def shaded(seed=0, **dials):
    return shade(disc_cover(), Shading(**{**FLAT, **dials}), 30, np.random.default_rng(seed))


@pytest.mark.parametrize("sigma", [0.5, 2.0, 6.0])
def test_smooth_noise_has_unit_variance_everywhere(sigma):
    fields = np.stack([smooth_noise((40, 40), sigma, np.random.default_rng(k)) for k in range(300)])
    spread = fields.std(axis=0)
    assert spread.mean() == pytest.approx(1, abs=0.05)
    assert spread[[0, 0, -1, -1], [0, -1, 0, -1]].mean() == pytest.approx(1, abs=0.12)
    assert fields.mean() == pytest.approx(0, abs=0.05)


def test_smooth_noise_is_correlated_over_its_sigma():
    field = smooth_noise((400, 400), 4, np.random.default_rng(0))

    def correlation(lag):
        return np.mean(field[lag:] * field[:-lag]) / field.var()

    # A Gaussian of sigma s leaves a correlation of exp(-lag² / 4s²).
    assert correlation(4) == pytest.approx(np.exp(-1 / 4), abs=0.05)
    assert correlation(16) == pytest.approx(0, abs=0.1)


def test_flat_light_is_the_cover():
    assert shaded() == pytest.approx(disc_cover())


def test_the_mean_inside_is_the_level_whatever_the_texture():
    cover = disc_cover()
    light = shaded(texture=0.4, dome=0.8, nucleoli=3)
    assert light.sum() / cover.sum() == pytest.approx(1)


def test_brightness_spreads_as_asked():
    levels = [shaded(k, brightness_variation=0.4)[20, 20] for k in range(500)]
    assert np.std(np.log(levels)) == pytest.approx(0.4, rel=0.1)
    assert np.median(levels) == pytest.approx(1, rel=0.07)


def test_texture_spreads_as_asked():
    inside = disc_cover() == 1
    spread = [np.std(np.log(shaded(k, texture=0.2)[inside])) for k in range(60)]
    assert np.mean(spread) == pytest.approx(0.2, rel=0.15)


def test_a_dome_is_brightest_in_the_middle_and_a_hemisphere_at_one():
    light = shaded(dome=1.0)
    assert light.argmax() == 20 * 41 + 20
    # Height of a hemisphere over its mean, 2/3, at half the radius.
    assert light[20, 27] == pytest.approx(np.sqrt(1 - (7 / 15) ** 2) / (2 / 3), rel=0.05)


def test_nothing_covered_is_no_light():
    assert shade(np.zeros((5, 5)), Shading(), 20, np.random.default_rng(0)).sum() == 0


def test_nucleoli_darken():
    assert shaded(3, nucleoli=6).min() >= 0
    inside = disc_cover() == 1
    assert shaded(3, nucleoli=6)[inside].min() < 0.9
