from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from benchmark.errors import DatasetError
from generators.pix2pixhd.resizing import Resizing, resized


@pytest.mark.parametrize(
    ("mode", "size", "cut"),
    [
        ("resize_and_crop", (128, 128), (64, 64)),
        ("crop", (100, 200), (64, 64)),
        ("scale_width", (64, 128), (64, 128)),
        ("scale_width_and_crop", (64, 128), (64, 64)),
        ("none", (96, 192), (96, 192)),
    ],
)
def test_each_mode_by_hand(mode, size, cut):
    resizing = Resizing(mode, load_size=128, fine_size=64, multiple=32)
    assert resizing.size(100, 200) == size
    rows, columns = resizing.place(*size, np.random.default_rng(0), "x")
    assert (rows.stop - (rows.start or 0), columns.stop - (columns.start or 0)) == cut


def test_no_side_is_too_short_for_the_networks():
    assert Resizing("none", 0, 0, 16).size(5, 40) == (32, 32)
    assert Resizing("none", 0, 0, 16).whole().size(5, 40) == (5, 40)


def test_all_places_come():
    resizing = Resizing("crop", 0, 4, 4)
    rng = np.random.default_rng(0)
    places = [resizing.place(5, 7, rng, "x") for _ in range(100)]
    assert {rows.start for rows, _ in places} == {0, 1}
    assert {columns.start for _, columns in places} == {0, 1, 2, 3}


def test_too_small_a_picture_is_named():
    with pytest.raises(DatasetError, match=r"30 by 80 px is smaller"):
        Resizing("crop", 0, 64, 16).place(30, 80, np.random.default_rng(0), "small.png")


def test_pictures_are_resized_as_by_pillow_and_labels_keep_their_values():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (1, 20, 30), dtype=np.uint8)
    by_pillow = np.asarray(Image.fromarray(grey[0]).resize((15, 10), Image.Resampling.BICUBIC))
    made = resized(grey, (10, 15), smooth=True)[0]
    assert np.abs(made.round().clip(0, 255) - by_pillow).max() <= 1
    labels = rng.choice([0, 7, 26001], (1, 20, 30))
    assert set(np.unique(resized(labels, (33, 17), smooth=False))) == {0, 7, 26001}
