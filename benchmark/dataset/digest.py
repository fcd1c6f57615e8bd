"""Digests over decoded content: the same whatever the compression, the order or the encoder.

Each digest is the SHA-256, in hexadecimal, of bytes that are defined here and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray


BLOCK = 2**18
"""Numbers that are digested at once."""


def json_digest(value: Any) -> str:
    """Return the digest of a JSON value: sorted keys, no spaces, UTF-8, no NaN.

    Examples
    --------
    >>> json_digest({"b": 1, "a": 2}) == json_digest({"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(_json_bytes(value)).hexdigest()


def array_digest(array: NDArray[Any]) -> str:
    """Return the digest of an array: dtype, shape, and its values little-endian in C order.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.arange(6, dtype="uint16").reshape(2, 3)
    >>> array_digest(a) == array_digest(np.asfortranarray(a).astype(">u2"))
    True
    >>> array_digest(a) == array_digest(a.reshape(3, 2))
    False
    """
    dtype = array.dtype.newbyteorder("<")
    values = np.ascontiguousarray(array, dtype=dtype)
    digest = hashlib.sha256(_json_bytes([dtype.str, list(array.shape)]))
    digest.update(values.data)
    return digest.hexdigest()


def table_digest(table: pa.Table, key: tuple[str, ...]) -> str:
    """Return the digest of a table whose columns have the canonical types of `tables`.

    Neither the order of the columns nor that of the rows counts: columns are taken by name, rows
    by the key columns and then by all other plain columns.
    """
    names = sorted(table.column_names)
    plain = [name for name in names if not pa.types.is_list(table.schema.field(name).type)]
    order = [*key, *(name for name in plain if name not in key)]
    rows = pc.sort_indices(table, [(name, "ascending") for name in order])
    digest = hashlib.sha256(_json_bytes([names, table.num_rows]))
    # A column at a time: sorting the table would be a second one, and outlines are large.
    for name in names:
        _update(digest, name, table.column(name).combine_chunks(), rows)
    return digest.hexdigest()


def _update(digest: hashlib._Hash, name: str, column: Any, rows: Any) -> None:
    """Add one column in the order of rows: name and type, which have a value, then the values."""
    kind = column.type
    lists = column
    column = pc.list_value_length(column) if pa.types.is_list(kind) else column
    column = column.take(rows)
    digest.update(_json_bytes([name, _type_name(kind)]))
    digest.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
    if pa.types.is_list(kind):
        lengths = pc.fill_null(column, 0)
        digest.update(lengths.to_numpy(zero_copy_only=False).astype("<i8").tobytes())
        for start in range(0, len(rows), BLOCK // 64):
            _add_numbers(digest, lists.take(rows.slice(start, BLOCK // 64)).flatten(), "<f8")
    elif pa.types.is_string(kind):
        filled = pc.fill_null(column, "")
        lengths = pc.binary_length(filled)
        digest.update(lengths.to_numpy(zero_copy_only=False).astype("<i8").tobytes())
        digest.update("".join(filled.to_pylist()).encode())
    elif pa.types.is_boolean(kind):
        _add_numbers(digest, pc.fill_null(column, False), "u1")
    else:
        dtype = "<f8" if pa.types.is_floating(kind) else "<i8"
        _add_numbers(digest, pc.fill_null(column, 0), dtype)


def _type_name(kind: Any) -> str:
    """Return a name of a canonical type that no release of Arrow can change."""
    if pa.types.is_list(kind):
        return "numbers"
    if pa.types.is_string(kind):
        return "text"
    if pa.types.is_boolean(kind):
        return "truth"
    return "fraction" if pa.types.is_floating(kind) else "integer"


def _add_numbers(digest: hashlib._Hash, column: Any, dtype: str) -> None:
    for start in range(0, len(column), BLOCK):
        part = column.slice(start, BLOCK)
        values: NDArray[Any] = part.to_numpy(zero_copy_only=False).astype(dtype)
        # Adding zero turns -0.0 into 0.0: the two are equal and have to digest alike.
        digest.update((values + values.dtype.type(0)).tobytes())


def _json_bytes(value: Any) -> bytes:
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode() + b"\n"
