from __future__ import annotations

import numpy as np
import pytest

from benchmark.audit.contours import MIN_AREA, contours, smoothed


@pytest.mark.parametrize("radius", [6.0, 13.0, 40.0])
def test_the_contour_of_a_disc_is_its_circle_on_average(radius):
    y, x = np.indices((100, 100)) - 49.3
    mask = np.hypot(y, x) < radius
    [found] = contours(mask)
    assert found.label == 1
    far = np.hypot(*(found.points - 49.3).T)
    assert far.mean() == pytest.approx(np.sqrt(mask.sum() / np.pi), abs=0.05)
    assert far.std() < 0.2  # of stairs: .29
    assert found.length == pytest.approx(2 * np.pi * radius, rel=0.01)


def test_normals_have_length_one_and_point_outwards():
    labels = np.zeros((60, 60), np.uint16)
    labels[10:50, 20:35] = 3
    [found] = contours(labels)
    assert found.label == 3
    np.testing.assert_allclose(np.hypot(*found.normals.T), 1)
    out = np.rint(found.points + 3 * found.normals).astype(int)
    into = np.rint(found.points - 3 * found.normals).astype(int)
    assert (labels[tuple(out.T)] == 0).all()
    assert (labels[tuple(into.T)] == 3).all()


def test_small_objects_are_left_out_and_labels_may_have_gaps():
    labels = np.zeros((40, 40), np.int64)
    labels[2:12, 2:12] = 10**12
    labels[20:25, 20:25] = 5
    assert MIN_AREA > 25
    assert [found.label for found in contours(labels)] == [10**12]


def test_an_object_at_the_border_is_placed_where_it_is():
    labels = np.zeros((30, 30), np.uint16)
    labels[:10, 5:25] = 1
    [found] = contours(labels)
    assert found.points[:, 0].min() == pytest.approx(-0.5, abs=0.3)
    assert found.points[:, 0].max() == pytest.approx(9.5, abs=0.3)


def test_smoothing_leaves_waves_that_are_long_and_takes_stairs():
    angle = np.arange(600) * (2 * np.pi / 600)
    radius = 20 + np.cos(3 * angle) + 0.3 * np.cos(60 * angle)
    curve = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    smooth = smoothed(curve, 2.0)
    around = np.arctan2(*smooth.T)
    left = np.hypot(*smooth.T) - 20 - np.cos(3 * around)
    assert np.abs(left).max() < 0.06
