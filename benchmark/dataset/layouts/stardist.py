"""StarDist: images/ and masks/ with the same names, usually in train/ and test/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.dataset.layouts import folders, pairs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmark.dataset.layouts.layout import Pair
    from benchmark.dataset.reader import Dataset

NAME = "stardist"
SUMMARY = "train/images/NAME.tif and train/masks/NAME.tif, or images/ and masks/ alone"

MASKS = ("masks",)


def detect(path: Path) -> bool:
    """Say whether there are images/ and masks/, in the folder or in one of its splits."""
    return path.is_dir() and folders.has_folders(path, MASKS)


def read(path: Path, target: str, *, binary: bool | None) -> Sequence[Pair]:
    """Find the samples by the names of the files.

    Raises
    ------
    DatasetError
        As `Layout.read`.
    """
    return folders.read_folders(path, MASKS, target, binary=binary)


def write(dataset: Dataset, out: Path, target: str) -> None:
    """Write SPLIT/images/ID.tif, SPLIT/masks/ID.tif and index.csv.

    Raises
    ------
    DatasetError
        As `Layout.write`.
    """
    pairs.write_pairs(
        dataset,
        out,
        target,
        lambda name, split: (f"{split}/images/{name}.tif", f"{split}/masks/{name}.tif"),
    )
