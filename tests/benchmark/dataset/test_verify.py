from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.dataset import Dataset, tables, verify


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return {"path": tmp_path_factory.mktemp("pristine") / "set"}


@pytest.fixture
def path(pristine, make_dataset, tmp_path):
    """A fresh copy of a data set that was written once."""
    if not pristine["path"].exists():
        make_dataset(pristine["path"])
    return shutil.copytree(pristine["path"], tmp_path / "set")


def only(findings):
    assert len(findings) == 1, findings
    return findings[0].kind, findings[0].where


def test_an_intact_data_set_has_no_findings(path):
    told = []
    assert verify(path, progress=lambda done, total: told.append((done, total))) == []
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    compression=st.sampled_from(["none", "zlib", "lzma"]),
    codec=st.sampled_from(["none", "snappy", "gzip", "zstd"]),
    byteorder=st.sampled_from("<>"),
    seed=st.integers(0, 99),
)
def test_compression_and_order_do_not_count(path, **how):
    compression, codec, byteorder, seed = how.values()
    rng = np.random.default_rng(seed)
    with TemporaryDirectory(dir=path.parent) as folder:
        copy = shutil.copytree(path, f"{folder}/set")
        for file in Path(copy).rglob("*.tif"):
            tifffile.imwrite(
                file,
                tifffile.imread(file),
                photometric="minisblack",
                compression=compression,
                byteorder=byteorder,
                rowsperstrip=int(rng.integers(1, 40)),
            )
        for file in Path(copy).glob("*.parquet"):
            table = pq.read_table(file)
            shuffled = table.take(rng.permutation(table.num_rows))
            columns = [table.column_names[i] for i in rng.permutation(table.num_columns)]
            pq.write_table(shuffled.select(columns), file, compression=codec, row_group_size=2)
        manifest = json.loads(Path(copy, "dataset.json").read_text())
        backwards = {key: manifest[key] for key in reversed(manifest)}
        Path(copy, "dataset.json").write_text(json.dumps(backwards))
        assert verify(copy) == []


@pytest.mark.parametrize(
    ("file", "kind"), [("images/s1.tif", "image"), ("labels/nuclei/s1.tif", "labels")]
)
def test_a_flipped_pixel_is_found(path, file, kind):
    array = tifffile.imread(path / file)
    array[7, 11] ^= 1
    tifffile.imwrite(path / file, array)
    assert only(verify(path)) == (kind, file)


@pytest.mark.parametrize("file", ["images/s1.tif", "labels/nuclei/s1.tif"])
def test_arrays_of_another_type_shape_or_depth_are_found(path, file):
    array = tifffile.imread(path / file)
    for other in (array.T, array[1:], array.astype(float), np.stack([array, array])):
        tifffile.imwrite(path / file, other)
        assert only(verify(path)) == ("damaged", file)
    tifffile.imwrite(path / file, array.astype(np.uint8))  # the same values in another type
    assert verify(path) != []


@pytest.mark.parametrize("keep", [0, 5, 0.5, 0.98])
@pytest.mark.parametrize("file", ["images/s1.tif", "labels/nuclei/s1.tif"])
def test_a_truncated_file_is_found(path, file, keep):
    content = (path / file).read_bytes()
    length = int(keep * len(content)) if isinstance(keep, float) else keep
    (path / file).write_bytes(content[:length])
    assert only(verify(path)) == ("damaged", file)


def test_any_flipped_bit_of_a_file_is_found_or_changes_nothing(path):
    original = {name: Dataset.open(path).read_image(name) for name in ("s0", "s1")}
    file = path / "images" / "s0.tif"
    content = file.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.choice(len(content), 60, replace=False):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        findings = verify(path)
        if findings:
            assert only(findings)[1] == "images/s0.tif"
        else:
            np.testing.assert_array_equal(Dataset.open(path).read_image("s0"), original["s0"])


@pytest.mark.parametrize(
    "file",
    [
        "images/s1.tif",
        "labels/nuclei/s1.tif",
        "samples.parquet",
        "objects.parquet",
        "spots.parquet",
        "croissant.json",
    ],
)
def test_a_missing_file_is_found(path, file):
    (path / file).unlink()
    assert only(verify(path)) == ("missing", file)


@pytest.mark.parametrize("file", ["x", "images/s9.tif", "labels/cells/s1.tif", "images/a/b.txt"])
def test_a_file_too_many_is_found(path, file):
    (path / file).parent.mkdir(parents=True, exist_ok=True)
    (path / file).write_text("x")
    assert only(verify(path)) == ("extra", file)


def test_what_desktops_leave_behind_is_not_part_of_it(path):
    (path / "images" / ".DS_Store").write_text("x")
    (path / "Thumbs.db").write_text("x")
    assert verify(path) == []


