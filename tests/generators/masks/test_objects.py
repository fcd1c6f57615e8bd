from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import DatasetError
from generators.masks.objects import ObjectOptions, outlines_in
from generators.shapes.geometry import moments, stacked


def discs(*radii, size=400, border=None):
    """A label image of discs in a row, and one that the border cuts."""
    labels = np.zeros((120, size), np.uint16)
    y, x = np.indices(labels.shape)
    at = 0
    for k, radius in enumerate(radii, start=1):
        at += radius + 3
        labels[np.hypot(y - 60, x - at) <= radius] = k
        at += radius
    if border:
        labels[np.hypot(y, x - border) <= 15] = 99
    return labels


def test_objects_are_measured_by_the_median_of_their_image():
    small, large = discs(10, 10, 10, 10, 12), discs(20, 20, 20, 20, 24)
    outlines, dropped = outlines_in([small, large], ObjectOptions())
    sizes = moments(stacked(outlines)).diameter
    np.testing.assert_allclose(sizes, [1, 1, 1, 1, 1.2] * 2, atol=0.03)
    assert dropped == {"border": 0, "small": 0, "few": 0, "fragments": 0}


def test_or_by_the_median_of_all():
    small, large = discs(10, 10, 10, 10, 10), discs(20, 20, 20, 20, 20, 20, 20)
    outlines, _ = outlines_in([small, large], ObjectOptions(scale="dataset"))
    sizes = moments(stacked(outlines)).diameter
    np.testing.assert_allclose(sizes, [0.5] * 5 + [1] * 7, atol=0.03)


def test_what_is_dropped_is_counted():
    labels = discs(20, 20, 20, 20, 20, 9, 6, border=350)
    outlines, dropped = outlines_in([labels, discs(20, 20)], ObjectOptions(fragment=0.5))
    assert len(outlines) == 5
    assert dropped == {"border": 1, "small": 1, "few": 2, "fragments": 1}


def test_objects_at_the_border_are_kept_on_demand():
    labels = discs(20, 20, 20, 20, 20, border=350)
    outlines, dropped = outlines_in([labels], ObjectOptions(border="keep"))
    assert len(outlines) == 6
    assert dropped["border"] == 0
    about = moments(stacked(outlines))
    assert about.elongation.max() > 1.5  # half a disc


def test_axes_are_aligned_on_demand():
    labels = np.zeros((160, 100), int)
    y, x = np.indices(labels.shape)
    for k in range(5):
        labels[((y - 20 - 30 * k) / 9) ** 2 + ((x - 50) / 25) ** 2 <= 1] = k + 1
    labels = labels.T
    kept = moments(stacked(outlines_in([labels], ObjectOptions())[0]))
    options = ObjectOptions(rotation="align")
    aligned = moments(stacked(outlines_in([labels], options)[0]))
    assert np.abs(kept.angle).min() > 1.3
    np.testing.assert_allclose(aligned.angle, 0, atol=1e-6)
    np.testing.assert_allclose(aligned.diameter, kept.diameter)
    np.testing.assert_allclose(aligned.centroid, 0, atol=1e-9)


def test_no_object_is_an_error_that_says_why():
    with pytest.raises(DatasetError, match="3 small"):
        outlines_in([discs(5, 5, 5)], ObjectOptions())
    with pytest.raises(DatasetError, match="no object"):
        outlines_in([], ObjectOptions())
