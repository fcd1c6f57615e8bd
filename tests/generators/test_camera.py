"""The camera: variance against gain, exact Poisson counts, saturation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from generators.camera import Camera, expose, hot, poisson

FIELD = np.ones((300, 300))


def shot(electrons, gain, seed=0, **dials):
    image, expected = expose(FIELD * electrons, Camera(**dials), gain, np.random.default_rng(seed))
    return image.astype(float), expected


@pytest.mark.parametrize("mean", [0.2, 3, 11.9, 12.1, 30, 200, 5000])
def test_counts_are_the_poisson_quantiles_of_their_normal_variates(mean):
    normal = np.random.default_rng(1).standard_normal(40_000)
    exact = stats.poisson.ppf(stats.norm.cdf(normal), mean)
    counts = poisson(np.full(normal.shape, float(mean)), normal)
    assert np.mean(counts != exact) < 1e-3
    assert np.abs(counts - exact).max() <= 1


def test_counts_grow_with_the_light():
    normal = np.random.default_rng(2).standard_normal(2000)
    levels = [poisson(np.full(2000, m), normal) for m in (0.5, 5.0, 11.99, 12.01, 40.0)]
    assert all((a <= b).all() for a, b in pairwise(levels))


def test_no_light_is_no_count():
    assert (poisson(np.zeros(5), np.linspace(-4, 4, 5)) == 0).all()


@pytest.mark.parametrize("gain", [0.5, 2.0, 7.0])
@pytest.mark.parametrize("read_noise", [0.0, 5.0])
def test_variance_is_gain_squared_times_electrons_and_read_noise(gain, read_noise):
    image, expected = shot(200, gain, bit_depth=16, read_noise=read_noise)
    assert expected[0, 0] == 100 + gain * 200
    assert image.mean() == pytest.approx(100 + gain * 200, rel=2e-3)
    # Rounding to whole grey levels adds 1/12, unless the steps of the counts are whole already.
    rounding = 1 / 12 if read_noise else 0
    variance = gain**2 * (200 + read_noise**2) + rounding
    assert image.var() == pytest.approx(variance, rel=0.02)


def test_slope_of_variance_against_mean_is_the_gain():
    means, variances = [], []
    for electrons in (20, 60, 150, 400, 900):
        image, _ = shot(electrons, 3.0, bit_depth=16, read_noise=2)
        means.append(image.mean())
        variances.append(image.var())
    slope, intercept = np.polyfit(np.array(means) - 100, variances, 1)
    assert slope == pytest.approx(3.0, rel=0.02)
    assert intercept == pytest.approx(9 * 4, abs=40)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_too_much_light_saturates(bits):
    image, _ = shot(1e6, 1.0, bit_depth=bits, offset=10)
    assert (image == 2**bits - 1).all()


def test_darkness_is_the_offset_and_never_negative():
    image, _ = shot(0, 1.0, read_noise=0, offset=7)
    assert (image == 7).all()
    dark, _ = shot(0, 1.0, read_noise=3, offset=0)
    assert dark.min() == 0


def test_fill_sets_the_gain():
    camera = Camera(fill=0.25, offset=95, bit_depth=12)
    assert camera.gain_for(500.0) == pytest.approx(0.25 * 4000 / 500)
    assert Camera(gain=1.5).gain_for(500.0) == 1.5


def test_pixels_are_independent():
    image, _ = shot(100, 1.0)
    residual = image - image.mean()
    assert np.mean(residual[1:] * residual[:-1]) / image.var() == pytest.approx(0, abs=0.02)


def test_hot_pixels_are_as_many_and_as_hot_as_asked_and_common_to_levels():
    few, many = (
        hot((400, 400), Camera(hot_pixels=n, hot_level=200), np.random.default_rng(0))
        for n in (1000, 5000)
    )
    assert (many > 0).sum() == pytest.approx(0.005 * 400 * 400, rel=0.1)
    assert many[many > 0].mean() == pytest.approx(200, rel=0.1)
    assert (many[few > 0] == few[few > 0]).all()
    assert not hot((50, 50), Camera(), np.random.default_rng(0)).any()


def test_a_leak_is_noise_of_its_own_and_no_picture():
    leak = np.where(FIELD.cumsum() % 10 == 0, 500.0, 0.0).reshape(FIELD.shape)
    camera = Camera(read_noise=0, bit_depth=16)
    image, expected = expose(FIELD * 50, camera, 1.0, np.random.default_rng(0), leak)
    assert (expected == 150).all()
    assert image[leak > 0].mean() == pytest.approx(650, rel=0.01)
    assert image[leak > 0].var() == pytest.approx(550, rel=0.1)
