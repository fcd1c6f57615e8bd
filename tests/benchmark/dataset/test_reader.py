from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile

from benchmark.dataset import Dataset, DatasetWriter, builtin, export, released, tables, verify
from benchmark.dataset import manifest as manifests
from benchmark.dataset.digest import table_digest
from benchmark.dataset.released import Release
from benchmark.errors import DatasetError


def test_splits_are_listed_by_name(make_dataset):
    dataset = make_dataset()
    assert dataset.ids("train") == ["s0", "s1"]
    assert dataset.ids("test") == ["s2", "s3"]
    assert len(dataset) == 4
    with pytest.raises(DatasetError, match="no split 'tset'") as caught:
        dataset.ids("tset")
    assert caught.value.mend == "did you mean 'test'?"


def test_unknown_samples_and_targets_get_the_nearest_name(make_dataset):
    dataset = make_dataset()
    with pytest.raises(DatasetError, match="no sample 's9'"):
        dataset.read_image("s9")
    with pytest.raises(DatasetError, match="no target 'nucleus'") as caught:
        dataset.read_labels("s0", "nucleus")
    assert caught.value.mend == "did you mean 'nuclei'?"


def test_a_sample_is_read_whole(make_dataset):
    dataset = make_dataset()
    sample = dataset.read("s2")
    assert (sample.id, sample.split, sample.scene) == ("s2", "test", "scene1")
    assert sample.row["density"] == 0.5
    np.testing.assert_array_equal(sample.image, dataset.read_image("s2"))
    np.testing.assert_array_equal(sample.labels["nuclei"], dataset.read_labels("s2"))


def test_opening_reads_no_array_and_no_large_table(make_dataset):
    path = make_dataset().path
    for name in ("images/s0.tif", "objects.parquet", "spots.parquet"):
        (path / name).write_bytes(b"")
    assert Dataset.open(path).ids() == ["s0", "s1", "s2", "s3"]


def test_memory_does_not_grow_with_the_number_of_samples(make_sample, tmp_path):
    sample = make_sample("x", shape=(64, 64))
    peaks = {}
    for count in (10, 100):
        with DatasetWriter(tmp_path / str(count), name="many", version="1.0.0") as writer:
            for number in range(count):
                writer.add(replace(sample, id=f"s{number:03}"))
        dataset = Dataset.open(tmp_path / str(count))
        dataset.read("s000")  # what is loaded once, on first use
        tracemalloc.start()
        total = sum(int(dataset.read(name).image.sum()) for name in dataset.ids())
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == count * int(sample.image.sum())
    of_one_sample = 2 * 64 * 64 * 2
    assert peaks[100] < peaks[10] + 20 * of_one_sample


def test_folders_that_hold_no_data_set_are_told_so(make_dataset, tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(DatasetError, match="no data set of format 1"):
            Dataset.open(path)
    path = make_dataset().path / "dataset.json"
    text = path.read_text()
    for old, new, message in (
        ('"format": 1', '"format": 2', "format"),
        ('"name": "small"', '"name": "../small"', "name"),
        ('"licence"', '"license"', "licence"),
        ('"licence"', '"extra": 1, "licence"', "extra"),
        ("{", "", "the whole file"),
    ):
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(DatasetError, match=f"the manifest is not valid: {message}"):
            Dataset.open(path.parent)
    path.write_bytes(b"\xff")
    with pytest.raises(DatasetError, match="cannot be read"):
        Dataset.open(path.parent)


def rewrite(path, *, seal=True, **columns):
    """Change the table of samples as a stranger can: with the digests that then belong to it."""
    table = tables.load("samples", path)
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table, path / "samples.parquet")
    if seal:
        fields = manifests.load(path).model_dump()
        fields["tables"]["samples"] = table_digest(tables.canonical(table, "samples"), ("id",))
        manifests.save(manifests.sealed(fields), path)


@pytest.mark.parametrize("name", ["../s0", "/etc/passwd", "a/b", ".s0"])
def test_ids_from_strangers_are_no_paths(make_dataset, name):
    path = make_dataset().path
    rewrite(path, id=[name, "s1", "s2", "s3"])
    with pytest.raises(DatasetError, match="cannot be a sample's id"):
        Dataset.open(path)


