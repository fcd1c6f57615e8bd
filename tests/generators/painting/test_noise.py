from __future__ import annotations

import numpy as np
import pytest

from generators.painting.noise import Noise


@pytest.mark.parametrize(("gain", "black"), [(0.3, 100.0), (2.0, 40.0)])
def test_gain_and_black_level_are_found_with_objects_in_the_image(draw, gain, black):
    rng = np.random.default_rng(0)
    labels = draw((200, 200), [(50, 50), (50, 140), (140, 60), (140, 140)], [22, 26, 20, 24])
    light = gain * rng.poisson(np.array([60, 900, 1400, 2000, 2600])[labels])
    found = Noise.fit([black + light])
    assert found.gain == pytest.approx(gain, rel=0.1)
    assert found.black == pytest.approx(black, abs=30 * gain)


def test_even_images_have_a_constant_variance():
    found = Noise.fit([np.random.default_rng(0).normal(100, 3, (60, 60))])
    assert found.variance(np.array([90.0, 300.0])) == pytest.approx(9, rel=0.3)


def test_variance_never_falls_below_the_floor():
    noise = Noise(gain=0.5, black=100, floor=4)
    assert noise.variance(np.array([0.0, 102.0, 200.0])).tolist() == [4, 4, 50]


def test_pixels_of_unequal_gain_make_noise_that_grows_with_the_square_of_the_light():
    rng = np.random.default_rng(0)
    light = np.linspace(20, 2000, 600) * np.ones((600, 1))
    image = 100 + 0.5 * rng.poisson(light / 0.5) * rng.normal(1, 0.02, light.shape)
    found = Noise.fit([image])
    assert found.uneven == pytest.approx(0.02, rel=0.2)
    assert found.variance(np.array([1100.0])) == pytest.approx(500 + 20**2, rel=0.1)
