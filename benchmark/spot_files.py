"""Read tables of points: the positions of spots, by image."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.errors import DatasetError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")

COLUMNS = (
    {"z": "z", "y": "y", "x": "x"},
    {"z": "plane", "y": "row", "x": "col"},
    {"z": "plane", "y": "row", "x": "column"},
    {"z": "axis-0", "y": "axis-1", "x": "axis-2"},  # napari
    {"z": "", "y": "axis-0", "x": "axis-1"},
)
"""What the columns of positions may be called, in any case, in order of preference."""

IMAGE_COLUMNS = ("image", "sample")
"""Columns that tell images apart without being named."""


@dataclass(frozen=True)
class Spots:
    """The spots of one image.

    Parameters
    ----------
    at
        Positions (y, x) or (z, y, x), in pixels, shape ``(n, 2 or 3)``.
    photons
        Photons of each, shape ``(n,)``; None where they are not known.
    """

    at: NDArray[np.float64]
    photons: NDArray[np.float64] | None


def read_spots(path: Path, *, images: Sequence[str] = ()) -> dict[str, Spots]:
    """Read the spots of each image.

    Parameters
    ----------
    path
        A CSV (separated by commas, semicolons or tabs) or Parquet file with the columns ``y`` and
        ``x``, perhaps ``z`` and ``photons``; or a folder of them, one an image.
    images
        Columns that tell images apart; by default ``image`` or ``sample``, where there is one.

    Returns
    -------
    dict
        The spots by image, sorted by name; of a table without a column of images, under "".

    Raises
    ------
    DatasetError
        If a file is missing, damaged or empty, has no such columns, or holds what is no position.
    """
    if not path.exists():
        raise DatasetError(
            "there is no such file or folder",
            where=path,
            mend="check the name; relative names start from the folder that you are in",
        )
    if not path.is_dir():
        return _by_image(_read(path), path, images)
    files = [
        file
        for file in sorted(path.iterdir())
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]
    if not files:
        raise DatasetError(
            "there is no table in this folder",
            where=path,
            mend=f"add tables with one of the suffixes {', '.join(SUFFIXES)}",
        )
    found: dict[str, Spots] = {}
    for file in files:
        if file.stem in found:
            raise DatasetError(
                f"there are two tables called {file.stem}", where=path, mend="keep one of them"
            )
        found[file.stem] = _spots(_read(file), file)
    return found


def _read(path: Path) -> pd.DataFrame:
    """Read a table, with the names of its columns in lower case."""
    if path.suffix.lower() not in SUFFIXES:
        raise DatasetError(
            f"{path.suffix or 'a file without a suffix'} is no kind of table",
            where=path,
            mend=f"save the points with one of the suffixes {', '.join(SUFFIXES)}",
        )
    try:
        table = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else _read_text(path)
    except (ValueError, OSError, pd.errors.ParserWarning) as error:
        raise DatasetError(
            f"the table cannot be read: {error}",
            where=path,
            mend="save it as CSV in UTF-8, with the names of the columns in the first line",
        ) from error
    table.columns = table.columns.astype(str).str.strip().str.lower()
    if table.columns.has_duplicates:
        raise DatasetError(
            f"two columns are called {table.columns[table.columns.duplicated()][0]}",
            where=path,
            mend="rename one of them; upper and lower case are taken for the same",
        )
    return table


def _read_text(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    with warnings.catch_warnings():
        # pandas only warns of rows that are longer than the header, and drops their end.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=max(",;\t", key=header.count),
            encoding="utf-8-sig",
            dtype=str,
            keep_default_na=False,
            index_col=False,
            skipinitialspace=True,
        )


def _by_image(table: pd.DataFrame, path: Path, images: Sequence[str]) -> dict[str, Spots]:
    columns = [name.lower() for name in images]
    for name in columns:
        if name not in table.columns:
            raise DatasetError(
                f"the table has no column {name!r}", where=path, mend=nearest(name, table.columns)
            )
    columns = columns or [name for name in IMAGE_COLUMNS if name in table.columns][:1]
    channels = [] if "channel" in columns or "channel" not in table else set(table["channel"])
    if len(channels) > 1:
        raise DatasetError(
            f"the spots are of {len(channels)} channels",
            where=path,
            mend=f"score each by itself: --image-column {','.join([*columns, 'channel'])}",
        )
    if not columns:
        return {"": _spots(table, path)}
    if table.empty:
        _spots(table, path)  # says what is wrong with it, if anything is
        return {}
    names = table[columns].astype(str).agg(" ".join, axis=1)
    return {str(name): _spots(rows, path) for name, rows in table.groupby(names, sort=True)}


def _spots(table: pd.DataFrame, path: Path) -> Spots:
    for named in COLUMNS:
        if named["y"] in table.columns and named["x"] in table.columns:
            break
    else:
        raise DatasetError(
            f"the table has no columns y and x, but {', '.join(table.columns[:8])}",
            where=path,
            mend="call the columns of the positions y and x, and z of a volume; in pixels",
        )
    axes = [named[axis] for axis in "zyx" if named[axis] in table.columns]
    at = np.stack([_numbers(table, name, path) for name in axes], axis=1)
    return Spots(at, _numbers(table, "photons", path) if "photons" in table.columns else None)


def _numbers(table: pd.DataFrame, column: str, path: Path) -> NDArray[np.float64]:
    values: NDArray[Any] = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        line = table.index[wrong[0]] + (2 if path.suffix.lower() in TEXT_SUFFIXES else 1)
        raise DatasetError(
            f"{table[column].iloc[wrong[0]]!r} in the column {column}, line {line}, is no number",
            where=path,
            mend="leave out spots without a position or photons; decimals take a point",
        )
    return values
