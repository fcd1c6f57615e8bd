"""Maps of a scene: distances that are continuous, outlines that move by parts of a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.painting.conditioning import BASE, CHANNELS, Geometry, maps

CODES = np.array([[0, 0, 0], [0.2, 1.0, -1.0], [0.4, 0.5, 0.5]])


def test_distance_to_a_straight_outline_is_exact():
    labels = np.zeros((24, 24), np.uint8)
    labels[:, 10:] = 1
    signed = Geometry.of(labels).signed
    assert signed[12, 4:18] == pytest.approx(np.arange(4, 18) - 9.5, abs=0.01)


@given(st.floats(8, 12), st.floats(0, 1), st.floats(0, 1))
def test_distance_follows_a_disc_by_parts_of_a_pixel(radius, dy, dx):
    away = np.hypot(*(np.indices((32, 32)) - np.array([15 + dy, 15 + dx])[:, None, None]))
    signed = Geometry.of((away < radius).astype(np.uint8)).signed
    near = np.abs(away - radius) < 1.5
    assert np.abs(np.median(signed[near] - (radius - away)[near])) < 0.4


def test_objects_that_touch_have_no_ground_between_them(draw):
    labels = draw((40, 60), [(20, 20), (20, 38)], [11, 11])
    geometry = Geometry.of(labels)
    border = geometry.between == 0
    assert border.any()
    assert (labels[border] > 0).all()
    assert geometry.between[20, 20] == pytest.approx(8, abs=1.5)


def test_a_scene_without_objects_has_maps():
    seen = maps(np.zeros((16, 24), np.uint8), np.zeros((1, 3)), np.full((16, 24), -0.5))
    assert seen.shape == (CHANNELS, 16, 24)
    assert seen[BASE] == pytest.approx(-0.5, abs=1e-6)
    assert (seen[1:-1][[0, 2, 3, 4, 5, 6]] == 0).all()


def test_inset_moves_outlines_inwards(draw):
    labels = draw((40, 40), [(20, 20)], [12])
    ground = np.full((40, 40), -0.5)
    drawn, moved = (maps(labels, CODES[:2], ground, inset=by)[BASE, 20] for by in (0.0, 0.5))
    shifted = np.interp(np.arange(20) + 0.5, np.arange(40), drawn[::1])
    assert moved[5:12] == pytest.approx(
        np.interp(np.arange(5, 12) - 0.5, np.arange(40), drawn), abs=0.02
    )
    assert shifted.size == 20


def test_codes_belong_to_their_objects(draw):
    labels = draw((40, 60), [(20, 15), (20, 45)], [8, 8])
    seen = maps(labels, CODES, np.full((40, 60), -0.5))
    assert seen[5:8, 20, 15] == pytest.approx(CODES[1])
    assert seen[5:8, 20, 45] == pytest.approx(CODES[2])
    assert (seen[5:8, 20, 30] == 0).all()
    assert seen[BASE, 20, 15] == pytest.approx(0.2, abs=0.01)
    assert seen[BASE, 20, 45] == pytest.approx(0.4, abs=0.01)


def test_numbers_of_objects_do_not_matter(draw):
    labels = draw((40, 60), [(20, 15), (20, 45)], [8, 8])
    swapped = np.array([0, 2, 1], np.uint16)[labels]
    ground = np.full((40, 60), -0.5)
    assert (maps(labels, CODES, ground) == maps(swapped, CODES[[0, 2, 1]], ground)).all()


def test_deep_inside_is_the_same_everywhere(draw):
    """Else the network paints its light along the ridge of the distances."""
    labels = draw((64, 64), [(32, 32)], [24])
    seen = maps(labels, CODES[:2], np.full((64, 64), -0.5))
    inside = Geometry.of(labels).signed > 10
    assert np.ptp(seen[:, inside], axis=1).max() < 1e-3
