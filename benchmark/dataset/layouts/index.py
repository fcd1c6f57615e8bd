"""A CSV index beside the files: a row a sample, with the columns image and label."""

from __future__ import annotations

import csv
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from benchmark.dataset.layouts.layout import Pair
from benchmark.dataset.names import inside
from benchmark.dataset.tables import SAMPLE_FIELDS
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmark.dataset.reader import Dataset

FILE_NAME = "index.csv"

# Not kept as factors: format 1 has them as columns of its own, measured from the files.
_MEASURED = {"height", "width", "image_sha256", "label_sha256"}
_KNOWN = {"image", "label", "id", "split", "scene", "seed"}


def find(folder: Path) -> Path | None:
    """Return the index of a folder: `index.csv`, else the only CSV file with its columns."""
    candidates = [folder / FILE_NAME] if (folder / FILE_NAME).is_file() else folder.glob("*.csv")
    found = [path for path in candidates if {"image", "label"} <= set(_header(path))]
    return found[0] if len(found) == 1 else None


def read(path: Path, target: str, *, binary: bool | None) -> list[Pair]:
    """Return the pairs that an index names, in the order of their ids.

    `id`, `split`, `scene` (or `group`) and `seed` are taken for what they are, `image_sha256` and
    `label_sha256` are checked when a file is read, and any further column is kept as a factor.

    Raises
    ------
    DatasetError
        If the index names a file that is missing or lies outside its folder.
    """
    columns = _columns(path)
    if "scene" not in columns and "group" in columns:
        columns["scene"] = columns.pop("group")
    for name in set(columns) & (set(SAMPLE_FIELDS) - _KNOWN - _MEASURED):
        columns[f"index_{name}"] = columns.pop(name)
    factors = {
        name: typed(values)
        for name, values in columns.items()
        if name not in _KNOWN | _MEASURED and any(values)
    }
    ids = columns.get("id") or _ids(columns["image"])
    pairs = []
    for row, name in enumerate(ids):
        cells = {column: values[row] for column, values in columns.items()}
        files = [_file(path, cells[column], row) for column in ("image", "label")]
        stated = (cells.get("image_sha256"), cells.get("label_sha256"))
        pairs.append(
            Pair(
                id=name,
                image=files[0],
                labels=files[1],
                target=target,
                binary=binary,
                split=cells.get("split") or "test",
                scene=cells.get("scene") or None,
                seed=_seed(path, cells.get("seed", ""), row),
                factors={column: values[row] for column, values in factors.items()},
                digests={f: d for f, d in zip(files, stated, strict=True) if d},
            )
        )
    return sorted(pairs, key=lambda pair: pair.id)


def write(dataset: Dataset, folder: Path, places: Mapping[str, tuple[str, str]]) -> None:
    """Write the index of an exported data set.

    Raises
    ------
    DatasetError
        If what is read back would not be what was written: text that reads as a number, say.
    """
    own = {"image", "height", "width"}
    own |= {column for column in dataset.samples.columns if column.startswith(("digest_", "n_"))}
    columns = [column for column in dataset.samples.columns if column not in own]
    table = dataset.samples[columns].astype(object).where(dataset.samples[columns].notna(), None)
    rows = table.to_dict("records")
    for column in columns:
        values = [row[column] for row in rows]
        kept = ["" if value is None else str(value) for value in values]
        if column not in SAMPLE_FIELDS and typed(kept) != values:
            raise DatasetError(
                f"a CSV index cannot hold the column {column} without loss",
                where=dataset.path / "samples.parquet",
                mend="rename or drop the column, or copy the data set as it is",
            )
    with (folder / FILE_NAME).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", "label", *columns])
        for row in rows:
            cells = ["" if value is None else value for value in row.values()]
            writer.writerow([*places[str(row["id"])], *cells])


def typed(values: list[str]) -> list[Any]:
    """Return the cells of a column as numbers or true/false where every cell reads as one.

    Examples
    --------
    >>> typed(["1", "", "2"]), typed(["1.5", "2"]), typed(["007", "1"]), typed(["True", ""])
    ([1, None, 2], [1.5, 2.0], ['007', '1'], [True, None])
    """
    full = [value for value in values if value]
    convert: Any = str
    if all(value in {"True", "False"} for value in full):
        convert = "True".__eq__
    elif all(_is_int(value) for value in full):
        convert = int
    elif all(_is_float(value) for value in full):
        convert = float
    return [convert(value) if value else None for value in values]


def _is_int(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0")


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    whole = text.removeprefix("-").partition(".")[0]
    return len(whole) < 2 or not whole.isdigit() or whole[0] != "0"


def _header(path: Path) -> list[str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _columns(path: Path) -> dict[str, list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, restval=""))
    if not rows:
        raise DatasetError("the index has no rows", where=path, mend="add a row for each sample")
    if any(None in row for row in rows):
        raise DatasetError(
            "a row of the index has more cells than there are columns",
            where=path,
            mend="put text that holds a comma in quotes",
        )
    return {column: [row[column] for row in rows] for column in rows[0]}


def _ids(files: list[str]) -> list[str]:
    """Return the names of files without suffix; with their folders, if the names are not enough."""
    paths = [PurePosixPath(file) for file in files]
    names = [path.stem for path in paths]
    if len(set(names)) == len(names):
        return names
    return ["_".join(path.with_suffix("").parts) for path in paths]


def _seed(index: Path, cell: str, row: int) -> int | None:
    if cell and not _is_int(cell):
        raise DatasetError(
            f"the seed {cell!r} in row {row + 2} is no whole number",
            where=index,
            mend="correct it, or call the column something else",
        )
    return int(cell) if cell else None


def _file(index: Path, stated: str, row: int) -> Path:
    path = inside(index.parent, stated)
    if not path.is_file():
        raise DatasetError(
            f"the index names {stated or 'no file'} in row {row + 2}, which is missing",
            where=index,
            mend="add the file, or take the row out of the index",
        )
    return path
