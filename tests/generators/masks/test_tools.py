from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.masks.tools import augmented, filled, level_of, resized, squared, thresholded


def test_a_threshold_takes_grey_240_and_not_239():
    greys = np.array([[[239, 240, 241]]], np.float32) / 127.5 - 1
    assert thresholded(greys, level_of(240)).tolist() == [[[-1, 1, 1]]]


def test_holes_are_filled_and_bays_are_not():
    picture = np.full((1, 5, 7), -1, np.float32)
    picture[0, 1:4, 1:4] = 0.5
    picture[0, 2, 2] = -0.9  # a hole
    picture[0, 1:4, 4:6] = 0.5
    picture[0, 1, 5] = picture[0, 1, 4] = -1  # a bay
    whole = filled(picture)
    assert whole[0, 2, 2] == pytest.approx(0.5)
    whole[0, 2, 2] = picture[0, 2, 2]
    np.testing.assert_array_equal(whole, picture)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(-1, 1, width=32))
def test_a_flat_picture_stays_flat_at_any_size(height, width, grey):
    flat = resized(np.full((1, 12, 9), grey, np.float32), height, width)
    assert flat.shape == (1, height, width)
    np.testing.assert_allclose(flat, grey, atol=1e-6)


def test_shrinking_averages_what_would_alias():
    stripes = np.tile(np.array([-1, 1], np.float32), (1, 64, 32))
    inner = resized(stripes, 16, 16)[0, :, 2:-2]
    assert np.abs(inner).max() < 0.05


def test_squares_are_cut_from_the_middle():
    picture = np.arange(5, dtype=np.float32)[None, None, :].repeat(3, axis=1)
    assert squared(picture)[0, 0].tolist() == [1, 2, 3]


def test_variants_are_mirrored_turned_and_brightened():
    picture = np.full((1, 21, 21), -1, np.float32)
    picture[0, 10, 18] = 0.0  # to the right of the middle
    still, back, forth, mirror, *_ = augmented(picture, flip=True, turn=90)
    np.testing.assert_array_equal(still, picture)
    assert mirror[0, 10, 2] == 0
    ends = {np.unravel_index(part[0].argmax(), (21, 21)) for part in (back, forth)}
    assert ends == {(2, 10), (18, 10)}
    dark, bright = list(augmented(picture, brightness=0.5))[1:]
    assert dark[0, 10, 18] == pytest.approx(-0.5)
    assert bright[0, 10, 18] == pytest.approx(0.5)
    assert dark[0, 0, 0] == bright[0, 0, 0] == -1


def test_nothing_asked_for_is_the_picture_alone():
    picture = np.random.default_rng(0).uniform(-1, 1, (3, 4, 4)).astype(np.float32)
    (only,) = augmented(picture)
    np.testing.assert_allclose(only, picture, atol=1e-6)
