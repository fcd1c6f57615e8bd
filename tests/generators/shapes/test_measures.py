"""Measures of outlines, by hand and against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import measure

from generators.polygons import Window, contains
from generators.shapes.geometry import moments, stacked
from generators.shapes.measures import (
    FRAME,
    SCALE,
    bending,
    curvature,
    is_whole,
    measured,
    pixel_solidity,
    solidity,
)


def test_curvature_of_an_ellipse(ellipse):
    outline = stacked([ellipse(3, 2, 40_000)], 500)
    bent = curvature(outline)[0]
    assert bent[0] == pytest.approx(3 / 4, rel=1e-2)
    assert bent.min() == pytest.approx(2 / 9, rel=1e-2)


def test_bending_has_no_scale_and_is_least_for_a_disc(ellipse, nuclei):
    assert bending(stacked([ellipse(7, 7)])) == pytest.approx([1], rel=1e-3)
    assert bending(nuclei * 3) == pytest.approx(bending(nuclei))
    assert (bending(nuclei) > 1).all()


def test_the_inside_of_a_dent_is_curved_the_other_way():
    angle = np.arange(256) * (2 * np.pi / 256)
    radius = 1 - 0.4 * np.exp(-(((angle - np.pi) / 0.3) ** 2))
    dented = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    assert curvature(stacked([dented]))[0].min() < -1
    assert solidity(dented) < 0.98


def test_solidity_of_a_cross():
    corners = "10 11 01 02 12 13 23 22 32 31 21 20"
    cross = np.array([[float(c) for c in corner] for corner in corners.split()])
    assert solidity(cross) == pytest.approx(5 / 7)
    pixels = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    assert pixel_solidity(pixels) == pytest.approx(5 / 7)
    assert np.isnan(pixel_solidity(np.zeros((3, 3), bool)))


def test_solidity_is_near_that_of_scikit_image(nuclei):
    # Theirs is the hull of the middles of the pixels' sides, less and less smaller the finer.
    for outline in nuclei[:20] * 150:
        mask = contains(outline, Window(-250, -250, 500, 500))
        theirs = measure.regionprops(mask.astype(int))[0].solidity
        assert pixel_solidity(mask) == pytest.approx(theirs, abs=0.012)


@pytest.mark.parametrize(
    ("rows", "whole"),
    [
        (["....", ".##.", ".##.", "...."], True),
        (["....", ".#..", "..#.", "...."], False),  # joined by a corner only
        (["#...", "##..", "....", "...."], False),  # at the border
        (["......", ".####.", ".#..#.", ".####.", "......"], False),  # a hole
        ([".....", ".###.", ".#.#.", ".##..", "....."], True),  # a bay, open by a corner
        (["....", "....", "....", "...."], False),
    ],
)
def test_what_is_whole(rows, whole):
    assert is_whole(np.array([[cell == "#" for cell in row] for row in rows])) is whole


def test_measures_are_taken_at_one_scale(ellipse):
    outline = ellipse(0.6, 0.4)[None] + [30.0, -2.0]
    found = measured(outline)
    assert found.area == pytest.approx(np.pi * 0.24 * SCALE**2, rel=1e-3)
    assert found.eccentricity == pytest.approx(np.sqrt(5) / 3, rel=1e-3)
    assert found.valid.all()
    assert 0.9 < found.solidity[0] < 1
    assert found.smooth_solidity[0] > 0.99


def test_a_shape_that_leaves_the_frame_is_not_valid(ellipse):
    half = FRAME / SCALE / 2
    fits, leaves = (measured(ellipse(r, 0.3)[None]).valid[0] for r in (half - 0.02, half + 0.06))
    assert fits
    assert not leaves


def test_stairs_do_not_reach_the_low_passed_solidity(nuclei):
    found = measured(nuclei)
    again = measured(stacked([np.round(o * SCALE * 2) / SCALE / 2 for o in nuclei]))
    exact = np.array([solidity(outline) for outline in nuclei])
    assert np.abs(found.smooth_solidity - exact).mean() < 0.01
    assert np.abs(again.smooth_solidity - found.smooth_solidity).mean() < 0.005
    assert moments(nuclei).area * SCALE**2 == pytest.approx(found.area)
