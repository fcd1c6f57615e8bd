from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from generators.masks.contours import AXES, collection, grey, labelled, regions, sheet
from generators.polygons import Window, area, contains


def smooth(seed, size=24, width=2.0):
    noise = np.random.default_rng(seed).normal(size=(size, size))
    field = ndimage.gaussian_filter(noise, width)
    return field / field.std()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-1.5, 1.5), st.sampled_from([0.0, 0.7, 2.0]))
def test_outlines_hold_the_pixels_of_their_labels_and_no_others(seed, level, width):
    plane = smooth(seed, width=width)
    labels = labelled(plane, level)
    found = regions(plane, level, labels)
    assert [region.label for region in found] == list(range(1, labels.max() + 1))
    window = Window(0, 0, *plane.shape)
    drawn = np.zeros(plane.shape, int)
    for region in found:
        inside = contains(region.outline, window)
        for hole in region.holes:
            inside &= ~contains(hole, window)
            assert area(hole) < 0
        assert area(region.outline) > 0
        assert region.area > 0
        drawn += inside * region.label
    np.testing.assert_array_equal(drawn, labels)


def test_a_disc_is_found_to_a_hundredth_of_a_pixel():
    y, x = np.indices((40, 40))
    plane = 9.3 - np.hypot(y - 19.2, x - 20.4)
    (disc,) = regions(plane, 0.0, labelled(plane, 0.0))
    radii = np.hypot(*(disc.outline - [19.2, 20.4]).T)
    assert np.abs(radii - 9.3).max() < 0.02
    assert not disc.cut
    assert disc.holes == ()


def test_a_ring_has_a_hole():
    y, x = np.indices((40, 40))
    plane = 3 - np.abs(np.hypot(y - 20, x - 20) - 10)
    (ring,) = regions(plane, 0.0, labelled(plane, 0.0))
    assert len(ring.holes) == 1
    assert ring.area == pytest.approx(np.pi * (13**2 - 7**2), rel=0.01)


def test_what_touches_by_a_corner_is_two():
    plane = np.full((4, 4), -1.0)
    plane[:2, :2] = plane[2:, 2:] = 1.0
    labels = labelled(plane, 0.0)
    assert labels.max() == 2
    first, second = regions(plane, 0.0, labels)
    assert first.cut
    assert second.cut
    assert first.area == second.area
    # At the border an object ends at the edge of its pixels, elsewhere halfway to the next centre.
    assert first.outline.min() == -0.5
    assert second.outline.max() == 3.5


def test_small_regions_are_left_out_and_numbers_close_up():
    plane = np.full((5, 9), -1.0)
    plane[2, 1] = plane[1:4, 3:6] = plane[2, 7] = 1.0
    assert labelled(plane, 0.0).max() == 3
    labels = labelled(plane, 0.0, smallest=2)
    assert np.unique(labels).tolist() == [0, 1]
    assert (labels == 1).sum() == 9
    (only,) = regions(plane, 0.0, labels)
    assert only.area == pytest.approx(9 - 0.5)  # corners are cut


def test_nothing_and_everything():
    nothing = np.full((6, 6), -1.0)
    assert regions(nothing, 0.0, labelled(nothing, 0.0)) == []
    everything = np.ones((6, 6))
    (all_,) = regions(everything, 0.0, labelled(everything, 0.0))
    assert all_.area == pytest.approx(36 - 0.5)
    assert all_.cut
    assert labelled(np.full((6, 6), np.nan), 0.0).max() == 0


def test_many_objects_need_32_bits():
    plane = np.zeros((400, 400))
    plane[::2, ::2] = 1
    assert labelled(plane, 0.5).dtype == np.uint16
    plane = np.zeros((600, 600))
    plane[::2, ::2] = 1
    labels = labelled(plane, 0.5)
    assert labels.dtype == np.uint32
    assert labels.max() == 90_000


def test_geojson_has_closed_rings_with_x_first():
    y, x = np.indices((20, 30))
    plane = 2 - np.abs(np.hypot(y - 8, x - 18) - 5)
    found = regions(plane, 0.0, labelled(plane, 0.0))
    made = json.loads(json.dumps(collection((region, {"seed": 3}) for region in found)))
    assert made["type"] == "FeatureCollection"
    assert made["axes"] == AXES
    (feature,) = made["features"]
    assert feature["properties"]["seed"] == 3
    assert feature["geometry"]["type"] == "Polygon"
    outer, hole = (np.array(ring) for ring in feature["geometry"]["coordinates"])
    for ring in (outer, hole):
        assert ring[0].tolist() == ring[-1].tolist()
    np.testing.assert_allclose(outer[:-1].mean(axis=0), [18, 8], atol=0.2)

    def signed(ring):
        return np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]) / 2

    assert signed(outer) > 0 > signed(hole)


def test_pictures_become_bytes():
    assert grey(np.full((3, 2, 2), 1, np.float32)).shape == (2, 2, 3)
    values = np.array([[[-2, -1, 0.5, np.nan]]], np.float32)
    assert grey(values).tolist() == [[0, 0, 191, 0]]


def test_a_sheet_keeps_its_order():
    tiles = [np.full((2, 3), k, np.uint8) for k in (10, 20, 30)]
    page = sheet(tiles, columns=2, gap=1)
    assert page.shape == (7, 9)
    assert page[1, 1] == 10
    assert page[1, 5] == 20
    assert page[4, 1] == 30
