"""The images of a folder, whatever its layout; labels, if there are any, are left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.dataset import Dataset
from benchmark.dataset.layouts import format1
from benchmark.dataset.layouts.pictures import SUFFIXES, read_image
from benchmark.dataset.names import inside
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

INDEX = "index.csv"
HELD_BACK = "test"
"""The split that is not looked at unless it is asked for, or all there is."""
Load = Callable[[], NDArray[Any]]
OTHERS = ("label", "labels", "mask", "masks", "groundtruth", "gt", "seg")
"""Words at the end of names of folders and files that hold no images."""


def planes(
    folder: Path,
    channel: int = 0,
    most: int = 48,
    split: str | None = None,
    notice: Callable[[str], None] | None = None,
) -> list[NDArray[Any]]:
    """Return one channel of each image of a folder.

    Parameters
    ----------
    folder
        A data set of any format, a folder of images, or a folder with images below it. What is
        named after labels or masks is no image; where there is an index.csv with a column
        `image`, it says which files are.
    channel
        Which channel, from 0.
    most
        Of more images than this, as many are taken, evenly spread.
    split
        Which images of a data set, or of an index with a column `split`. By default all but those
        of `test`, which is there to be scored on; these only where there are no others.
    notice
        Is told how many images of `test` are left alone, if any are.

    Returns
    -------
    list of (Y, X) uint8 or uint16

    Raises
    ------
    DatasetError
        If there is no image, or none of the split, one cannot be read or lacks the channel, or an
        index leads out of the folder.
    """
    if not folder.is_dir():
        raise DatasetError("there is no such folder", where=folder, mend="name a folder of images")
    wish = _Wish(folder, split, notice)
    loaders = _of_dataset(folder, wish) if format1.detect(folder) else _of_files(folder, wish)
    if not loaders:
        raise DatasetError(
            "there is no image in this folder",
            where=folder,
            mend=f"name a folder with files that end in {', '.join(SUFFIXES)}",
        )
    chosen = np.unique(np.linspace(0, len(loaders) - 1, min(most, len(loaders))).round())
    return [_channel_of(*loaders[int(k)], channel) for k in chosen]


@dataclass(frozen=True)
class _Wish:
    """Which images of a folder are taken."""

    folder: Path
    split: str | None
    notice: Callable[[str], None] | None

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the images that are taken."""
        splits = table["split"] if "split" in table.columns else pd.Series("", table.index)
        if self.split is not None:
            if not (splits == self.split).any():
                known = ", ".join(sorted({str(name) for name in splits} - {""})) or "none"
                raise DatasetError(
                    f"there is no image of the split {self.split!r}",
                    where=self.folder,
                    mend=f"leave --split out, or name one that is there: {known}",
                )
            return table[splits == self.split]
        held = splits == HELD_BACK
        if not held.any() or held.all():
            return table
        if self.notice is not None:
            self.notice(f"left alone: {held.sum()} images of the split {HELD_BACK}")
        return table[~held]


def _of_dataset(folder: Path, wish: _Wish) -> list[tuple[str, Load]]:
    dataset = Dataset.open(folder)
    names = wish.rows(dataset.samples)["id"]
    return [(str(name), partial(dataset.read_image, name)) for name in names]


def _of_files(folder: Path, wish: _Wish) -> list[tuple[str, Load]]:
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES and not _is_other(file.relative_to(folder))
    )
    if (folder / INDEX).is_file():
        table = _index(folder / INDEX)
        if "image" in table.columns:
            files = [inside(folder, str(name)) for name in wish.rows(table)["image"]]
            return [(str(file), partial(_pixels, file)) for file in files]
    if wish.split is not None:
        raise DatasetError(
            "nothing says which images are of which split",
            where=folder,
            mend=f"leave --split out, or give it a data set or an {INDEX}: image,split",
        )
    return [(str(file), partial(_pixels, file)) for file in files]


def _index(path: Path) -> pd.DataFrame:
    """Read a table of words: a split called 1 is no number."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"the index cannot be read: {error}",
            where=path,
            mend="it is a table in UTF-8 with commas: image,split",
        ) from error


def _pixels(file: Path) -> NDArray[Any]:
    return read_image(file)[0]


def _is_other(path: Path) -> bool:
    """Tell whether a path names labels, or is hidden."""
    names = [*path.parts[:-1], path.stem]
    ends = {name.lower().replace("-", "_").rsplit("_", 1)[-1] for name in names}
    return bool(ends & set(OTHERS)) or any(name.startswith(".") for name in names)


def _channel_of(name: str, load: Load, channel: int) -> NDArray[Any]:
    image = load()
    if not 0 <= channel < len(image):
        raise DatasetError(
            f"the image has {len(image)} channel{'s' if len(image) > 1 else ''}, "
            f"counted from 0, and none is {channel}",
            where=name,
            mend="give --channel the number of the one that shows nuclei",
        )
    plane: NDArray[Any] = image[channel]
    return plane