def replace_value(path, name, column, value):
    table = pq.read_table(path / f"{name}.parquet")
    values = table[column].to_pylist()
    values[0] = value
    changed = pa.array(values, table[column].type)
    table = table.set_column(table.column_names.index(column), column, changed)
    pq.write_table(table, path / f"{name}.parquet")


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("samples", "split", "val"),
        ("samples", "density", 0.125),
        ("samples", "density", None),
        ("samples", "n_nuclei", 99),
        ("objects", "area", 1),
        ("objects", "snr", None),
        ("objects", "touching", None),
        ("spots", "y", 1.5000001),
        ("spots", "object", 1),
    ],
)
def test_a_changed_table_is_found(path, name, column, value):
    replace_value(path, name, column, value)
    assert only(verify(path)) == ("table", f"{name}.parquet")


@pytest.mark.parametrize("name", ["samples", "objects", "spots"])
def test_a_lost_row_a_new_column_or_a_lost_one_is_found(path, name):
    file = path / f"{name}.parquet"
    table = pq.read_table(file)
    last = table.column_names[-1]
    for changed in (
        table.slice(1),
        pa.concat_tables([table, table.slice(0, 1)]),
        table.append_column("new", pa.array([1] * table.num_rows)),
        table.drop_columns([last]),
        table.rename_columns([*table.column_names[:-1], "other"]),
    ):
        pq.write_table(changed, file)
        assert ("table", f"{name}.parquet") in {(f.kind, f.where) for f in verify(path)}
    file.write_bytes(file.read_bytes()[:-9])
    assert only(verify(path)) == ("table", f"{name}.parquet")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("licence", "CC0-1.0"),
        ("version", "1.0.1"),
        ("name", "other"),
        ("splits", {"test": 4}),
        ("channels", ["actin"]),
        ("pixel_size_um", 0.5),
        ("labels_note", "amodal"),
        ("digest", "0" * 64),
    ],
)
def test_a_changed_manifest_is_found(path, field, value):
    manifest = json.loads((path / "dataset.json").read_text())
    (path / "dataset.json").write_text(json.dumps({**manifest, field: value}))
    found = {(finding.kind, finding.where) for finding in verify(path)}
    assert ("manifest", "dataset.json") in found
    assert found <= {("manifest", "dataset.json"), ("manifest", "croissant.json")}


def test_an_unreadable_manifest_is_found(path):
    for content in ("", "[]", "{", '{"format": 2}'):
        (path / "dataset.json").write_text(content)
        assert only(verify(path)) == ("manifest", "dataset.json")
    (path / "dataset.json").unlink()
    assert only(verify(path)) == ("manifest", "dataset.json")


def test_a_foreign_description_is_found(path):
    for content in ("{", "[]", '{"identifier": "sha256:0"}'):
        (path / "croissant.json").write_text(content)
        assert only(verify(path)) == ("manifest", "croissant.json")


@pytest.mark.parametrize(
    ("column", "value"),
    [("id", "../s0"), ("id", "images/s0"), ("image", "/etc/passwd"), ("image", "../s0.tif")],
)
def test_a_path_out_of_the_folder_is_found_and_not_followed(path, column, value):
    replace_value(path, "samples", column, value)
    where = "samples.parquet" if column == "id" else value
    assert ("path", where) in {(f.kind, f.where) for f in verify(path)}


def test_an_image_at_another_place_than_its_own_is_found(path):
    replace_value(path, "samples", "image", "images/s1.tif")
    assert ("path", "samples.parquet") in {(f.kind, f.where) for f in verify(path)}


def test_a_link_out_of_the_folder_is_found(path):
    (path / "images" / "s1.tif").rename(path.parent / "s1.tif")
    (path / "images" / "s1.tif").symlink_to(path.parent / "s1.tif")
    assert only(verify(path)) == ("path", "images/s1.tif")


def test_a_forged_table_with_its_digest_forged_too_cannot_hide_a_lost_column(path):
    """Whoever can write the folder can make it consistent; what is read must still be safe."""
    from benchmark.dataset import manifest as manifests
    from benchmark.dataset.digest import table_digest

    table = tables.load("samples", path).drop_columns(["digest_image"])
    pq.write_table(table, path / "samples.parquet")
    fields = manifests.load(path).model_dump()
    fields["tables"]["samples"] = table_digest(table, ("id",))
    manifests.save(manifests.sealed(fields), path)
    assert ("table", "samples.parquet") in {(f.kind, f.where) for f in verify(path)}


def test_a_changed_table_of_samples_hides_nothing_else(path):
    array = tifffile.imread(path / "images" / "s1.tif")
    tifffile.imwrite(path / "images" / "s1.tif", array + 1)
    (path / "labels" / "nuclei" / "s0.tif").unlink()
    replace_value(path, "samples", "split", "../val")
    assert [(finding.kind, finding.where) for finding in verify(path)] == [
        ("table", "samples.parquet"),
        ("missing", "labels/nuclei/s0.tif"),
        ("image", "images/s1.tif"),
    ]


def test_several_findings_come_together(path):
    (path / "images" / "s0.tif").unlink()
    (path / "extra").write_text("x")
    table = pq.read_table(path / "spots.parquet")
    doubled = table.set_column(
        table.column_names.index("photons"), "photons", pc.multiply(table["photons"], 2)
    )
    pq.write_table(doubled, path / "spots.parquet")
    found = {(finding.kind, finding.where) for finding in verify(path)}
    assert found == {("missing", "images/s0.tif"), ("extra", "extra"), ("table", "spots.parquet")}
