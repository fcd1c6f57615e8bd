"""A folder of images and a folder of labels, with or without a CSV index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.dataset.layouts import index, pairs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmark.dataset.layouts.layout import Pair
    from benchmark.dataset.reader import Dataset

NAME = "folders"
SUMMARY = (
    "images/NAME.png and labels/NAME.png (or masks/), in train/, val/ and test/ if you like, or "
    "any files with an index.csv that has the columns image, label and perhaps split"
)

IMAGES = ("images", "image", "imgs", "img", "raw")
LABELS = ("labels", "label", "masks", "mask", "annotations", "gt", "groundtruth")


def detect(path: Path) -> bool:
    """Say whether there is an index, or the two folders, in the folder or in one of its splits."""
    if not path.is_dir():
        return False
    return index.find(path) is not None or has_folders(path, LABELS)


def read(path: Path, target: str, *, binary: bool | None) -> Sequence[Pair]:
    """Find the samples by the index, else by the names of the files.

    Raises
    ------
    DatasetError
        As `Layout.read`.
    """
    found = index.find(path)
    if found is not None:
        return index.read(found, target, binary=binary)
    return read_folders(path, LABELS, target, binary=binary)


def write(dataset: Dataset, out: Path, target: str) -> None:
    """Write images/ID.tif, labels/ID.tif and index.csv.

    Raises
    ------
    DatasetError
        As `Layout.write`.
    """
    pairs.write_pairs(
        dataset, out, target, lambda name, _: (f"images/{name}.tif", f"labels/{name}.tif")
    )


def has_folders(path: Path, labels: Sequence[str]) -> bool:
    """Say whether the folder or one of its splits holds a folder of images and one of labels."""
    return any(
        pairs.folder_named(folder, IMAGES) and pairs.folder_named(folder, labels)
        for _, folder in pairs.split_folders(path)
    )


def read_folders(
    path: Path, labels: Sequence[str], target: str, *, binary: bool | None
) -> list[Pair]:
    """Find the samples in the pairs of folders of all splits.

    Raises
    ------
    DatasetError
        As `Layout.read`.
    """
    found = []
    for split, folder in pairs.split_folders(path):
        both = pairs.folder_named(folder, IMAGES), pairs.folder_named(folder, labels)
        if both[0] is not None and both[1] is not None:
            files = [pairs.pictures_in(side) for side in both if side is not None]
            found.append((split, pairs.match(files[0], files[1], folder)))
    return pairs.pairs_of(found, target, binary)
