from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark.dataset.digest import array_digest, json_digest, table_digest

KEY = ("id",)


def test_array_digest_by_hand():
    array = np.array([[1, 2], [3, 258]], np.uint16)
    content = b'["<u2",[2,2]]\n' + bytes([1, 0, 2, 0, 3, 0, 2, 1])
    assert array_digest(array) == hashlib.sha256(content).hexdigest()


def test_json_digest_by_hand():
    content = '{"a":[1,2.5,null],"é":"x"}\n'.encode()
    assert json_digest({"é": "x", "a": [1, 2.5, None]}) == hashlib.sha256(content).hexdigest()


arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.uint16, np.uint32]),
    hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=5),
)


@given(arrays)
def test_layout_in_memory_does_not_count(array):
    digest = array_digest(array)
    assert array_digest(np.asfortranarray(array)) == digest
    assert array_digest(array.astype(array.dtype.newbyteorder(">"))) == digest
    assert array_digest(np.repeat(array, 2, axis=-1)[..., ::2]) == digest


@given(arrays, st.data())
def test_every_pixel_counts(array, data):
    changed = array.copy()
    index = data.draw(st.integers(0, array.size - 1))
    changed.flat[index] ^= data.draw(st.integers(1, 255))
    assert array_digest(changed) != array_digest(array)


def test_type_and_shape_count():
    array = np.zeros((2, 3), np.uint16)
    others = [array.reshape(3, 2), array.astype(np.uint32), array[np.newaxis]]
    assert len({array_digest(a) for a in [array, *others]}) == 4


rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text(max_size=3),
            "count": st.none() | st.integers(-(2**63), 2**63 - 1),
            "value": st.none() | st.floats(allow_nan=False),
            "flag": st.none() | st.booleans(),
            "outline": st.none() | st.lists(st.floats(allow_nan=False), max_size=3),
        }
    ),
    max_size=6,
    unique_by=lambda row: row["id"],
)
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "count": pa.int64(),
        "value": pa.float64(),
        "flag": pa.bool_(),
        "outline": pa.list_(pa.float64()),
    }
)


@given(rows, st.randoms(use_true_random=False))
def test_order_of_rows_and_columns_and_chunks_does_not_count(rows, random):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    shuffled = random.sample(rows, len(rows))
    parts = [pa.Table.from_pylist([row], schema=SCHEMA) for row in shuffled]
    other = pa.concat_tables(parts) if parts else table
    names = random.sample(SCHEMA.names, len(SCHEMA.names))
    assert table_digest(other.select(names), KEY) == table_digest(table, KEY)


@given(rows.filter(bool), st.data())
def test_every_cell_counts(rows, data):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from(["count", "value", "flag", "outline"]))
    other = {"count": 7, "value": 0.125, "flag": True, "outline": [1.0, 2.0, 3.0, 4.0]}[column]
    before = rows[row][column]
    changed = [dict(one) for one in rows]
    changed[row][column] = None if before == other else other
    assert table_digest(pa.Table.from_pylist(changed, schema=SCHEMA), KEY) != table_digest(
        table, KEY
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"id": ["a", "bc"]}, {"id": ["ab", "c"]}),
        ({"id": ["a"], "x": [[1.0]], "y": [[]]}, {"id": ["a"], "x": [[]], "y": [[1.0]]}),
        ({"id": ["a"], "x": [0]}, {"id": ["a"], "x": [0.0]}),
        ({"id": ["a"], "x": [0]}, {"id": ["a"], "y": [0]}),
        ({"id": ["a", None]}, {"id": ["a", ""]}),
    ],
)
def test_what_lies_beside_each_other_is_kept_apart(first, second):
    assert table_digest(pa.table(first), KEY) != table_digest(pa.table(second), KEY)


def test_zero_has_no_sign():
    tables = [pa.table({"id": ["a"], "x": [x]}) for x in (0.0, -0.0)]
    assert table_digest(tables[0], KEY) == table_digest(tables[1], KEY)
