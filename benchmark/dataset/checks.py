"""What a data set says of itself, checked before anything is done by it: a stranger wrote it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmark.dataset import manifest as manifests
from benchmark.dataset import tables
from benchmark.dataset.digest import array_digest, table_digest
from benchmark.dataset.names import check_id
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmark.dataset.manifest import Manifest
    from benchmark.dataset.tables import TableName


def check_samples(table: pa.Table, manifest: Manifest, folder: Path) -> None:
    """Check that every row of the table of samples can be worked with.

    Raises
    ------
    DatasetError
        If there is no row or a column is missing, an id is no file name or occurs twice, or a
        size or a count is none.
    """
    file = folder / "samples.parquet"
    counts = [f"n_{target}" for target in manifest.targets]
    needed = [*counts, "digest_image", *(f"digest_{target}" for target in manifest.targets)]
    missing = [column for column in needed if column not in table.column_names]
    if missing:
        raise tables.lacks("samples", missing, file)
    if table.num_rows == 0:
        raise _damaged("the table samples has no rows", file)
    ids = table.column("id").to_pylist()
    for name in ids:
        check_id(name)
    if len(set(ids)) != len(ids):
        raise _damaged("two samples have one id", file)
    for column, least in [("height", 1), ("width", 1), *((count, 0) for count in counts)]:
        values = table.column(column)
        whole = pa.types.is_integer(values.type) and values.null_count == 0
        if not whole or pc.min(values).as_py() < least:
            raise _damaged(
                f"the table samples holds something else in {column} than whole numbers from "
                f"{least} on",
                file,
            )


def check_splits(table: pa.Table, manifest: Manifest, folder: Path) -> None:
    """Check that the splits of the samples are those of the manifest, whose names are words.

    Splits become parts of paths, here and wherever a run or an export is written.

    Raises
    ------
    DatasetError
        If a split has another name or number of samples.
    """
    if Counter(table.column("split").to_pylist()) != manifest.splits:
        raise _damaged(
            "the splits of the samples are not those of the manifest", folder / "samples.parquet"
        )


def check_manifest(manifest: Manifest, folder: Path) -> None:
    """Check that the fields of the manifest make the digest that it states.

    Raises
    ------
    DatasetError
        If they do not.
    """
    if manifest.computed_digest() != manifest.digest:
        raise _damaged(
            "the manifest was changed: its fields do not make the digest that it states",
            folder / manifests.FILE_NAME,
        )


def check_table(table: pa.Table, name: TableName, manifest: Manifest, folder: Path) -> None:
    """Check that a table has the digest that the manifest states.

    Raises
    ------
    DatasetError
        If it has another.
    """
    if table_digest(table, tables.KEYS[name]) != manifest.tables.get(name):
        raise _damaged(
            f"the table {name} was changed: its digest is not the manifest's",
            folder / f"{name}.parquet",
        )


def check_pixels(array: NDArray[Any], digest: Any, path: Path, folder: Path) -> None:
    """Check that an image or labels have the digest that the table of samples states.

    Raises
    ------
    DatasetError
        If they have another.
    """
    if array_digest(array) != digest:
        raise DatasetError(
            "the pixels are not those the data set was sealed with",
            where=path,
            mend="get a fresh copy of the file; all that was changed is listed by: "
            f"bench dataset verify {folder}",
        )


def _damaged(what: str, where: Path) -> DatasetError:
    return DatasetError(what, where=where, mend="get a fresh copy of the data set")