@pytest.mark.parametrize("image", ["../secret.tif", "/etc/passwd", "images/../../secret.tif"])
def test_paths_from_strangers_do_not_lead_out(make_dataset, image):
    path = make_dataset().path
    (path.parent / "secret.tif").write_bytes((path / "images" / "s0.tif").read_bytes())
    rewrite(path, image=[image] * 4)
    with pytest.raises(DatasetError, match="leads out of the folder"):
        Dataset.open(path).read_image("s0")


ESCAPES = ["/../../../ESCAPED", "..", "a/b", "test\n", ""]


@pytest.mark.parametrize("split", [*ESCAPES, "val"])
def test_splits_from_strangers_are_those_of_the_manifest(make_dataset, split):
    path = make_dataset().path
    rewrite(path, split=[split, "train", "test", "test"])
    with pytest.raises(DatasetError, match="splits of the samples are not those of the manifest"):
        Dataset.open(path)
    assert next((f.kind, f.where) for f in verify(path)) == ("manifest", "dataset.json")


@pytest.mark.parametrize("split", ESCAPES)
def test_splits_in_the_manifest_are_words(make_dataset, split):
    path = make_dataset().path
    rewrite(path, split=[split] * 4)
    text = json.loads((path / "dataset.json").read_text())
    (path / "dataset.json").write_text(json.dumps({**text, "splits": {split: 4}}))
    with pytest.raises(DatasetError, match="the manifest is not valid: splits"):
        Dataset.open(path)


@pytest.mark.parametrize("layout", ["cellpose", "stardist"])
def test_no_export_writes_out_of_its_folder(make_dataset, tmp_path, layout):
    path = make_dataset().path
    rewrite(path, split=["../../ESCAPED", "train", "test", "test"])
    with pytest.raises(DatasetError, match="leads out of the folder"):
        export(Dataset.open(path, sealed=False), tmp_path / "a" / "out", layout)
    assert not list(tmp_path.rglob("ESCAPED*"))
    assert not (tmp_path / "a" / "out").exists()


@pytest.mark.parametrize("file", ["images/s0.tif", "labels/nuclei/s0.tif"])
def test_pixels_that_were_changed_are_refused(make_dataset, file):
    dataset = make_dataset()
    array = tifffile.imread(dataset.path / file)
    array[7, 11] ^= 1
    tifffile.imwrite(dataset.path / file, array)
    read = dataset.read_image if file.startswith("images") else dataset.read_labels
    with pytest.raises(DatasetError, match="pixels are not those the data set was") as caught:
        read("s0")
    assert caught.value.where == str(dataset.path / file)
    assert f"bench dataset verify {dataset.path}" in caught.value.mend
    read("s1")


def test_rows_that_were_changed_are_refused(make_dataset):
    dataset = make_dataset()
    digests = dataset.samples["digest_image"].tolist()
    rewrite(dataset.path, seal=False, digest_image=digests[1:] + digests[:1])
    with pytest.raises(DatasetError, match="the table samples was changed"):
        Dataset.open(dataset.path)
    stated = dataset.digest
    rewrite(dataset.path)  # a digest that is known to others cannot be kept
    assert Dataset.open(dataset.path).digest != stated
    text = (dataset.path / "dataset.json").read_text()
    (dataset.path / "dataset.json").write_text(
        text.replace(Dataset.open(dataset.path).digest, stated)
    )
    with pytest.raises(DatasetError, match="the manifest was changed"):
        Dataset.open(dataset.path)


@pytest.mark.parametrize("name", ["objects", "spots"])
def test_other_tables_that_were_changed_are_refused(make_dataset, name):
    dataset = make_dataset()
    assert len(getattr(dataset, name)) > 3
    table = pq.read_table(dataset.path / f"{name}.parquet")
    pq.write_table(table.slice(1), dataset.path / f"{name}.parquet")
    with pytest.raises(DatasetError, match=f"the table {name} was changed"):
        getattr(Dataset.open(dataset.path), name)


SIZES = [[-40] * 4, [0, 40, 40, 40], ["tall"] * 4, [40.5] * 4]


