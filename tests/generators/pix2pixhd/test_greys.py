from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from benchmark.errors import DatasetError
from generators.pix2pixhd.greys import Greys, channelled, planes_of


def test_of_8_bits_all_are_taken_and_come_back():
    greys = Greys.of([np.array([3, 9], np.uint8)])
    every = np.arange(256, dtype=np.uint8)
    assert greys == Greys(0, 255, "uint8")
    assert greys.scaled(every)[[0, 255]].tolist() == [-1, 1]
    assert np.array_equal(greys.restored(greys.scaled(every)), every)


def test_of_16_bits_from_darkest_to_brightest_or_as_given():
    pictures = [np.array([[700, 900]], np.uint16), np.array([[650, 800]], np.uint16)]
    greys = Greys.of(pictures)
    assert (greys.black, greys.white) == (650, 900)
    every = np.arange(650, 901, dtype=np.uint16)
    assert np.array_equal(greys.restored(greys.scaled(every)), every)
    assert Greys.of(iter(pictures), black=0, white=65535) == Greys(0, 65535, "uint16")


def test_floats_come_back_as_floats():
    greys = Greys.of([np.array([-2.0, 6.0])])
    assert greys.restored(np.array([0.0], np.float32)).tolist() == [2.0]


def test_a_picture_that_shows_nothing_is_refused():
    with pytest.raises(DatasetError, match="no brighter than black"):
        Greys.of([np.full((2, 2), 700, np.uint16)])


def test_brightness_is_that_of_pillow():
    colours = np.random.default_rng(0).integers(0, 256, (3, 8, 9), dtype=np.uint8)
    by_pillow = np.asarray(Image.fromarray(np.moveaxis(colours, 0, -1)).convert("L"))
    assert np.abs(channelled(colours, 1, "")[0] - by_pillow).max() <= 1
    with pytest.raises(DatasetError, match="2 channels, not 3"):
        channelled(colours[:2], 3, "")


@pytest.mark.parametrize(
    ("shape", "axes", "planes"),
    [
        ((4, 5), "YX", (1, 4, 5)),
        ((4, 5, 3), "YXS", (3, 4, 5)),
        ((4, 5, 4), "YXS", (3, 4, 5)),
        ((2, 4, 5), "CYX", (2, 4, 5)),
        ((4, 5, 6), "YXC", (6, 4, 5)),
    ],
)
def test_channels_come_first_and_opacity_goes(shape, axes, planes):
    assert planes_of(np.zeros(shape, np.uint8), axes, Path()).shape == planes


def test_black_and_white_pictures_are_of_8_bits():
    assert planes_of(np.array([[True, False]]), "YX", Path()).tolist() == [[[255, 0]]]


@pytest.mark.parametrize(
    ("array", "axes", "said"),
    [
        (np.zeros((2, 4, 5), np.uint8), "ZYX", "no single picture"),
        (np.zeros((4, 5), np.int32), "YX", "int32"),
        (np.full((4, 5), np.nan), "YX", "NaN"),
    ],
)
def test_what_is_no_picture_is_refused(array, axes, said):
    with pytest.raises(DatasetError, match=said):
        planes_of(array, axes, Path("x.tif"))
