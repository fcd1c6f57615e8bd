"""Cellpose: NAME_img and NAME_masks, or NAME and NAME_masks, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.dataset.layouts import pairs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmark.dataset.layouts.layout import Pair
    from benchmark.dataset.reader import Dataset

NAME = "cellpose"
SUMMARY = "NAME_img.png and NAME_masks.png, or NAME.tif and NAME_masks.tif, side by side"

IMAGE_SUFFIX = "_img"
MASK_SUFFIXES = ("_cp_masks", "_masks")
OTHER_SUFFIXES = ("_flows", "_cp_output", "_outlines", "_cp_outlines")


def detect(path: Path) -> bool:
    """Say whether there are files of masks, in the folder or in one of its splits."""
    return path.is_dir() and any(
        name.endswith(MASK_SUFFIXES)
        for _, folder in pairs.split_folders(path)
        for name in pairs.pictures_in(folder)
    )


def read(path: Path, target: str, *, binary: bool | None) -> Sequence[Pair]:
    """Find the samples by the names of the files.

    Raises
    ------
    DatasetError
        As `Layout.read`.
    """
    found = []
    for split, folder in pairs.split_folders(path):
        images, masks = {}, {}
        for name, file in pairs.pictures_in(folder).items():
            suffix = next((s for s in MASK_SUFFIXES if name.endswith(s)), None)
            if suffix is not None:
                masks[name.removesuffix(suffix)] = file
            elif not name.endswith(OTHER_SUFFIXES):
                images[name] = file
        if any(name.endswith(IMAGE_SUFFIX) for name in images):
            images = {
                name.removesuffix(IMAGE_SUFFIX): file
                for name, file in images.items()
                if name.endswith(IMAGE_SUFFIX)
            }
        masks = {name.removesuffix(IMAGE_SUFFIX): file for name, file in masks.items()}
        found.append((split, pairs.match(images, masks, folder)))
    return pairs.pairs_of(found, target, binary)


def write(dataset: Dataset, out: Path, target: str) -> None:
    """Write SPLIT/ID_img.tif, SPLIT/ID_masks.tif and index.csv.

    Raises
    ------
    DatasetError
        As `Layout.write`.
    """
    pairs.write_pairs(
        dataset,
        out,
        target,
        lambda name, split: (f"{split}/{name}_img.tif", f"{split}/{name}_masks.tif"),
    )
