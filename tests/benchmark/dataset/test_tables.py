from __future__ import annotations

import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmark.dataset import tables
from benchmark.errors import DatasetError


def test_types_become_canonical_and_columns_ordered():
    table = tables.canonical(
        pa.table(
            {
                "zeta": pa.array([1, 2], pa.int8()),
                "id": pa.array(["a", "b"]).dictionary_encode(),
                "alpha": pa.array([float("nan"), 2], pa.float32()),
                "outline": pa.array([[1, 2], None], pa.large_list(pa.int32())),
                "height": pa.array([3.0, 4.0]),
            }
        ),
        "samples",
    )
    assert table.column_names == [*tables.SAMPLE_FIELDS, "alpha", "outline", "zeta"]
    assert table["zeta"].type == pa.int64()
    assert table["id"].type == pa.string()
    assert table["alpha"].to_pylist() == [None, 2.0]
    assert table["outline"].type == pa.list_(pa.float64())
    assert table["height"].to_pylist() == [3, 4]
    assert table["split"].null_count == 2


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("height", [1.5]),
        ("seed", np.array([2**64 - 1], np.uint64)),
        ("split", [[1]]),
        ("when", [{"a": 1}]),
    ],
)
def test_what_does_not_fit_is_refused_by_name(column, values):
    table = pa.table({"id": ["a"], column: pa.array(values)})
    with pytest.raises(DatasetError) as caught:
        tables.canonical(table, "samples")
    assert caught.value.where == f"samples.{column}"


def test_further_columns_get_their_type_from_all_rows():
    rows = [{"id": "a", "x": 1, "y": True}, {"id": "b", "x": 2.5, "z": "m"}, {"id": "c"}]
    table = tables.from_rows(rows, "samples")
    assert table["x"].to_pylist() == [1.0, 2.5, None]
    assert table["y"].to_pylist() == [True, None, None]
    assert table["z"].to_pylist() == [None, "m", None]


def described(values, name="b", **columns):
    key = {"sample": [name] * len(values), "target": ["nuclei"] * len(values)}
    return tables.canonical(
        pa.table({**key, "label": range(1, 1 + len(values)), "further": values, **columns}),
        "objects",
    )


@pytest.mark.parametrize("values", [[[1.0, 2.0], None], ["m", None], [True, None], [0.5, None]])
@pytest.mark.parametrize("gaps", [[None, None], []])
def test_a_part_without_values_takes_the_type_of_the_others(values, gaps):
    parts = [described(gaps, "a"), described(values), described(gaps, "c")]
    whole = tables.stacked(parts, "objects")
    assert whole["further"].to_pylist() == [*gaps, *values, *gaps]
    assert whole["further"].type == described(values)["further"].type


def test_types_are_kept_where_no_row_is_left():
    empty = described([True]).slice(1)
    assert tables.stacked([empty, empty], "objects")["further"].type == pa.bool_()


def test_outlines_are_lists_even_if_there_is_none():
    table = described([1, 2], outline=[None, None])
    assert table["outline"].type == pa.list_(pa.float64())
    assert table["outline"].to_pylist() == [None, None]


def test_parts_of_different_kinds_are_refused():
    with pytest.raises(DatasetError, match="different kinds in the table objects"):
        tables.stacked([described([[1.0]]), described([2.0])], "objects")


@pytest.mark.parametrize("values", [(1, "a"), ("a", 1.5), (True, "a"), (2**70, 1)])
def test_values_of_different_kinds_are_refused_by_column(values):
    rows = [{"id": str(i), "x": value} for i, value in enumerate(values)]
    with pytest.raises(DatasetError, match="x are of different kinds"):
        tables.from_rows(rows, "samples")


def test_a_table_is_read_as_saved_in_the_order_of_its_key(tmp_path):
    table = tables.canonical(
        pa.table({"sample": ["b", "a"], "target": ["nuclei"] * 2, "label": [1, 2]}), "objects"
    )
    tables.save(table, "objects", tmp_path)
    assert tables.load("objects", tmp_path).equals(table.take([1, 0]))


def test_files_that_are_no_such_table_are_errors_that_name_the_file(tmp_path):
    path = tmp_path / "spots.parquet"
    for content, message in (
        (None, "the table spots is missing"),
        (b"", "cannot be read"),
        (b"PAR1nonsense", "cannot be read"),
        (pa.table({"sample": ["a"]}), "lacks channel, object, photons"),
        (tables.canonical(pa.table({"sample": ["a"]}), "spots"), "rows without channel, y, x"),
        (pa.table([["a"], ["b"]], names=["sample", "sample"]), "two columns sample"),
        (pa.table({"sample": pa.array([b"\xff"]).view(pa.string())}), "cannot be read"),
    ):
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            pq.write_table(content, path)
        with pytest.raises(DatasetError, match=message) as caught:
            tables.load("spots", tmp_path)
        assert caught.value.where == str(path)


def test_a_truncated_table_cannot_be_read(tmp_path):
    tables.save(tables.empty("spots"), "spots", tmp_path)
    path = tmp_path / "spots.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="cannot be read"):
        tables.load("spots", tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep file names as Unicode")
def test_a_folder_may_have_a_name_that_is_no_unicode(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    tables.save(tables.empty("spots"), "spots", folder)
    assert tables.load("spots", folder).equals(tables.empty("spots"))
