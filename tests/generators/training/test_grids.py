from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from generators.training.grids import grid, layout, write


def test_pictures_stand_in_rows():
    pictures = np.zeros((6, 1, 2, 2), np.float32)
    pictures[:, 0] = np.linspace(-1, 1, 6)[:, None, None]
    image = np.asarray(grid(pictures, columns=3))
    assert image.shape == (4, 6)
    assert image[::2, ::2].tolist() == [[0, 51, 102], [153, 204, 255]]


def test_colours_and_what_is_beyond_black_and_white():
    pictures = np.zeros((1, 3, 1, 1), np.float32)
    pictures[0, :, 0, 0] = -3, 0, 3
    assert np.asarray(grid(pictures, 1)).tolist() == [[[0, 128, 255]]]


def test_a_row_that_is_not_full_is_left_out():
    assert grid(np.zeros((5, 1, 4, 4), np.float32), columns=2).size == (8, 8)


@pytest.mark.parametrize("resolution", [8, 32, 100, 256, 1024])
def test_layouts_are_wide(resolution):
    rows, columns = layout(resolution)
    assert columns == 2 * rows


def test_few_pictures_make_a_grid_too(tmp_path):
    write(tmp_path / "few.png", np.zeros((3, 1, 32, 32), np.float32))
    with Image.open(tmp_path / "few.png") as image:
        assert image.size == (96, 32)
