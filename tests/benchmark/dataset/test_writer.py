from __future__ import annotations

import errno
import itertools
import os
import resource
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.dataset import Dataset, DatasetWriter, export, seen, verify, write_sample
from benchmark.errors import DatasetError


def test_what_is_written_is_read(make_dataset, make_sample):
    dataset = make_dataset(licence="CC0-1.0", pixel_size_um=0.5)
    assert (dataset.name, dataset.version) == ("small", "1.0.0")
    assert dataset.manifest.licence == "CC0-1.0"
    assert dataset.manifest.splits == {"test": 2, "train": 2}
    assert dataset.ids() == ["s0", "s1", "s2", "s3"]
    for number, name in enumerate(dataset.ids()):
        sample = make_sample(name, seed=number)
        np.testing.assert_array_equal(dataset.read_image(name), sample.image)
        np.testing.assert_array_equal(dataset.read_labels(name), sample.labels["nuclei"])
        row = dataset.row(name)
        assert row["seed"] == 2**62 + number
        assert row["scene"] == f"scene{number // 2}"
        assert (row["density"], row["kind"], row["crowded"]) == (
            number / 4,
            f"m0{number}",
            number > 1,
        )
        count = np.unique(sample.labels["nuclei"]).size - 1
        assert row["n_nuclei"] == count == (dataset.objects["sample"] == name).sum()
    assert dataset.spots["photons"].tolist() == [300.0] * 4


def test_labels_take_the_smallest_type_above_8_bits(make_dataset, make_sample):
    samples = []
    for name, highest in (("a", 3), ("b", 70_000), ("c", 2**40)):
        sample = make_sample(name)
        labels = sample.labels["nuclei"].astype(np.int64)
        labels[0, 0] = highest
        samples.append(replace(sample, labels={"nuclei": labels}))
    dataset = make_dataset(samples=samples)
    types = [dataset.read_labels(name).dtype for name in dataset.ids()]
    assert types == [np.uint16, np.uint32, np.uint64]
    assert dataset.objects["label"].max() == 2**40


def test_a_data_set_may_mix_sizes_and_depths(make_dataset, make_sample):
    samples = [
        make_sample("a", shape=(10, 20), dtype=np.uint8),
        make_sample("b", shape=(31, 7), dtype=np.uint16),
    ]
    dataset = make_dataset(samples=samples)
    assert dataset.read_image("a").dtype == np.uint8
    assert dataset.read_image("b").shape == (1, 31, 7)
    assert verify(dataset.path) == []


def test_several_channels_and_targets(make_dataset, make_sample):
    nuclei = make_sample("a", channels=3)
    sample = replace(nuclei, labels={"cells": 2 * nuclei.labels["nuclei"], **nuclei.labels})
    dataset = make_dataset(
        samples=[sample], channels=("dna", "actin", "spots"), targets=("nuclei", "cells")
    )
    np.testing.assert_array_equal(dataset.read_labels("a", "cells"), sample.labels["cells"])
    assert set(dataset.objects["target"]) == {"cells", "nuclei"}


def test_the_producers_rows_join_those_measured(make_dataset, make_sample):
    sample = make_sample("a")
    labels = np.unique(sample.labels["nuclei"])[1:]
    given = pd.DataFrame(
        {
            "target": "nuclei",
            "label": [*labels, 99],
            "hidden": [0.25] * len(labels) + [1.0],
            "contrast": 7.0,
            "outline": [np.array([[1.5, 2], [3, 4], [5, 6]])] * len(labels) + [None],
        }
    )
    objects = make_dataset(samples=[replace(sample, objects=given)]).objects.set_index("label")
    assert objects["contrast"].eq(7).all()
    assert objects["outline"].iloc[0].tolist() == [1.5, 2, 3, 4, 5, 6]
    area = {label: (sample.labels["nuclei"] == label).sum() for label in labels}
    assert objects.loc[labels, "area"].to_dict() == area
    assert objects.loc[99, "hidden"] == 1
    assert np.isnan(objects.loc[99, "area"])  # no pixel of it is to be seen


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"label": [3]}, "lacks target"),
        ({"target": ["nuclei"]}, "lacks label"),
        ({"target": ["nuclei"] * 2, "label": [3, 3]}, "names an object twice"),
        ({"target": ["nuclei"], "label": [4]}, "4 of nuclei has no pixel"),
        ({"target": ["cells"], "label": [3]}, "3 of cells has no pixel"),
        ({"target": ["nuclei"], "label": [4], "hidden": [0.9]}, "4 of nuclei has no pixel"),
    ],
)
def test_rows_of_objects_that_are_not_there_are_refused(
    make_dataset, make_sample, objects, message
):
    sample = replace(make_sample("a"), objects=pd.DataFrame(objects))
    with pytest.raises(DatasetError, match=message):
        make_dataset(samples=[sample])


