"""The files through which arrays cross."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import BenchError, InvalidPredictionError
from adapters.scratch import Scratch


@pytest.fixture
def scratch(tmp_path):
    made = Scratch(tmp_path / "scratch")
    yield made
    made.close()


def test_an_image_is_seen_and_labels_come_back(scratch):
    image = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    request = scratch.put(image)
    shape = tuple(request["shape"])
    seen = np.fromfile(request["image"]["path"], request["dtype"], 24).reshape(shape)
    assert np.array_equal(seen, image)
    labels = np.memmap(request["labels"]["path"], np.uint32, "r+", shape=(3, 4))
    labels[...] = np.arange(12).reshape(3, 4)
    assert np.array_equal(scratch.labels(), np.arange(12).reshape(3, 4))


def test_files_grow_and_keep_their_place(scratch):
    small = scratch.put(np.zeros((1, 2, 2), np.uint8))
    large = scratch.put(np.zeros((1, 2000, 2000), np.uint8))
    again = scratch.put(np.zeros((1, 2, 2), np.uint8))
    assert small["image"]["path"] == large["image"]["path"]
    assert small["image"]["size"] < large["image"]["size"] == again["image"]["size"]
    assert (
        Path(large["labels"]["path"]).stat().st_size == large["labels"]["size"] >= 4 * 2000 * 2000
    )


@pytest.mark.parametrize("harm", ["cut", "removed", "folder removed"])
def test_a_harmed_file_is_made_again(scratch, tmp_path, harm):
    image = np.full((1, 5, 5), 7, np.uint8)
    path = scratch.put(image)["image"]["path"]
    if harm == "cut":
        os.truncate(path, 3)
    else:
        for file in (tmp_path / "scratch").iterdir():
            file.unlink()
        if harm == "folder removed":
            (tmp_path / "scratch").rmdir()
    request = scratch.put(image)
    assert Path(path).stat().st_size == request["image"]["size"]
    assert np.fromfile(path, np.uint8, 25).tolist() == [7] * 25


def test_labels_cut_short_are_an_error_not_a_bus_error(scratch):
    request = scratch.put(np.zeros((1, 50, 50), np.uint8))
    os.truncate(request["labels"]["path"], 100)
    with pytest.raises(InvalidPredictionError, match="incomplete"):
        scratch.labels()


def test_a_full_disk_names_the_folder_and_the_cure(scratch, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(BenchError, match="No space left") as caught:
        scratch.put(np.zeros((1, 5, 5), np.uint8))
    assert "TMPDIR" in caught.value.mend
