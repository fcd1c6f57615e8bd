"""Sets whose making was interrupted: what was finished is taken, what is damaged is not."""

from __future__ import annotations

from contextlib import contextmanager, suppress

import numpy as np
import pytest

from benchmark.dataset import Dataset, DatasetWriter, SampleInput
from benchmark.dataset.continued import UNDER_WAY, finished, write_and_record
from benchmark.errors import DatasetError


def sample(name, value=1):
    image = np.full((1, 6, 5), value, np.uint16)
    labels = np.zeros((6, 5), np.uint16)
    labels[1:3, 1:3] = 1
    return SampleInput(id=name, image=image, labels={"nuclei": labels}, factors={"snr": 0.1 + 0.2})


def writer(path, identity="a"):
    return DatasetWriter(path, name="one", version="1.0.0", identity=identity)


@contextmanager
def interrupting(path, identity="a"):
    """A writer that is interrupted at the end of its block."""
    with suppress(KeyboardInterrupt), writer(path, identity) as begun:
        yield begun
        raise KeyboardInterrupt


@pytest.fixture
def interrupted(tmp_path):
    """A set of which one sample was finished."""
    with interrupting(tmp_path / "set") as begun:
        begun.collect(write_and_record(begun.folder, sample("first")))
    return tmp_path / "set"


def test_a_finished_sample_is_found_to_the_bit(interrupted):
    assert not interrupted.exists()
    with writer(interrupted) as again:
        record = finished(again.folder, "first")
        fresh = write_and_record(again.folder, sample("second"))
        assert record.row == {
            **fresh.row,
            "id": "first",
            "scene": "first",
            "image": record.row["image"],
        }
        assert record.objects.schema == fresh.objects.schema
        assert record.spots.schema == fresh.spots.schema
        assert finished(again.folder, "third") is None
        again.collect(record)
        again.collect(fresh)
    made = Dataset.open(interrupted)
    assert list(made.samples["snr"]) == [0.1 + 0.2] * 2
    assert sorted(p.name for p in interrupted.parent.iterdir()) == ["set"]
    assert not (interrupted / UNDER_WAY).exists()


@pytest.mark.parametrize("damage", ["images/first.tif", "labels/nuclei/first.tif"])
def test_a_damaged_sample_counts_as_not_finished(interrupted, damage):
    with interrupting(interrupted) as again:
        path = again.folder / damage
        path.write_bytes(path.read_bytes()[:-40])
        assert finished(again.folder, "first") is None


def test_other_pixels_than_those_recorded_count_as_not_finished(interrupted, tmp_path):
    with writer(tmp_path / "other") as other:
        other.add(sample("first", value=2))
    with interrupting(interrupted) as again:
        again.folder.joinpath("images/first.tif").write_bytes(
            (tmp_path / "other/images/first.tif").read_bytes()
        )
        assert finished(again.folder, "first") is None


def test_another_identity_begins_anew(interrupted):
    with interrupting(interrupted, "b") as again:
        assert finished(again.folder, "first") is None
        assert not (again.folder / "images").exists()
    assert list(interrupted.parent.iterdir()) == []


def test_two_at_once_are_refused(tmp_path):
    with writer(tmp_path / "set") as one:
        with pytest.raises(DatasetError, match="another process"), writer(tmp_path / "set"):
            pass
        one.collect(write_and_record(one.folder, sample("first")))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set"]


def test_what_is_there_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("here")
    with pytest.raises(DatasetError, match="never overwritten"), writer(tmp_path):
        pass
    assert (tmp_path / "mine.txt").read_text() == "here"


def test_long_names_that_begin_alike_are_told_apart(tmp_path):
    names = ["x" * 200 + end for end in "ab"]
    for name in names:
        with interrupting(tmp_path / name) as begun:
            begun.collect(write_and_record(begun.folder, sample("first")))
    with interrupting(tmp_path / names[0]) as again:
        assert finished(again.folder, "first") is not None