def refused(make_dataset, tmp_path, samples, message, **fields):
    with pytest.raises(DatasetError, match=message) as caught:
        make_dataset(tmp_path / "out" / "set", samples=samples, **fields)
    assert list((tmp_path / "out").iterdir()) == []
    return caught.value


def test_bad_samples_are_refused_and_nothing_is_left(make_dataset, make_sample, tmp_path):
    good = make_sample("good")
    zeros = np.zeros((40, 48))
    for change, message in (
        ({"id": "../bad"}, "cannot be a sample's id"),
        ({"id": "good"}, "two samples have the id 'good'"),
        ({"id": "GOOD"}, "two samples have the id 'GOOD' .'good' where case is lost"),
        ({"image": good.image[0]}, "shape"),
        ({"image": good.image.astype(float)}, "uint8 or uint16"),
        ({"image": np.repeat(good.image, 2, axis=0)}, "2 channels, the data set 1 channel"),
        ({"channels": ("actin",)}, r"1 channel \(actin\), the data set 1 channel \(dna\)"),
        ({"labels": {"nuclei": zeros}}, "whole numbers"),
        ({"labels": {"nuclei": zeros.astype(int) - 1}}, "negative"),
        ({"labels": {"nuclei": zeros[1:].astype(int)}}, "shape"),
        ({"labels": {}}, "the sample has no labels"),
        ({"labels": {"cells": zeros.astype(int)}}, "labels of cells, the data set of nuclei"),
        ({"factors": {"height": 3}}, "'height' has the name of another column"),
        ({"seed": 2**63}, "seed"),
    ):
        bad = replace(make_sample("bad", seed=1), **change)
        refused(make_dataset, tmp_path, [good, bad], message)


def test_factors_of_two_kinds_are_refused(make_dataset, make_sample, tmp_path):
    samples = [make_sample("a", factors={"x": 1}), make_sample("b", factors={"x": "one"})]
    refused(make_dataset, tmp_path, samples, "x are of different kinds")


def test_no_sample_is_no_data_set(tmp_path):
    with (
        pytest.raises(DatasetError, match="at least one sample"),
        DatasetWriter(tmp_path / "set", name="a", version="1.0.0"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../x"),
        ("name", ""),
        ("version", "1.0"),
        ("version", "01.0.0"),
        ("targets", ()),
        ("targets", ("a/b",)),
        ("channels", ("d na",)),
        ("pixel_size_um", -1.0),
        ("pixel_size_um", float("nan")),
        ("networks", {"shape": "no digest"}),
        ("licence", 3),
    ],
)
def test_a_wrong_field_is_named_before_any_work(tmp_path, field, value):
    with pytest.raises(DatasetError, match=f"the manifest is not valid: {field}"):
        DatasetWriter(tmp_path / "set", **{"name": "a", "version": "1.0.0", field: value})


def test_nothing_is_overwritten(make_dataset, make_sample):
    path = make_dataset().path
    digest = Dataset.open(path).digest
    with pytest.raises(DatasetError, match="never overwritten"):
        make_dataset(path, samples=[make_sample("other")])
    assert Dataset.open(path).digest == digest
    assert verify(path) == []


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, RuntimeError("boom"), FileNotFoundError(2, "x")]
)
def test_an_interrupted_write_leaves_nothing_and_keeps_its_reason(tmp_path, make_sample, error):
    kind = error if isinstance(error, type) else type(error)

    def write():
        with DatasetWriter(tmp_path / "out" / "set", name="a", version="1.0.0") as writer:
            writer.add(make_sample("a"))
            assert len(list((tmp_path / "out").iterdir())) == 1
            raise error

    with pytest.raises(kind):
        write()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_leaves_nothing(
    make_dataset, make_sample, tmp_path, monkeypatch, code
):
    write = tifffile.imwrite
    count = itertools.count()

    def fill(*args, **options):
        if next(count) == 3:
            raise OSError(code, os.strerror(code))
        write(*args, **options)

    monkeypatch.setattr(tifffile, "imwrite", fill)
    samples = [make_sample(name) for name in "abc"]
    error = refused(make_dataset, tmp_path, samples, "no space left on the disk")
    assert "free some space" in error.mend


