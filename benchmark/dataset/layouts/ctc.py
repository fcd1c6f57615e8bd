"""Cell Tracking Challenge, 2-D: sequences 01, 02, … and their segmentations 01_GT/SEG.

Source: Cell Tracking Challenge, "Naming and file content conventions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmark.dataset.layouts import pairs
from benchmark.dataset.layouts.layout import Pair
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmark.dataset.reader import Dataset

NAME = "ctc"
SUMMARY = "Cell Tracking Challenge: 01/t000.tif and 01_GT/SEG/man_seg000.tif"

_SEQUENCE = re.compile(r"\d{2}")
_FRAME = re.compile(r"t(\d{3,4})")
_SEGMENTATION = re.compile(r"man_seg(\d{3,4})")
_ID = re.compile(r"(\d{2})_t(\d{3,4})")
_MAX_SEQUENCES = 99
_MAX_FRAMES = 10_000


def detect(path: Path) -> bool:
    """Say whether there is a sequence with segmentations."""
    return path.is_dir() and bool(_sequences(path))


def read(path: Path, target: str, *, binary: bool | None) -> Sequence[Pair]:
    """Find the frames that are segmented; the others have no truth and are left out.

    A sample is called 01_t000 after its sequence, which is its scene, and its frame.

    Raises
    ------
    DatasetError
        If a segmentation has no frame, or is of one plane of a 3-D sequence.
    """
    found = []
    for sequence in _sequences(path):
        frames = pairs.pictures_in(sequence)
        truth = sequence.with_name(f"{sequence.name}_GT") / "SEG"
        for name, labels in pairs.pictures_in(truth).items():
            number = _SEGMENTATION.fullmatch(name)
            frame = number and frames.get(f"t{number[1]}")
            if number is None or frame is None:
                raise DatasetError(
                    f"{labels.name} belongs to no frame of the sequence {sequence.name}",
                    where=truth,
                    mend=f"add t*.tif of the same number to {sequence.name}/; of 3-D sequences, "
                    "save each plane as a 2-D data set",
                )
            found.append(
                Pair(
                    id=f"{sequence.name}_{frame.stem}",
                    image=frame,
                    labels=labels,
                    target=target,
                    binary=binary,
                    scene=sequence.name,
                    factors={"frame": int(number[1])},
                )
            )
    return found


def write(dataset: Dataset, out: Path, target: str) -> None:
    """Write 01/t000.tif, 01_GT/SEG/man_seg000.tif and so on, and index.csv.

    Ids such as 01_t000 keep their sequence and frame. Otherwise each split becomes a sequence,
    with its samples as frames in the order of their ids, and the index tells which is which.

    Raises
    ------
    DatasetError
        As `Layout.write`; and if images have several channels or there are too many of them.
    """
    if len(dataset.manifest.channels) != 1:
        raise DatasetError(
            f"the images have {len(dataset.manifest.channels)} channels; this layout holds one",
            where=dataset.path,
            mend="export to another layout",
        )
    places = _places(dataset)
    pairs.write_pairs(dataset, out, target, lambda name, _: places[name])


def _sequences(path: Path) -> list[Path]:
    return [
        folder
        for folder in sorted(path.iterdir())
        if _SEQUENCE.fullmatch(folder.name) and (path / f"{folder.name}_GT" / "SEG").is_dir()
    ]


def _places(dataset: Dataset) -> dict[str, tuple[str, str]]:
    named = {name: _ID.fullmatch(name) for name in dataset.ids()}
    if all(named.values()):
        return {name: _place(found[1], found[2]) for name, found in named.items() if found}
    splits = dict(dataset.samples.groupby("split")["id"].apply(list))
    if len(splits) > _MAX_SEQUENCES or max(map(len, splits.values())) > _MAX_FRAMES:
        raise DatasetError(
            "there are too many splits or samples for this layout",
            where=dataset.path,
            mend="export to another layout",
        )
    return {
        name: _place(f"{sequence:02}", f"{frame:03}")
        for sequence, split in enumerate(sorted(splits), start=1)
        for frame, name in enumerate(splits[split])
    }


def _place(sequence: str, frame: str) -> tuple[str, str]:
    return f"{sequence}/t{frame}.tif", f"{sequence}_GT/SEG/man_seg{frame}.tif"
