"""Widths: those of Gaussians, and hardly those of faint wide light."""

from __future__ import annotations

import numpy as np
import pytest

from generators.spottexture import lattice
from generators.spottexture.lattice import NARROW, SIDE, balanced, places, widths


@pytest.mark.parametrize("width", [0.8, 1.0, 1.5])
def test_a_gaussian_has_its_own_width_wherever_it_lies(width):
    y, x = places()[:, None] - 0.2, places()[None, :] + 0.3
    spot = np.exp(-(y * y + x * x) / (2 * (width**2 - NARROW**2)))
    assert widths(spot[None])[0] == pytest.approx(width, rel=0.01)


def test_faint_wide_light_matters_little():
    squared = places() ** 2 + places()[:, None] ** 2
    spot = np.exp(-squared / 1.5)
    far = spot + 0.005
    plain = np.sqrt((far * squared).sum() / far.sum() / 2)
    assert plain > 1.2
    assert widths(far[None])[0] < 1.05 * widths(spot[None])[0]
    assert spot.shape == (SIDE, SIDE)


def test_a_lopsided_halo_does_not_move_the_centroid_from_the_core():
    y, x = places()[:, None], places()[None, :]
    core = np.exp(-((y - 0.3) ** 2 + (x + 0.2) ** 2) / 1.5)
    spot = (core + 0.02 * np.exp(-((y - 2) ** 2 + x**2) / 8))[None]

    def apart(weights):
        light = weights.sum()
        centroid = [(weights.sum(axis=axis) @ places()) / light for axis in (2, 1)]
        return np.abs(np.ravel(centroid) - lattice._middles(weights)[0]).max()

    assert apart(spot) > 0.1
    assert apart(balanced(spot)) < 0.005
