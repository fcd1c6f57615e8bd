"""Fitted Gaussians: the numbers that spots were drawn with come back."""

from __future__ import annotations

import numpy as np
import pytest

from generators.spots import SpotList, draw
from generators.spottexture.fitting import fit, further, gaussian


def test_what_was_drawn_is_found_from_points_that_are_a_pixel_off(made):
    image, spots = made
    rng = np.random.default_rng(1)
    found = fit(image.astype(float), spots.positions + rng.uniform(-1, 1, spots.positions.shape))
    assert len(found.light) == len(spots.photons)
    assert np.abs(found.positions - spots.positions).max() < 0.1
    assert found.light == pytest.approx(spots.photons, rel=0.1)
    assert np.median(found.sigmas) == pytest.approx(1.3, rel=0.02)
    assert np.hypot(*found.stretch.T).max() < 0.15
    assert found.clean.all()


def test_the_light_of_a_neighbour_is_told_apart():
    close = SpotList(np.array([[20.0, 20.0], [20.4, 25.5]]), np.array([9e3, 6e3]), np.full(2, 1.3))
    found = fit(draw(close, (40, 40)), close.positions)
    assert found.positions == pytest.approx(close.positions, abs=0.05)
    assert found.light == pytest.approx(close.photons, rel=0.03)


def test_stretch_is_that_of_the_covariance():
    image = 5e3 * gaussian((31, 31), np.array([15.2, 14.9]), 1.6, np.array([0.3, -0.2]))
    found = fit(image, np.array([[15.0, 15.0]]))
    assert found.stretch[0] == pytest.approx([0.3, -0.2], abs=1e-3)
    y, x = np.indices(image.shape) - np.array([15.2, 14.9])[:, None, None]
    share = image / image.sum()
    assert (y * y * share).sum() > (x * x * share).sum()
    assert (y * x * share).sum() < 0


def test_points_without_a_spot_are_left_out():
    image = np.random.default_rng(0).normal(100, 1, (40, 40))
    image += draw(SpotList(np.array([[20.0, 20.0]]), np.array([5e3]), np.array([1.3])), (40, 40))
    found = fit(image, np.array([[20.0, 20.0], [2.0, 2.0], [38.0, 20.0]]))
    assert len(found.light) == 1


def test_spots_that_nobody_marked_are_found(made):
    image, spots = made
    known = fit(image.astype(float), spots.positions[::2])
    more = further(image.astype(float), known)
    nearest = np.hypot(*(more[:, None] - spots.positions[None, 1::2]).T).T.min(axis=1)
    assert len(more) >= 9
    assert nearest.max() < 1.5