@pytest.mark.parametrize("column", ["height", "width"])
@pytest.mark.parametrize("values", SIZES)
def test_sizes_from_strangers_are_sizes(make_dataset, column, values):
    path = make_dataset().path
    table = tables.load("samples", path)
    table = table.set_column(table.column_names.index(column), column, pa.array(values))
    pq.write_table(table, path / "samples.parquet")
    with pytest.raises(DatasetError, match=rf"the table samples holds .* in {column}"):
        Dataset.open(path)
    assert [f.where for f in verify(path)] == ["samples.parquet"]


@pytest.mark.parametrize(
    "values", [["3"] * 4, [-1, 3, 3, 3], [1.5] * 4, [None, 3, 3, 3], [True] * 4]
)
def test_counts_from_strangers_are_counts(make_dataset, values):
    path = make_dataset().path
    rewrite(path, n_nuclei=values)
    with pytest.raises(DatasetError, match=r"the table samples holds .* in n_nuclei"):
        Dataset.open(path)
    assert [(f.kind, f.where) for f in verify(path)] == [("table", "samples.parquet")]


def test_links_from_strangers_do_not_lead_out(make_dataset):
    path = make_dataset().path
    secret = path.parent / "secret.tif"
    for file in ("images/s0.tif", "labels/nuclei/s0.tif"):
        (path / file).rename(secret)
        (path / file).symlink_to(secret)
    dataset = Dataset.open(path)
    for read in (dataset.read_image, dataset.read_labels):
        with pytest.raises(DatasetError, match="leads out of the folder"):
            read("s0")


def test_twice_the_same_id_or_a_lost_column_is_no_data_set(make_dataset):
    path = make_dataset().path
    whole = (path / "samples.parquet").read_bytes()
    rewrite(path, id=["s0", "s0", "s2", "s3"])
    with pytest.raises(DatasetError, match="two samples have one id"):
        Dataset.open(path)
    (path / "samples.parquet").write_bytes(whole)
    table = pq.read_table(path / "samples.parquet").drop_columns(["digest_nuclei", "n_nuclei"])
    pq.write_table(table, path / "samples.parquet")
    with pytest.raises(DatasetError, match="lacks n_nuclei, digest_nuclei"):
        Dataset.open(path)


def test_arrays_of_another_type_are_refused(make_dataset):
    dataset = make_dataset()
    for file in ("images/s0.tif", "labels/nuclei/s0.tif"):
        tifffile.imwrite(dataset.path / file, np.zeros((40, 48), np.float32))
    with pytest.raises(DatasetError, match="not uint8 or uint16"):
        dataset.read_image("s0")
    with pytest.raises(DatasetError, match="not an unsigned integer"):
        dataset.read_labels("s0")


def test_the_built_in_data_set_opens_by_name(make_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(builtin, "_HOME", tmp_path / "home")
    with pytest.raises(DatasetError, match="holds 0 data sets cellgen-nuclei"):
        Dataset.open("builtin")
    made = make_dataset(tmp_path / "home" / "cellgen-nuclei-1.0.0", name="cellgen-nuclei-x")
    assert Dataset.open("builtin").path == made.path


def test_every_shipped_data_set_opens_by_its_name_unless_a_folder_has_it(
    make_dataset, tmp_path, monkeypatch
):
    monkeypatch.setattr(builtin, "_HOME", tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    shipped = make_dataset(tmp_path / "home" / "small-1.0.0")
    longer = make_dataset(tmp_path / "home" / "small-cells-2.0.0", name="small-cells")
    assert builtin.builtin_names() == ("small", "small-cells")
    assert Dataset.open("small").path == shipped.path
    assert Dataset.open("small-cells").path == longer.path
    own = make_dataset(tmp_path / "small", name="own")
    assert Dataset.open("small").name == own.name


def test_a_split_that_is_not_shipped_can_be_made(make_dataset, monkeypatch):
    made = make_dataset()
    release = Release(
        name=made.name,
        version=made.version,
        recipe="nuclei",
        seed=3,
        digest=made.digest,
        splits={**made.manifest.splits, "rest": 9},
    )
    monkeypatch.setattr(released, "release_of", lambda _manifest: release)
    with pytest.raises(DatasetError, match="has no split 'rest'") as caught:
        made.ids("rest")
    assert "bench generate nuclei --seed 3 --out FOLDER" in caught.value.mend
