from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from benchmark.errors import BenchError
from generators.masks.fields import LINE, FieldOptions, crops, field_map, pictures_of


def brute(labels, reach):
    """The map at scale 1, from its definition: distances to pixel edges, two nearest objects."""
    ids = [k for k in np.unique(labels) if k]
    distances = []
    for k in ids:
        inside = ndimage.distance_transform_edt(labels == k)
        outside = ndimage.distance_transform_edt(labels != k)
        distances.append(np.where(labels == k, 0.5 - inside, outside - 0.5))
    far = np.full(labels.shape, 1e6)
    first, second = np.sort([*distances, far, far], axis=0)[:2]
    return np.minimum(-first, (second - first - LINE) / 2).clip(-reach, reach)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 6))
def test_the_map_is_its_definition(seed, reach):
    rng = np.random.default_rng(seed)
    seeds = np.zeros((24, 30), int)
    seeds[rng.integers(24, size=8), rng.integers(30, size=8)] = rng.permutation(8) + 3
    near, at = ndimage.distance_transform_edt(seeds == 0, return_indices=True)
    labels = np.where(near < 5, seeds[tuple(at)], 0)
    np.testing.assert_allclose(field_map(labels, 1.0, reach), brute(labels, reach), atol=1e-9)


def test_a_disc_has_its_distances_at_another_scale():
    y, x = np.indices((80, 80)) - 39.5
    labels = (np.hypot(y, x) < 24).astype(int)
    small = field_map(labels, 0.25, 10.0)
    v, u = np.indices((20, 20)) - 9.5
    expected = 6 - np.hypot(v, u)
    assert np.abs(small - expected).max() < 0.2


@pytest.mark.parametrize("factor", [1.0, 0.43, 0.7])
def test_touching_objects_stay_two(factor):
    labels = np.zeros((60, 80), int)
    labels[10:50, 10:40], labels[10:50, 40:70] = 4, 9
    inside = field_map(labels, factor, 3.0) > 0
    assert ndimage.label(inside)[1] == 2
    merged = field_map(labels > 0, factor, 3.0) > 0
    line = (merged & ~inside).sum(axis=1)[merged.any(axis=1)]
    assert (line <= 2).all()


def test_objects_apart_are_as_they_were():
    labels = np.zeros((30, 40), int)
    labels[5:20, 5:15], labels[5:20, 18:30] = 1, 2
    np.testing.assert_array_equal(field_map(labels, 1.0, 3.0) > 0, labels > 0)


def test_objects_go_on_beyond_the_border():
    labels = np.ones((20, 20), int)
    assert (field_map(labels, 1.0, 3.0) == 3).all()
    assert (field_map(0 * labels, 1.0, 3.0) == -3).all()


@given(st.integers(8, 60), st.integers(8, 60))
def test_crops_cover_all(height, width):
    plane = np.arange(height * width).reshape(height, width).astype(float)
    seen = np.unique(np.concatenate([crop.ravel() for crop in crops(plane, 8)]))
    assert len(seen) == plane.size


def test_what_is_too_small_has_no_crop():
    assert crops(np.zeros((7, 100)), 8) == []


@pytest.fixture
def squares():
    """Two images of 6 squares of 20 px each, and an empty one."""
    labels = np.zeros((100, 140), np.uint16)
    for k in range(6):
        y, x = divmod(k, 3)
        labels[10 + 45 * y : 30 + 45 * y, 10 + 45 * x : 30 + 45 * x] = k + 1
    return [labels, labels[::-1].copy(), 0 * labels]


def test_pictures_are_brought_to_the_diameter_asked_for(squares):
    made = pictures_of(squares, 32, FieldOptions(pixel_diameter=10))
    assert made.diameter == 10
    assert made.images.dtype == np.float32
    assert np.abs(made.images).max() <= 1
    assert made.summary["diameter"]["p50"] == pytest.approx(10, rel=0.02)
    assert made.dropped["few"] > 0  # the crops of the empty image
    assert made.dropped["small"] == 0


def test_whole_images_are_made_smaller(squares):
    made = pictures_of(squares, 50, FieldOptions(layout="whole", fewest=0))
    assert made.images.shape == (3, 1, 50, 50)
    assert made.summary["diameter"]["p50"] == pytest.approx(20 / 2 * 2 / np.sqrt(np.pi), rel=0.02)


def test_binary_pictures_are_black_and_white(squares):
    made = pictures_of(squares, 32, FieldOptions(map="binary"))
    assert set(np.unique(made.images)) == {-1, 1}


def test_variants_multiply(squares):
    plain = pictures_of(squares, 32, FieldOptions())
    more = pictures_of(squares, 32, FieldOptions(flip=True, turn=10))
    assert len(more.images) == 6 * len(plain.images)
    np.testing.assert_array_equal(more.images[::6], plain.images)


def test_holes_are_filled_on_demand():
    labels = np.zeros((40, 40), int)
    labels[5:35, 5:35] = 1
    labels[15:25, 15:25] = 0
    labels[18:21, 18:21] = 2
    centre = [
        pictures_of([labels], 40, FieldOptions(fill=fill)).images[0, 0, 16, 16] > 0
        for fill in (False, True)
    ]
    assert centre == [False, True]
    assert pictures_of([labels], 40, FieldOptions(fill=True)).images[0, 0, 19, 19] > 0


def test_a_scale_needs_objects():
    with pytest.raises(BenchError, match="there is no scale"):
        pictures_of([np.zeros((50, 50), int)], 32, FieldOptions(pixel_diameter=10))
