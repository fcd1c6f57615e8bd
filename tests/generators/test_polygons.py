"""Rasterisation against brute force, analytic areas and a geometry of another make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Outline

from generators.outlines import Shape, random_outline
from generators.polygons import (
    Window,
    area,
    centroid,
    contains,
    coverage,
    distance,
    snapped,
    window_of,
)

SQUARE = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]])


def moved(outline, dy, dx):
    return outline + np.array([dy, dx])


def nucleus(seed, **dials):
    rng = np.random.default_rng(seed)
    return random_outline(Shape(**dials), rng) + rng.uniform(20, 30, 2)


@pytest.mark.parametrize("seed", range(20))
def test_centres_inside_agree_with_another_geometry(seed):
    outline = nucleus(seed, dents=0.6)
    window = window_of(outline, margin=2)
    y, x = np.mgrid[window.y : window.y + window.height, window.x : window.x + window.width]
    points = np.stack([y.ravel(), x.ravel()], axis=1)
    expected = Outline(outline).contains_points(points).reshape(y.shape)
    assert (contains(outline, window) == expected).all()


@pytest.mark.parametrize("seed", range(20))
def test_coverage_sums_to_the_area_and_balances_at_the_centroid(seed):
    outline = nucleus(seed)
    window = window_of(outline, margin=1)
    cover = coverage(outline, window, lines=32)
    y, x = np.mgrid[window.y : window.y + window.height, window.x : window.x + window.width]
    assert cover.sum() == pytest.approx(abs(area(outline)), rel=1e-4)
    middle = [(cover * y).sum() / cover.sum(), (cover * x).sum() / cover.sum()]
    assert middle == pytest.approx(centroid(outline), abs=2e-3)


def test_pixel_areas_are_near_polygon_areas_without_bias():
    outlines = [nucleus(seed) for seed in range(200)]
    ratio = [contains(o, window_of(o)).sum() / abs(area(o)) for o in outlines]
    assert np.mean(ratio) == pytest.approx(1, abs=0.002)
    assert np.std(ratio) < 0.01


def test_coverage_is_full_inside_and_nothing_outside():
    cover = coverage(SQUARE, Window(-2, -2, 9, 9))
    assert cover.sum() == 16
    assert (cover[3:6, 3:6] == 1).all()
    assert cover[2, 2] == 0.25
    assert cover[0].sum() == 0


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_shifting_by_whole_pixels_shifts_the_pixels(dy, dx):
    outline = nucleus(1)
    window = window_of(outline, margin=1)
    there = Window(window.y + dy, window.x + dx, window.height, window.width)
    assert (contains(outline, window) == contains(moved(outline, dy, dx), there)).all()


def test_orientation_does_not_matter():
    outline = nucleus(2)
    window = window_of(outline)
    assert (contains(outline, window) == contains(outline[::-1], window)).all()
    assert np.allclose(coverage(outline, window), coverage(outline[::-1], window))


def test_neighbours_with_a_common_edge_share_no_pixel_and_leave_none_out():
    left, right = SQUARE, moved(SQUARE, 0, 4)
    window = Window(-1, -1, 7, 11)
    both = contains(left, window).astype(int) + contains(right, window)
    assert both.max() == 1
    assert both.sum() == 32


def test_a_window_may_cut_the_polygon():
    whole = contains(SQUARE, Window(-1, -1, 7, 7))
    assert (contains(SQUARE, Window(1, 2, 2, 3)) == whole[2:4, 3:6]).all()
    assert (coverage(SQUARE, Window(1, 2, 2, 2)) == 1).all()


def test_a_window_off_the_array_is_empty():
    assert Window(-5, 3, 4, 4).clipped(10, 10) == Window(0, 3, 0, 4)
    assert contains(SQUARE, Window(0, 0, 0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("shift", "expected"),
    [((0, 7), 3.0), ((7, 8), 5.0), ((2, 2), 0.0), ((0, 0), 0.0), ((0, 4), 0.0)],
)
def test_distance_by_hand(shift, expected):
    assert distance(SQUARE, SQUARE + shift) == pytest.approx(expected)
    assert distance(SQUARE + shift, SQUARE) == pytest.approx(expected)


def test_one_inside_the_other_has_no_gap():
    assert distance(SQUARE * 10, SQUARE + 15) == 0


def test_crossing_bars_without_a_vertex_inside_have_no_gap():
    bar = np.array([[-1.0, -9.0], [-1.0, 9.0], [1.0, 9.0], [1.0, -9.0]])
    assert distance(bar, bar[:, ::-1]) == 0


@pytest.mark.parametrize("seed", range(10))
def test_distance_against_dense_points(seed):
    a, b = nucleus(seed), moved(nucleus(seed + 100), 0, 45)
    t = np.linspace(0, 1, 60)[:, None, None]

    def dense(outline):
        return (outline + t * (np.roll(outline, -1, 0) - outline)).reshape(-1, 2)

    apart = np.sqrt(((dense(a)[:, None] - dense(b)[None]) ** 2).sum(-1)).min()
    assert distance(a, b) == pytest.approx(apart, abs=0.01)


def test_snapped_moves_by_at_most_half_the_lattice():
    outline = nucleus(5)
    assert np.abs(snapped(outline) - outline).max() <= 1 / 128
    assert (snapped(outline) * 64 % 1 == 0).all()
