"""The rough segmentation: right where it is easy, calm where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from generators.like.segmenting import noise_in, roughly


def discs(*centres, radius=10, height=200.0, blur=1.0, noise=4.0, size=96):
    y, x = np.mgrid[:size, :size]
    image = np.zeros((size, size))
    for cy, cx in centres:
        image = np.maximum(image, height * ((y - cy) ** 2 + (x - cx) ** 2 <= radius**2))
    image = ndimage.gaussian_filter(image, blur)
    return 100 + image + np.random.default_rng(0).normal(0, noise, image.shape)


def test_discs_have_their_number_size_and_ground():
    found = roughly(discs((24, 24), (24, 72), (70, 48)))
    assert found.labels.max() == 3
    areas = np.bincount(found.labels.ravel())[1:]
    assert areas == pytest.approx(np.full(3, np.pi * 100), rel=0.06)
    assert found.ground == pytest.approx(100, abs=1)
    assert found.noise == pytest.approx(4, rel=0.1)


def test_two_that_touch_are_two():
    assert roughly(discs((48, 38), (48, 57))).labels.max() == 2


def test_objects_of_unlike_brightness_all_end_at_their_half():
    image = discs((48, 24)) + 0.25 * (discs((48, 72), noise=0) - 100)
    areas = np.bincount(roughly(image).labels.ravel())[1:]
    assert areas == pytest.approx(np.full(2, np.pi * 100), rel=0.12)


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_an_empty_image_has_nothing(noise):
    image = discs(noise=noise)
    assert roughly(image).labels.max() <= 1
    assert (roughly(image).labels > 0).mean() < 0.01


def test_noise_is_blind_to_edges_and_planes():
    y, x = np.mgrid[:200, :200]
    image = 3.0 * y + x + 300.0 * (x > 100)
    noisy = image + np.random.default_rng(1).normal(0, 5, image.shape)
    assert noise_in(noisy, np.ones(image.shape, bool)) == pytest.approx(5, rel=0.03)
    assert np.isnan(noise_in(noisy, np.zeros(image.shape, bool)))
