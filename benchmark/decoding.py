"""Decode the files of other tools: what array a file holds, and which axes.

Stands apart from the data set format, whose tables `bench score` does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image, ImageSequence

from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TIFF_SUFFIXES = (".tif", ".tiff")

MAX_CHANNELS = 4
"""An axis without a name is taken for channels up to this length, beyond it for a stack."""


def decode_picture(path: Path, *, indices: bool) -> tuple[NDArray[Any], str]:
    """Return what a TIFF, PNG or JPEG holds, and its axes.

    Parameters
    ----------
    path
        The file. It is a TIFF if its suffix says so.
    indices
        Whether the indices are wanted of a picture with a palette, or else its colours.

    Returns
    -------
    array, axes
        A letter an axis: Y, X, S (colours), C (channels), Z, T, or another where the file does not
        say. Axes of length one are left out, except for Y and X.

    Raises
    ------
    DatasetError
        If the file cannot be read, or holds several images.
    """
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            array, axes = _decode_tiff(path, indices=indices)
        else:
            array, axes = _decode_pillow(path, indices=indices)
    except DatasetError:
        raise
    except Exception as error:  # a decoder given damaged bytes may raise anything
        raise DatasetError(
            f"the file cannot be read, it is truncated, damaged or of an unknown kind: {error}",
            where=path,
            mend="get a fresh copy of the file, or save it as TIFF (zlib or uncompressed) or PNG",
        ) from error
    kept = [i for i, axis in enumerate(axes) if axis in "YX" or array.shape[i] != 1]
    array = array.reshape([array.shape[i] for i in kept])
    return array, "".join(axes[i] for i in kept)


def _decode_tiff(path: Path, *, indices: bool) -> tuple[NDArray[Any], str]:
    with tifffile.TiffFile(path) as file:
        if not file.series:
            raise ValueError("it holds no image")
        if len(file.series) != 1:
            raise DatasetError(
                f"the file holds {len(file.series)} images",
                where=path,
                mend="save each image as a file of its own",
            )
        series = file.series[0]
        coloured = series.keyframe.photometric == tifffile.PHOTOMETRIC.PALETTE and not indices
        try:
            if not coloured:
                return series.asarray(), series.axes
        except ValueError as error:  # a compression such as LZW, which Pillow knows
            if "imagecodecs" not in str(error) or (len(file.pages) != 1 and "S" in series.axes):
                raise
            if len(file.pages) != 1:
                return _decode_pages(path).reshape(series.shape), series.axes
    return _decode_pillow(path, indices=indices)


def _decode_pages(path: Path) -> NDArray[Any]:
    with Image.open(path) as image:
        return np.stack([np.asarray(page) for page in ImageSequence.Iterator(image)])


def _decode_pillow(path: Path, *, indices: bool) -> tuple[NDArray[Any], str]:
    with Image.open(path) as image:
        encoding = str(image.tile[0].args) if image.tile else ""
        if ";16" in encoding and image.mode in {"RGB", "RGBA", "LA"}:
            raise DatasetError(
                "colours of 16 bits cannot be read from this kind of file without loss",
                where=path,
                mend="save it as TIFF",
            )
        array = np.asarray(image.convert("RGBA") if image.mode == "P" and not indices else image)
    return array, "YX" if array.ndim == 2 else "YXS"
