"""Which files of a folder are images, whatever its layout."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmark.dataset import DatasetWriter, SampleInput
from benchmark.errors import DatasetError
from generators.like.reading import planes


def png(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 9), value, np.uint8)).save(path)


def values(found):
    return [int(plane[0, 0]) for plane in found]


def test_a_flat_folder_without_its_masks(tmp_path):
    for name, value in (("b", 2), ("a", 1), ("a_masks", 9), ("b_mask", 9), (".hidden", 9)):
        png(tmp_path / f"{name}.png", value)
    (tmp_path / "notes.txt").write_text("no image")
    assert values(planes(tmp_path)) == [1, 2]


def test_images_beside_folders_of_labels(tmp_path):
    for folder, value in (("images", 3), ("labels", 9), ("masks", 9), ("more/deep", 4)):
        png(tmp_path / folder / "x.png", value)
    assert values(planes(tmp_path)) == [3, 4]


def test_an_index_says_which_files_and_which_are_held_back(tmp_path):
    for k in range(4):
        png(tmp_path / f"i{k}.png", k + 1)
    rows = ["image,split", "i0.png,train", "i1.png,test", "i2.png,val"]
    (tmp_path / "index.csv").write_text("\n".join(rows))
    assert values(planes(tmp_path)) == [1, 3]


def test_a_data_set(tmp_path):
    with DatasetWriter(tmp_path / "set", name="a", version="1.0.0", channels=("x", "y")) as writer:
        image = np.stack([np.full((6, 6), 5, np.uint16), np.full((6, 6), 7, np.uint16)])
        labels = {"nuclei": np.zeros((6, 6), np.uint16)}
        writer.add(SampleInput(id="one", image=image, labels=labels))
    assert values(planes(tmp_path / "set", channel=1)) == [7]


def test_of_many_some_are_taken_evenly(tmp_path):
    for k in range(21):
        png(tmp_path / f"{k:02}.png", k)
    assert values(planes(tmp_path, most=5)) == [0, 5, 10, 15, 20]


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        planes(tmp_path / "none")
    with pytest.raises(DatasetError, match="no image in this folder"):
        planes(tmp_path)
    tifffile.imwrite(tmp_path / "one.tif", np.zeros((8, 8), np.uint16))
    with pytest.raises(DatasetError, match=r"1 channel, counted from 0, and none is 2"):
        planes(tmp_path, channel=2)


@pytest.mark.parametrize("climbs", [True, False])
def test_an_index_cannot_lead_out_of_its_folder(tmp_path, climbs):
    png(tmp_path / "secret.png", 7)
    folder = tmp_path / "mine"
    png(folder / "a.png", 1)
    named = "../secret.png" if climbs else str(tmp_path / "secret.png")
    (folder / "index.csv").write_text(f"image\n{named}\n")
    with pytest.raises(DatasetError, match="leads out of the folder"):
        planes(folder)


@pytest.fixture
def split_set(tmp_path):
    """A data set with an image in each of three splits, of greys 1, 2 and 3."""
    with DatasetWriter(tmp_path / "set", name="a", version="1.0.0", channels=("x",)) as writer:
        for value, split in enumerate(("train", "val", "test"), start=1):
            image, labels = np.full((1, 6, 6), value, np.uint16), np.zeros((6, 6), np.uint16)
            sample = SampleInput(id=split, image=image, labels={"nuclei": labels}, split=split)
            writer.add(sample)
    return tmp_path / "set"


def test_the_test_split_of_a_data_set_is_left_alone_and_said_so(split_set):
    told = []
    assert sorted(values(planes(split_set, notice=told.append))) == [1, 2]
    assert told == ["left alone: 1 images of the split test"]


def test_a_split_can_be_asked_for(split_set, tmp_path):
    assert values(planes(split_set, split="test")) == [3]
    with pytest.raises(DatasetError, match="no image of the split 'tests'"):
        planes(split_set, split="tests")
    png(tmp_path / "plain" / "a.png", 1)
    with pytest.raises(DatasetError, match="nothing says which"):
        planes(tmp_path / "plain", split="train")


def test_splits_of_an_index_are_words(tmp_path):
    for name in ("a", "b", "c"):
        png(tmp_path / f"{name}.png", ord(name))
    (tmp_path / "index.csv").write_text("image,split\na.png,1\nb.png,2\nc.png,\n")
    assert values(planes(tmp_path, split="2")) == [ord("b")]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe,\n"])
def test_a_damaged_index_is_named(tmp_path, content):
    (tmp_path / "index.csv").write_bytes(content)
    with pytest.raises(DatasetError, match="index cannot be read") as caught:
        planes(tmp_path)
    assert caught.value.where == str(tmp_path / "index.csv")
