"""One sample: as a producer gives it, as a row of the tables, as a reader gets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmark.dataset import images, tables
from benchmark.dataset.digest import array_digest
from benchmark.dataset.names import check_id
from benchmark.dataset.objects import object_columns
from benchmark.dataset.whole import cannot_write
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class SampleInput:
    """What a producer gives to the writer.

    Parameters
    ----------
    id
        Unique in the data set; becomes the file name.
    image
        Shape (C, Y, X), uint8 or uint16.
    labels
        For each target its labels: shape (Y, X), any integer type, 0 background.
    split
        "train", "val", "test" or another word.
    scene
        What the sample shows; samples of one scene are comparable in pairs. Default: the id.
    seed
        The seed it was generated from, 0 to 2^63 - 1.
    factors
        Further columns of the table of samples: numbers, true/false, text or None.
    objects
        Rows of the table of objects, with `target` and `label`. Columns of `measure_objects`
        that are absent are measured; an object without visible pixels has `hidden` 1.
    spots
        Rows of the table of spots: channel, y, x, photons, sigma, object; px and photons.
    channels
        Names of the image's channels, where the sample knows them; the writer compares them.
    """

    id: str
    image: NDArray[Any]
    labels: Mapping[str, NDArray[Any]]
    split: str = "test"
    scene: str | None = None
    seed: int | None = None
    factors: Mapping[str, Any] = field(default_factory=dict)
    objects: pd.DataFrame | None = None
    spots: pd.DataFrame | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class SampleRecord:
    """What is left of a written sample: its rows of the three tables, and what they are of."""

    row: dict[str, Any]
    objects: pa.Table
    spots: pa.Table
    channels: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """A sample as read: image (C, Y, X), labels (Y, X) by target, its row of the table."""

    id: str
    split: str
    scene: str
    image: NDArray[Any]
    labels: Mapping[str, NDArray[Any]]
    row: Mapping[str, Any]


def write_sample(folder: Path, sample: SampleInput) -> SampleRecord:
    """Check a sample, write its files under a folder and return its rows.

    Independent of all other samples, so that worker processes can do it; the parent hands the
    record to `DatasetWriter.collect`.

    Raises
    ------
    DatasetError
        If the id is no file name, the image or the labels are not what format 1 holds, a factor
        has the name of another column, or the disk is full.
    """
    check_id(sample.id)
    if not sample.labels:
        raise DatasetError(
            "the sample has no labels",
            where=sample.id,
            mend="give a label image for each target, all 0 if there is no object",
        )
    image = images.check_image(sample.image, where=sample.id)
    channels = sample.channels or ("",) * image.shape[0]
    labels = {
        target: images.check_labels(array, image.shape[1:], where=f"{sample.id}, {target}")
        for target, array in sample.labels.items()
    }
    row = _row(sample, image, labels)
    objects = _objects(sample, image, labels)
    spots = _spots(sample)
    try:
        _write(folder / image_path(sample.id), image, images.write_image)
        for target, array in labels.items():
            _write(folder / label_path(sample.id, target), array, images.write_labels)
    except OSError as error:
        raise cannot_write(error, folder.parent) from error
    return SampleRecord(row, objects, spots, channels, tuple(labels))


def image_path(sample: str) -> str:
    """Return where a sample's image lies in the data set."""
    return f"images/{sample}.tif"


def label_path(sample: str, target: str) -> str:
    """Return where a sample's labels of a target lie in the data set."""
    return f"labels/{target}/{sample}.tif"


def _write(path: Path, array: NDArray[Any], write: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, array)


def _row(
    sample: SampleInput, image: NDArray[Any], labels: Mapping[str, NDArray[Any]]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": sample.id,
        "split": sample.split,
        "scene": sample.id if sample.scene is None else sample.scene,
        "seed": sample.seed,
        "image": image_path(sample.id),
        "height": image.shape[1],
        "width": image.shape[2],
    }
    for target, array in labels.items():
        row[f"n_{target}"] = np.unique(array[array > 0]).size
    row["digest_image"] = array_digest(image)
    for target, array in labels.items():
        row[f"digest_{target}"] = array_digest(array)
    for name, value in sample.factors.items():
        if name in row:
            raise DatasetError(
                f"the factor {name!r} has the name of another column of the table of samples",
                where=sample.id,
                mend="give the factor another name",
            )
        row[name] = value.item() if isinstance(value, np.generic) else value
    return row


def _objects(
    sample: SampleInput, image: NDArray[Any], labels: Mapping[str, NDArray[Any]]
) -> pa.Table:
    measured = {target: object_columns(image, array) for target, array in labels.items()}
    if sample.objects is None:
        parts = [
            _table(columns, sample=sample.id, target=target) for target, columns in measured.items()
        ]
        return tables.canonical(pa.concat_tables(parts), "objects")
    frames = [pd.DataFrame(columns).assign(target=target) for target, columns in measured.items()]
    joined = _with_given(pd.concat(frames, ignore_index=True), sample.objects, sample.id)
    return tables.canonical(_table(joined, sample=sample.id), "objects")


def _with_given(measured: pd.DataFrame, given: pd.DataFrame, where: str) -> pd.DataFrame:
    """Join the producer's rows to the measured ones; where both have a column, its word counts."""
    key = ["target", "label"]
    for column in key:
        if column not in given.columns:
            raise DatasetError(
                f"the table of objects lacks {column}",
                where=where,
                mend="give each object its target and its label",
            )
    if given.duplicated(key).any():
        raise DatasetError(
            "the table of objects names an object twice",
            where=where,
            mend="give one row for each target and label",
        )
    if "outline" in given.columns:
        flat = [None if o is None else np.ravel(np.asarray(o, float)) for o in given["outline"]]
        given = given.assign(outline=pd.Series(flat, index=given.index, dtype=object))
    own = [column for column in measured.columns if column in key or column not in given.columns]
    joined = measured[own].merge(given, on=key, how="outer", validate="1:1", indicator="_from")
    unseen = joined[joined.pop("_from") == "right_only"]
    if "hidden" in unseen.columns:
        unseen = unseen[unseen["hidden"] != 1]
    if not unseen.empty:
        raise DatasetError(
            f"the object {unseen['label'].iloc[0]} of {unseen['target'].iloc[0]} has no pixel",
            where=where,
            mend="leave it out of the table of objects, or give it hidden = 1",
        )
    return joined


def _spots(sample: SampleInput) -> pa.Table:
    if sample.spots is None:
        return tables.empty("spots")
    return tables.canonical(_table(sample.spots, sample=sample.id), "spots")


def _table(columns: pd.DataFrame | Mapping[str, NDArray[Any]], **constant: str) -> pa.Table:
    """Return columns as a table, with further columns of one value."""
    table = {str(name): pa.array(columns[str(name)], from_pandas=True) for name in columns}
    length = len(next(iter(table.values()), ()))
    for name, value in constant.items():
        table[name] = pa.repeat(pa.scalar(value, pa.string()), length)
    return pa.table(table)
