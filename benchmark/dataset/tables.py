"""The three tables: their key columns, their column types, reading and writing them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

TableName = Literal["samples", "objects", "spots"]

GROUP = 2**14
"""Rows that are written at once."""

KEYS: dict[TableName, tuple[str, ...]] = {
    "samples": ("id",),
    "objects": ("sample", "target", "label"),
    "spots": ("sample", "channel", "y", "x"),
}

SAMPLE_FIELDS = {
    "id": pa.string(),
    "split": pa.string(),
    "scene": pa.string(),
    "seed": pa.int64(),
    "image": pa.string(),
    "height": pa.int64(),
    "width": pa.int64(),
}

OBJECT_FIELDS = {
    "sample": pa.string(),
    "target": pa.string(),
    "label": pa.int64(),
    "area": pa.int64(),
    "centroid_y": pa.float64(),
    "centroid_x": pa.float64(),
    "box_y0": pa.int64(),
    "box_x0": pa.int64(),
    "box_y1": pa.int64(),
    "box_x1": pa.int64(),
    "contrast": pa.float64(),
    "snr": pa.float64(),
    "gap": pa.float64(),
    "touching": pa.bool_(),
    "hidden": pa.float64(),
    "parent": pa.int64(),
}

SPOT_FIELDS = {
    "sample": pa.string(),
    "channel": pa.string(),
    "y": pa.float64(),
    "x": pa.float64(),
    "photons": pa.float64(),
    "sigma": pa.float64(),
    "object": pa.int64(),
}

FIELDS: dict[TableName, dict[str, Any]] = {
    "samples": SAMPLE_FIELDS,
    "objects": OBJECT_FIELDS,
    "spots": SPOT_FIELDS,
}


# Columns that need not be there, but have a type even where no row has a value.
OPTIONAL: dict[TableName, dict[str, Any]] = {
    "samples": {},
    "objects": {"outline": pa.list_(pa.float64())},
    "spots": {},
}


# Columns in which every row has a value.
FULL: dict[TableName, tuple[str, ...]] = {
    "samples": ("id", "split", "scene", "image", "height", "width"),
    "objects": ("sample", "target", "label"),
    "spots": ("sample", "channel", "y", "x"),
}


def canonical(table: pa.Table, name: TableName) -> pa.Table:
    """Return a table with canonical types, required columns first and all there, no metadata.

    Integers become int64, fractions float64 with NaN as missing, text string, sequences of
    numbers lists of float64. Columns beyond the required ones are kept, by name.

    Raises
    ------
    DatasetError
        If a column holds something else, or what it holds does not fit its type.
    """
    required = FIELDS[name]
    known = {**required, **OPTIONAL[name]}
    further = sorted(set(table.column_names) - set(required))
    columns = {}
    for column in (*required, *further):
        if column not in table.column_names:
            columns[column] = pa.nulls(table.num_rows, required[column])
            continue
        values = table.column(column)
        kind = known.get(column) or _canonical_type(values.type, name, column)
        if _is_without_values(values):
            columns[column] = pa.nulls(table.num_rows, kind)
            continue
        try:
            columns[column] = _without_nan(values.cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DatasetError(
                f"the table {name} holds something else than {kind} in {column}: {error}",
                where=f"{name}.{column}",
                mend=f"give {column} as {kind}",
            ) from None
    return pa.table(columns)


def stacked(parts: Sequence[pa.Table], name: TableName) -> pa.Table:
    """Return the canonical table of the rows of all parts.

    A column that is without values in one part has the type that it has in the others.

    Raises
    ------
    DatasetError
        If parts hold different kinds of values in a column.
    """
    # Without a value to go by a column was taken for numbers.
    others = {field.name for part in parts for field in part.schema if not _is_number(field.type)}
    try:
        whole = pa.concat_tables(
            (_untyped_where_empty(part, others) for part in parts), promote_options="permissive"
        )
    except pa.ArrowException as error:
        raise DatasetError(
            f"the samples hold values of different kinds in the table {name}: {error}",
            where=name,
            mend="give every sample the same kind of value: all numbers, all text, or all lists",
        ) from None
    return canonical(whole, name)


def from_rows(rows: Sequence[Mapping[str, Any]], name: TableName) -> pa.Table:
    """Return the canonical table of rows; the type of a further column comes from its values."""
    columns = sorted({column for row in rows for column in row})
    required = FIELDS[name]
    arrays = {}
    for column in columns:
        values = [row.get(column) for row in rows]
        if any(isinstance(v, float) for v in values) and column not in required:
            # An integer among fractions is a fraction that happened to be whole.
            values = [float(v) if type(v) is int else v for v in values]
        try:
            arrays[column] = pa.array(values, required.get(column))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise DatasetError(
                f"the values of {column} are of different kinds or do not fit: {error}",
                where=f"{name}.{column}",
                mend="give every sample the same kind of value: all numbers, or all text",
            ) from None
    return canonical(pa.table(arrays), name)


def empty(name: TableName) -> pa.Table:
    """Return a table without rows."""
    return pa.schema(FIELDS[name]).empty_table()


def save(table: pa.Table, name: TableName, folder: Path) -> None:
    """Write a canonical table, rows in the order of its key."""
    rows = pc.sort_indices(table, [(column, "ascending") for column in KEYS[name]])
    # Arrow opens no path that is not Unicode.
    with (
        (folder / f"{name}.parquet").open("wb") as file,
        pq.ParquetWriter(file, table.schema, compression="zstd") as writer,
    ):
        # A group of rows at a time: a second table in order would take as much memory again.
        for start in range(0, max(len(rows), 1), GROUP):
            writer.write_table(table.take(rows.slice(start, GROUP)))


def load(name: TableName, folder: Path) -> pa.Table:
    """Read a table into canonical form.

    Raises
    ------
    DatasetError
        If the file is missing, no Parquet, or lacks a required column.
    """
    path = folder / f"{name}.parquet"
    try:
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
        table.validate(full=True)
    except FileNotFoundError:
        raise DatasetError(
            f"the table {name} is missing", where=path, mend="get a fresh copy of the data set"
        ) from None
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(
            f"the table {name} cannot be read: {error}",
            where=path,
            mend="get a fresh copy of the data set",
        ) from error
    twice = [column for column, n in Counter(table.column_names).items() if n > 1]
    if twice:
        raise DatasetError(
            f"the table {name} has two columns {', '.join(twice)}",
            where=path,
            mend="get a fresh copy of the data set",
        )
    missing = sorted(set(FIELDS[name]) - set(table.column_names))
    if missing:
        raise lacks(name, missing, path)
    table = canonical(table, name)
    gaps = [column for column in FULL[name] if table.column(column).null_count]
    if gaps:
        raise DatasetError(
            f"the table {name} has rows without {', '.join(gaps)}",
            where=path,
            mend="get a fresh copy of the data set",
        )
    return table


def lacks(name: TableName, columns: Sequence[str], path: Path) -> DatasetError:
    """Return the error for a table without columns that it must have."""
    return DatasetError(
        f"the table {name} lacks {', '.join(columns)}",
        where=path,
        mend="get a fresh copy of the data set",
    )


def as_frame(table: pa.Table, name: TableName) -> pd.DataFrame:
    """Return a canonical table as a data frame, rows in the order of its key."""
    # Seeds have more digits than a float holds; a table with some missing must not round the rest.
    frame: pd.DataFrame = _in_order(table, name).to_pandas(integer_object_nulls=name == "samples")
    return frame


def _in_order(table: pa.Table, name: TableName) -> pa.Table:
    return table.sort_by([(column, "ascending") for column in KEYS[name]])


def _canonical_type(kind: Any, name: str, column: str) -> Any:
    if pa.types.is_dictionary(kind):
        return _canonical_type(kind.value_type, name, column)
    if pa.types.is_boolean(kind):
        return pa.bool_()
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind) or pa.types.is_null(kind):
        return pa.float64()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and (
        pa.types.is_floating(kind.value_type)
        or pa.types.is_integer(kind.value_type)
        or pa.types.is_null(kind.value_type)
    ):
        return pa.list_(pa.float64())
    raise DatasetError(
        f"the table {name} cannot hold {kind} in {column}",
        where=f"{name}.{column}",
        mend="use whole numbers, fractions, true/false, text, or lists of numbers",
    )


def _untyped_where_empty(table: pa.Table, columns: set[str]) -> pa.Table:
    for position, name in enumerate(table.column_names):
        values = table.column(position)
        if name in columns and _is_number(values.type) and _is_without_values(values):
            table = table.set_column(position, name, pa.nulls(table.num_rows))
    return table


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_without_values(values: Any) -> bool:
    return bool(values.null_count == len(values))


def _without_nan(values: Any) -> Any:
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
