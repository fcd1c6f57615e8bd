from __future__ import annotations

import hashlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from benchmark.dataset import Dataset, DatasetWriter
from benchmark.dataset.layouts import index
from benchmark.errors import DatasetError


@pytest.fixture
def folder(tmp_path):
    """Two images and their labels, in folders of no known name."""
    for name in ("x/a.tif", "x/b.tif", "y/a.tif", "y/b.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / name, np.full((4, 5), ord(name[2]), np.uint16))
    return tmp_path


def write(folder, *lines, name="index.csv"):
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return folder / name


def test_columns_are_taken_for_what_they_are(folder):
    path = write(
        folder,
        "label,image,split,group,seed,depth,height,note,empty,object",
        'y/b.tif,x/b.tif,val,g1,7,3,99,"one, two",,q',
        "y/a.tif,x/a.tif,,,,,99,,,r",
    )
    first, second = index.read(path, "cells", binary=True)
    assert (first.id, first.split, first.scene, first.seed) == ("a", "test", None, None)
    assert (second.id, second.split, second.scene, second.seed) == ("b", "val", "g1", 7)
    assert second.image == folder / "x" / "b.tif"
    assert second.labels == folder / "y" / "b.tif"
    assert (second.target, second.binary) == ("cells", True)
    assert first.factors == {"depth": None, "note": None, "object": "r"}
    assert second.factors == {"depth": 3, "note": "one, two", "object": "q"}


def test_a_scene_column_leaves_the_group_a_factor(folder):
    path = write(folder, "image,label,scene,group", "x/a.tif,y/a.tif,s1,g1")
    (pair,) = index.read(path, "nuclei", binary=None)
    assert (pair.scene, pair.factors) == ("s1", {"group": "g1"})


def test_names_that_repeat_take_their_folders(folder):
    path = write(folder, "image,label", "x/a.tif,y/a.tif", "y/a.tif,x/a.tif")
    assert [pair.id for pair in index.read(path, "nuclei", binary=None)] == ["x_a", "y_a"]


def test_a_digest_in_the_index_is_checked(folder):
    digest = hashlib.sha256((folder / "x/a.tif").read_bytes()).hexdigest()
    path = write(folder, "image,label,image_sha256", f"x/a.tif,y/a.tif,{digest}")
    (pair,) = index.read(path, "nuclei", binary=None)
    assert pair.factors == {}
    pair.load()
    tifffile.imwrite(folder / "x/a.tif", np.zeros((4, 5), np.uint16))
    with pytest.raises(DatasetError, match="not the file that the index speaks of") as caught:
        pair.load()
    assert caught.value.where == str(folder / "x/a.tif")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["x/c.tif,y/a.tif"], r"names x/c.tif in row 2, which is missing"),
        (["x/a.tif,"], "leads out|no file"),
        (["../a.tif,y/a.tif"], "leads out of the folder"),
        (["/etc/passwd,y/a.tif"], "leads out of the folder"),
        ([], "the index has no rows"),
        (["x/a.tif,y/a.tif,1"], "more cells than there are columns"),
    ],
)
def test_a_wrong_index_is_told(folder, lines, message):
    path = write(folder, "image,label", *lines)
    with pytest.raises(DatasetError, match=message):
        index.read(path, "nuclei", binary=None)


def test_a_seed_that_is_no_number_is_told(folder):
    path = write(folder, "image,label,seed", "x/a.tif,y/a.tif,seven")
    with pytest.raises(DatasetError, match="the seed 'seven' in row 2"):
        index.read(path, "nuclei", binary=None)


def test_which_file_is_the_index(folder):
    assert index.find(folder) is None
    write(folder, "a,b", "1,2", name="other.csv")
    assert index.find(folder) is None
    mine = write(folder, "image,label", "x/a.tif,y/a.tif", name="mine.csv")
    assert index.find(folder) == mine
    write(folder, "image,label", name="mine2.csv")
    assert index.find(folder) is None
    assert index.find(folder) is None
    assert index.find(write(folder, "label,image").parent) == folder / "index.csv"
    (folder / "index.csv").write_bytes(b"\xff\xfe\x00")
    assert index.find(folder) is None


@given(
    st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=1)
    | st.lists(st.none() | st.floats(allow_nan=False, width=64).map(lambda x: x + 0.5))
    | st.lists(st.none() | st.booleans(), min_size=1)
)
def test_cells_are_read_as_the_values_that_were_written(values):
    cells = ["" if value is None else str(value) for value in values]
    assert index.typed(cells) == values
    assert [type(v) for v in index.typed(cells)] == [type(v) for v in values]


@pytest.mark.parametrize("values", [["007", "1"], ["1", "2"], ["1.50"], ["True"], [""], ["m1", ""]])
def test_text_that_would_be_read_as_something_else_is_not_exported(tmp_path, make_sample, values):
    with DatasetWriter(tmp_path / "set", name="a", version="1.0.0") as writer:
        for number, value in enumerate(values):
            writer.add(make_sample(f"s{number}", factors={"kind": value}))
    dataset = Dataset.open(tmp_path / "set")
    places = dict.fromkeys(dataset.ids(), ("a", "b"))
    if values == ["007", "1"]:  # one cell is text, and so are all
        index.write(dataset, tmp_path, places)
        return
    with pytest.raises(DatasetError, match="cannot hold the column kind without loss"):
        index.write(dataset, tmp_path, places)
