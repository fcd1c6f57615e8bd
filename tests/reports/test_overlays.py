from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.draw import polygon2mask

from reports.overlays import busiest_window, draw_overlay, outlines, stretch


def filled(path, shape):
    """Fill SVG path data by the even-odd rule, at the centres of pixels."""
    mask = np.zeros(shape, bool)
    for x, y, moves in re.findall(r"M(-?\d+) (-?\d+)l([^z]*)z", path):
        steps = np.array(moves.split(), int).reshape(-1, 2)
        corners = np.vstack([[int(x), int(y)], steps]).cumsum(axis=0)
        mask ^= polygon2mask(shape, (corners[:, ::-1] - 1) / 2)
    return mask


@pytest.mark.parametrize("seed", range(8))
def test_an_outline_encloses_its_objects_pixels(seed):
    noise = np.random.default_rng(seed).normal(size=(60, 70))
    blobs, n = ndimage.label(ndimage.gaussian_filter(noise, 4) > 0.04)
    assert n > 3
    for label in range(1, n + 1):
        mask = blobs == label
        wrong = filled(outlines(mask.astype(np.uint8)), mask.shape) != mask
        # Straightened outlines may pass a pixel at a corner on the other side.
        assert wrong.sum() <= 0.02 * mask.sum() + 2


def test_touching_objects_have_an_outline_each():
    assert outlines(np.array([[1, 2]])).count("M") == 2
    assert outlines(np.array([[5, 5]])).count("M") == 1


def test_background_is_never_an_object():
    assert outlines(np.zeros((4, 4), np.uint16)) == ""
    assert outlines(np.ones((4, 4), np.uint16)).count("M") == 1


def test_sparse_ids():
    assert outlines(np.array([[0, 2**40, 0]])) == outlines(np.array([[0, 1, 0]]))


def test_stretch_uses_the_whole_range_of_each_channel():
    image = np.zeros((2, 20, 20), np.uint16)
    image[0] = np.arange(400).reshape(20, 20)
    image[1, :10] = 60_000
    grey = stretch(image)
    assert grey.dtype == np.uint8
    assert (grey[:10] == 255).all()
    assert grey[10, 0] < grey[19, 19] == 255
    assert stretch(image[:1])[0, 0] == 0


@pytest.mark.parametrize("value", [0, 7, 65_535])
def test_a_flat_image_is_black(value):
    assert (stretch(np.full((1, 5, 5), value, np.uint16)) == 0).all()


def test_the_window_shows_where_most_disagrees():
    truth, prediction = np.zeros((2, 300, 500), np.uint8)
    truth[10:40, 10:40] = prediction[10:40, 10:40] = 1
    truth[250:260, 450:480] = 2
    rows, columns = busiest_window(truth, prediction, 128)
    assert rows.start <= 250
    assert rows.stop == rows.start + 128 >= 260
    assert columns.start <= 450
    assert columns.stop == columns.start + 128 >= 480
    rows, columns = busiest_window(truth * (truth == 1), prediction, 128)
    assert (rows.start, columns.start) == (0, 0)


def test_a_small_image_is_shown_whole():
    labels = np.zeros((30, 200), np.uint8)
    assert busiest_window(labels, labels, 256) == (slice(0, 30), slice(0, 200))


def test_an_overlay_is_small_and_complete():
    generator = np.random.default_rng(0)
    truth = np.zeros((600, 700), np.uint16)
    truth[400:450, 500:560] = 1
    image = generator.poisson(50 + 400 * (truth > 0))[None].astype(np.uint16)
    overlay = draw_overlay(image, truth, np.zeros_like(truth), window=256)
    assert (overlay.width, overlay.height, overlay.whole) == (256, 256, False)
    assert overlay.truth.count("M") == 1
    assert overlay.prediction == ""
    kind, _, encoded = overlay.picture.partition(",")
    assert kind == "data:image/webp;base64"
    assert len(encoded) < 60_000
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    assert picture.size == (256, 256)
    assert overlay == draw_overlay(image, truth, np.zeros_like(truth), window=256)
