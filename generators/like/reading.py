"""The images of a folder, whatever its layout; labels, if there are any, are left alone."""

from __future__ import annotations

from collections.abc import Callable
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
Load = Callable[[], NDArray[Any]]
OTHERS = ("label", "labels", "mask", "masks", "groundtruth", "gt", "seg")
"""Words at the end of names of folders and files that hold no images."""


def planes(folder: Path, channel: int = 0, most: int = 48) -> list[NDArray[Any]]:
    """Return one channel of each image of a folder.

    Parameters
    ----------
    folder
        A data set of any format, a folder of images, or a folder with images below it. What is
        named after labels or masks is no image; where there is an index.csv with a column
        `image`, it says which files are, and a column `split` which are not looked at: test.
    channel
        Which channel, from 0.
    most
        Of more images than this, as many are taken, evenly spread.

    Returns
    -------
    list of (Y, X) uint8 or uint16

    Raises
    ------
    DatasetError
        If there is no image, one cannot be read or lacks the channel, or an index leads out of the
        folder.
    """
    if not folder.is_dir():
        raise DatasetError("there is no such folder", where=folder, mend="name a folder of images")
    loaders = _of_dataset(folder) if format1.detect(folder) else _of_files(folder)
    if not loaders:
        raise DatasetError(
            "there is no image in this folder",
            where=folder,
            mend=f"name a folder with files that end in {', '.join(SUFFIXES)}",
        )
    chosen = np.unique(np.linspace(0, len(loaders) - 1, min(most, len(loaders))).round())
    return [_channel_of(*loaders[int(k)], channel) for k in chosen]


def _of_dataset(folder: Path) -> list[tuple[str, Load]]:
    dataset = Dataset.open(folder)
    return [(str(name), partial(dataset.read_image, name)) for name in dataset.samples["id"]]


def _of_files(folder: Path) -> list[tuple[str, Load]]:
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES and not _is_other(file.relative_to(folder))
    )
    if (folder / INDEX).is_file():
        table = pd.read_csv(folder / INDEX)
        if "image" in table.columns:
            if "split" in table.columns and (table["split"] != "test").any():
                table = table[table["split"] != "test"]
            files = [inside(folder, str(name)) for name in table["image"]]
    return [(str(file), partial(_pixels, file)) for file in files]


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
