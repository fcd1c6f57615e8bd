"""Images and the points that experts set in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.dataset.layouts.pictures import SUFFIXES, read_image
from benchmark.errors import DatasetError
from benchmark.spot_files import read_spots

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.polygons import Floats

IMAGES, POINTS = "images", ("coords", "points", "spots")
"""Folders below the one that is named."""


class Field(NamedTuple):
    """An image and its points.

    Attributes
    ----------
    name
        Of the image.
    image
        (Y, X) uint8 or uint16, the first channel.
    points
        (N, 2) in px, rows and columns.
    """

    name: str
    image: NDArray[Any]
    points: Floats


def read(folder: Path, points: Path | None = None) -> list[Field]:
    """Read the images of a folder that have points.

    Parameters
    ----------
    folder
        Holds images, or a folder `images` of them.
    points
        A table with columns y and x, or row and col, and `image` if there are several images; or a
        folder of tables named after the images. By default the folder `coords`, `points` or
        `spots` in the first one.

    Raises
    ------
    DatasetError
        There is no image with points, or a file cannot be read.
    """
    if not folder.is_dir():
        raise DatasetError("there is no such folder", where=folder, mend="name a folder of images")
    home = folder / IMAGES if (folder / IMAGES).is_dir() else folder
    files = sorted(file for file in home.iterdir() if file.suffix.lower() in SUFFIXES)
    if points is None:
        points = next((folder / name for name in POINTS if (folder / name).is_dir()), None)
    if points is None:
        raise DatasetError(
            "there are no points with these images",
            where=folder,
            mend=f"name their table with --points, or call their folder {' or '.join(POINTS)}",
        )
    tables = read_spots(points)
    if len(files) == 1 and set(tables) == {""}:
        tables = {files[0].stem: tables[""]}
    fields = []
    for file in files:
        table = tables.get(file.stem, tables.get(file.name))
        if table is None:
            continue
        if table.at.shape[1] != 2:
            raise DatasetError("the points are of a volume", where=points, mend="give y and x only")
        fields.append(Field(file.stem, read_image(file)[0][0], table.at))
    if not fields:
        raise DatasetError(
            "no image has points of its name",
            where=points,
            mend=f"call tables as the images of {home}, or add a column `image`",
        )
    return fields
