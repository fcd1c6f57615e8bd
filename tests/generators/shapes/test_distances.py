"""Signed distances: by hand, and against distances that know no polygons."""

from __future__ import annotations

import numpy as np
import pytest

from generators.shapes.distances import signed_distances
from generators.shapes.geometry import stacked


def test_a_disc_is_its_radius_less_the_distance_to_the_middle(ellipse):
    at = np.arange(24) - 11.5
    wanted = 7.5 - np.hypot(at[:, None], at)
    assert signed_distances(ellipse(7.5, 7.5, 2048)[None], 24)[0] == pytest.approx(wanted, abs=1e-4)


def test_a_square_by_hand():
    square = np.array([[-2.0, -2.0], [-2.0, 2.0], [2.0, 2.0], [2.0, -2.0]])
    found = signed_distances(stacked([square], 64), 9)[0]
    assert found[4] == pytest.approx([-2, -1, 0, 1, 2, 1, 0, -1, -2])
    assert found[0, 0] == pytest.approx(-np.sqrt(8))
    assert found == pytest.approx(found.T)


def test_dents_are_outside(nuclei):
    outlines = nuclei[:40] * 16
    found = signed_distances(outlines, 24)
    # The slope of a distance is 1 nearly everywhere, and its zero encloses what the outline does.
    slope = np.hypot(*np.gradient(found, axis=(1, 2)))
    assert np.median(slope) == pytest.approx(1, abs=0.02)
    inside = np.clip(found + 0.5, 0, 1).sum(axis=(1, 2))
    shoelace = [
        np.sum(o[:, 1] * np.roll(o[:, 0], -1) - np.roll(o[:, 1], -1) * o[:, 0]) / 2
        for o in outlines
    ]
    assert inside == pytest.approx(shoelace, rel=0.03)


def test_none_are_none():
    assert signed_distances(np.empty((0, 256, 2)), 8).shape == (0, 8, 8)
