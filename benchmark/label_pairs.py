"""Pair the label files of two folders by name: truth and prediction."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.errors import DatasetError
from benchmark.label_files import LABEL_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ENDINGS = (
    "_cp_masks",
    "_instances",
    "_labels",
    "_label",
    "_masks",
    "_mask",
    "_pred",
    "_seg",
    "_gt",
)
"""What tools append to the name of an image to call its labels."""

IMAGE_ENDING = "_img"
BYPRODUCTS = ("_cp_outlines", "_outlines", "_cp_output", "_flows")
"""What Cellpose writes beside labels."""

_FRAME = re.compile(r"(?:man_seg|man_track|mask|t)_?(\d{3,4})")
"""Frames of the Cell Tracking Challenge: man_seg000 is the truth of mask000."""


@dataclass(frozen=True)
class LabelPair:
    """The labels of one image.

    Parameters
    ----------
    name
        What both files are called, without what tools append.
    truth
        The file of true labels.
    prediction
        The file of predicted labels; None if there is none.
    """

    name: str
    truth: Path
    prediction: Path | None


@dataclass(frozen=True)
class Pairing:
    """What two folders hold.

    Parameters
    ----------
    pairs
        A pair for each truth, by name.
    unpaired
        Names of the files of predictions without a truth.
    left_out
        Names of files taken for images, since there are labels of the same name beside them.
    """

    pairs: tuple[LabelPair, ...]
    unpaired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Names of the images without a prediction."""
        return [pair.name for pair in self.pairs if pair.prediction is None]


def pair_folders(truth: Path, prediction: Path) -> Pairing:
    """Pair the label files of two folders; subfolders are not searched.

    Raises
    ------
    DatasetError
        If a folder holds no label file, two files of one folder could be the labels of one image,
        or there is not a single pair.
    """
    true_files, true_images = _label_files(truth)
    pred_files, pred_images = _label_files(prediction)
    if not set(true_files) & set(pred_files):
        raise DatasetError(
            f"no truth has a prediction of its name: the truth is called {_some(true_files)}, "
            f"predictions {_some(pred_files)}",
            where=f"{truth} and {prediction}",
            mend="give each prediction the name of its truth; an ending such as _masks may differ",
        )
    return Pairing(
        tuple(
            LabelPair(name, true_files[name], pred_files.get(name)) for name in sorted(true_files)
        ),
        tuple(printable(path.name) for name, path in pred_files.items() if name not in true_files),
        tuple(printable(path.name) for path in (*true_images, *pred_images)),
    )


def name_of(stem: str) -> str:
    """Return what an image is called, from the name of a file of its labels without suffix.

    Examples
    --------
    >>> name_of("A01_cp_masks"), name_of("man_seg007"), name_of("mask007"), name_of("A01.ome")
    ('A01', '007', '007', 'A01')
    """
    stem = stem.removesuffix(".ome")
    if frame := _FRAME.fullmatch(stem):
        return frame[1]
    for ending in (*ENDINGS, IMAGE_ENDING):
        if stem.endswith(ending) and stem != ending:
            return stem.removesuffix(ending).removesuffix(IMAGE_ENDING)
    return stem


def printable(name: str | Path) -> str:
    """Return the name of a file as text that can be printed, even one that is no Unicode."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _label_files(folder: Path) -> tuple[dict[str, Path], list[Path]]:
    """Return the label files of a folder by the name of their image, and images beside them."""
    by_name: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        stem = path.stem.removesuffix(".ome")
        label = path.suffix.lower() in LABEL_SUFFIXES and not stem.endswith(BYPRODUCTS)
        if label and path.is_file() and not path.name.startswith("."):
            by_name.setdefault(printable(name_of(stem)), []).append(path)
    if not by_name:
        raise _no_labels(folder)
    chosen, images = {}, []
    for name, paths in by_name.items():
        best = min(map(_rank, paths))
        labels = [path for path in paths if _rank(path) == best]
        if len(labels) > 1:
            raise DatasetError(
                f"{printable(labels[0].name)} and {printable(labels[1].name)} could both be the "
                f"labels of {name}",
                where=folder,
                mend="keep one of them, or give them names that differ in more than an ending",
            )
        chosen[name] = labels[0]
        images += [path for path in paths if _rank(path) > best]
    return chosen, images


def _rank(path: Path) -> int:
    """Return the lower a number, the surer it is that a file holds labels."""
    if path.name.endswith("_seg.npy"):  # not only labels, but those of Cellpose
        return 1
    return 0 if path.stem.removesuffix(".ome").endswith(ENDINGS) else 2


def _no_labels(folder: Path) -> DatasetError:
    inside = [
        printable(path.relative_to(folder))
        for path in (*folder.glob("*"), *folder.glob("*/*"))
        if path.is_dir() and any(file.suffix.lower() in LABEL_SUFFIXES for file in path.iterdir())
    ]
    likely = sorted(name for name in inside if "image" not in name) or inside
    return DatasetError(
        "there is no label file in this folder",
        where=folder,
        mend=f"name the folder that holds them: {' or '.join(likely[:5])}"
        if likely
        else f"add label files with one of the suffixes {', '.join(LABEL_SUFFIXES)}",
    )


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
