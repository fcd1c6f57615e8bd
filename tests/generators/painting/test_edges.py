"""Edges at half height: where they were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from generators.painting.conditioning import Geometry
from generators.painting.edges import displacement, edges, retreat


@pytest.mark.parametrize("inside", [-0.6, 0.0, 0.4, 1.0])
def test_edges_are_found_where_they_were_drawn(draw, photograph, inside):
    labels = draw((80, 80), [(40, 40)], [18])
    found = edges(photograph(labels, inside), Geometry.of(labels))
    assert len(found.shifts) > 80
    assert np.median(found.shifts) == pytest.approx(-inside, abs=0.08)


def test_brightness_and_offset_do_not_matter(draw, photograph):
    labels = draw((80, 80), [(40, 40)], [18])
    geometry, image = Geometry.of(labels), photograph(labels, 0.3)
    assert edges(3 * image, geometry).shifts == pytest.approx(edges(image, geometry).shifts)


def test_only_outlines_towards_the_ground_are_looked_at(draw, photograph):
    labels = draw((80, 100), [(40, 35), (40, 60)], [14, 14])
    places = edges(photograph(labels), Geometry.of(labels)).places
    assert len(places) > 50
    assert not ((np.abs(places[:, 1] - 47.5) < 3) & (np.abs(places[:, 0] - 40) < 4)).any()


def test_an_even_picture_has_no_edges(draw):
    labels = draw((80, 80), [(40, 40)], [18])
    assert edges(np.full((80, 80), 300.0), Geometry.of(labels)).shifts.size == 0
    assert edges(np.full((80, 80), 300.0), Geometry.of(labels * 0)).shifts.size == 0


def test_displacement_moves_outlines_onto_the_edges(draw, photograph):
    """One object was drawn too large, the other too small."""
    labels = draw((80, 160), [(40, 40), (40, 120)], [18, 18])
    image = photograph(labels)
    image[:, :80] = photograph(labels, 0.8)[:, :80]
    image[:, 80:] = photograph(labels, -0.4)[:, 80:]
    geometry = Geometry.of(labels)
    field = displacement(edges(image, geometry), labels.shape)
    assert field[40, 22] == pytest.approx(0.8, abs=0.15)
    assert field[40, 138] == pytest.approx(-0.4, abs=0.15)
    moved = Geometry(labels, (geometry.signed - field).astype(np.float32), geometry.between)
    assert np.abs(np.median(edges(image, moved).shifts)) < 0.1


@pytest.mark.parametrize("gap", [-0.6, 0.0, 0.4, 1.0])
def test_how_far_lights_end_before_a_border_is_found(gap):
    """Two lights that end `gap` px before a border, or beyond it, seen through a lens."""
    labels = np.zeros((60, 80), np.uint8)
    labels[10:50, 10:40], labels[10:50, 40:70] = 1, 2
    x = (np.arange(800) + 0.5) / 10
    light = 1.0 * ((x > 10) & (x < 40 - gap)) + 0.7 * ((x > 40 + gap) & (x < 70))
    row = ndimage.gaussian_filter1d(light, 15).reshape(80, 10).mean(axis=1)
    image = 100 + 400 * row * ndimage.gaussian_filter1d(1.0 * (labels[:, 20] > 0), 1.5)[:, None]
    found = retreat(image, Geometry.of(labels), 100)
    assert np.median(found[20:40, 39:41]) == pytest.approx(gap, abs=0.12)


def test_where_nothing_touches_nothing_ends_before_a_border(draw, photograph):
    labels = draw((80, 100), [(40, 25), (40, 75)], [14, 14])
    assert (retreat(photograph(labels), Geometry.of(labels), 150) == 0).all()