def test_a_disk_that_is_full_at_the_end_leaves_nothing(make_dataset, tmp_path, monkeypatch):
    def fill(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("benchmark.dataset.manifest.save", fill)
    refused(make_dataset, tmp_path, None, "no space left on the disk")


def test_the_kernel_refuses_to_write_more(tmp_path):
    """A real failure of the system's own: no file may grow beyond 2 kB."""
    program = f"""
import resource, signal, numpy as np
from benchmark.dataset import DatasetWriter, SampleInput
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
image = np.random.default_rng(0).integers(0, 999, (1, 99, 99)).astype("uint16")
with DatasetWriter({str(tmp_path / "out" / "set")!r}, name="a", version="1.0.0") as writer:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, {resource.RLIM_INFINITY}))
    writer.add(SampleInput(id="a", image=image, labels={{"nuclei": image[0] * 0}}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "DatasetError: no space left on the disk" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_samples_may_be_written_by_other_processes(make_dataset, make_sample, tmp_path):
    samples = [make_sample(f"s{i}", seed=i) for i in range(4)]
    alone = make_dataset(tmp_path / "alone", samples=samples)
    with (
        DatasetWriter(tmp_path / "together", name="small", version="1.0.0") as writer,
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
    ):
        for record in pool.map(partial(write_sample, writer.folder), reversed(samples)):
            writer.collect(record)
    assert Dataset.open(tmp_path / "together").digest == alone.digest
    assert verify(tmp_path / "together") == []


def test_an_error_crosses_from_a_process_whole(make_sample, tmp_path):
    bad = replace(make_sample("a"), labels={"nuclei": np.zeros((40, 48))})
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future = pool.submit(write_sample, tmp_path, bad)
        with pytest.raises(DatasetError) as caught:
            future.result()
    assert caught.value.where == "a, nuclei"
    assert "astype" in caught.value.mend


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(4)))
def test_the_order_of_samples_does_not_count(tmp_path_factory, make_sample, order):
    folder = tmp_path_factory.mktemp("order")
    samples = [make_sample(f"s{i}", seed=i, factors={"x": i}) for i in range(4)]
    files = []
    for name, chosen in (("a", range(4)), ("b", order)):
        with DatasetWriter(folder / name, name="small", version="1.0.0") as writer:
            for number in chosen:
                writer.add(samples[number])
        found = sorted(path for path in (folder / name).rglob("*") if path.is_file())
        files.append([(path.relative_to(folder / name), path.read_bytes()) for path in found])
    assert files[0] == files[1]  # not the digest alone: every byte


def test_channels_may_be_named_by_the_first_sample(make_dataset, make_sample, tmp_path):
    samples = [make_sample(name, channels=2) for name in "ab"]
    named = [replace(sample, channels=("dna", "actin")) for sample in samples]
    assert make_dataset(samples=named, channels=None).manifest.channels == ("dna", "actin")
    named[1] = replace(named[1], channels=("actin", "dna"))
    refused(make_dataset, tmp_path, named, r"2 channels \(actin, dna\)", channels=None)


def test_a_version_used_for_another_content_is_refused(make_dataset, make_sample, tmp_path):
    first = make_dataset(tmp_path / "out" / "first", remember=True)
    again = make_dataset(tmp_path / "out" / "again", remember=True)
    assert first.digest == again.digest
    with pytest.raises(DatasetError, match=r"version 1\.0\.0 of small was used before"):
        make_dataset(tmp_path / "out" / "third", samples=[make_sample("x")], remember=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["again", "first"]
    make_dataset(tmp_path / "out" / "third", samples=[make_sample("x")], version="2.0.0")
    seen.check(first.manifest)


def test_outlines_may_be_known_of_some_samples_only(make_sample, make_dataset, tmp_path):
    samples = []
    for name, outline in (("a", None), ("b", [1.0, 2.0, 3.0, 4.0])):
        label = int(make_sample(name).labels["nuclei"].max())
        given = {"target": ["nuclei"], "label": [label], "outline": [outline], "hull": [outline]}
        samples.append(make_sample(name, objects=pd.DataFrame(given)))
    dataset = make_dataset(samples=samples)
    found = dataset.objects.dropna(subset="outline")
    assert found["sample"].tolist() == ["b"]
    assert found["outline"].iloc[0].tolist() == found["hull"].iloc[0].tolist() == [1, 2, 3, 4]
    export(dataset, tmp_path / "copy", "format1")
    assert Dataset.open(tmp_path / "copy").digest == dataset.digest
