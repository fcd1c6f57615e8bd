from __future__ import annotations

import numpy as np
import pytest

from generators.masks.evaluation import compared, objects_of


def discs(*radii, long=1.0):
    """A field of discs in a row, stretched along x, and one that the border cuts."""
    y, x = np.indices((40, 60 * len(radii)))
    parts = [r - np.hypot(y - 20, (x - 30 - 60 * k) / long) for k, r in enumerate(radii)]
    return np.max([*parts, 5 - np.hypot(y, x)], axis=0)


def test_objects_are_counted_and_whole_ones_measured():
    found = objects_of([discs(8, 9), discs(10), np.full((9, 9), -1.0)], 0.0)
    assert found["count"].tolist() == [3, 2, 0]
    areas = np.sort(found["area"])  # objects stand in reading order
    np.testing.assert_allclose(areas, np.pi * np.array([64, 81, 100]), rtol=0.01)
    long = objects_of([discs(8, long=2)], 0.0)
    np.testing.assert_allclose(long["eccentricity"], np.sqrt(0.75), rtol=0.01)


def test_distances_are_nought_for_the_same_and_one_for_none_shared():
    small, large = objects_of([discs(6, 7)], 0.0), objects_of([discs(14, 15)], 0.0)
    same = compared(small, small)
    assert same["ks_area"] == same["ks_count"] == same["ks_eccentricity"] == 0
    other = compared(small, large)
    assert other["ks_area"] == 1
    assert other["objects_made"] == other["objects_real"] == 3


def test_nothing_has_no_distance():
    nothing = objects_of([np.full((9, 9), -1.0)], 0.0)
    found = compared(nothing, objects_of([discs(6)], 0.0))
    assert np.isnan(found["ks_area"])
    assert found["objects_made"] == 0
    assert found["ks_count"] == pytest.approx(1)
