"""Images and their points, as folders hold them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmark.errors import DatasetError
from generators.spottexture.reading import read


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        Image.fromarray(np.full((9, 7), 5, np.uint16)).save(tmp_path / "images" / f"{name}.png")
    return tmp_path


def test_tables_beside_the_images_are_found_by_name(folder):
    (folder / "coords").mkdir()
    (folder / "coords" / "b.csv").write_text("row,col\n1.5,2\n3,4\n")
    (folder / "coords" / "c.csv").write_text("row,col\n1,2\n")
    (only,) = read(folder)
    assert only.name == "b"
    assert only.image.shape == (9, 7)
    assert only.points.tolist() == [[1.5, 2], [3, 4]]


def test_one_table_may_hold_the_points_of_all_images(folder):
    (folder / "all.csv").write_text("image,y,x\na,1,2\nb,3,4\na,5,6\n")
    one, two = read(folder, folder / "all.csv")
    assert (one.name, one.points.tolist()) == ("a", [[1, 2], [5, 6]])
    assert (two.name, two.points.tolist()) == ("b", [[3, 4]])


def test_what_is_missing_is_named(folder, tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        read(tmp_path / "none")
    with pytest.raises(DatasetError, match="no points"):
        read(folder)
    (folder / "spots").mkdir()
    (folder / "spots" / "c.csv").write_text("y,x\n1,2\n")
    with pytest.raises(DatasetError, match="no image has points"):
        read(folder)
    (folder / "spots" / "a.csv").write_text("z,y,x\n1,1,2\n")
    with pytest.raises(DatasetError, match="volume"):
        read(folder)
