"""Read the image and mask files of other tools; write images so that they are read back alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from benchmark.dataset import images
from benchmark.decoding import MAX_CHANNELS, TIFF_SUFFIXES, decode_picture
from benchmark.errors import DatasetError
from benchmark.label_files import (
    LOSSY_SUFFIXES,
    looks_binary,
    one_of_equal_colours,
    refuse_lossy,
    regions,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (*TIFF_SUFFIXES, ".png", *LOSSY_SUFFIXES)

RGB = ("red", "green", "blue")


def read_image(path: Path) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Read an image file as (C, Y, X), uint8 or uint16, and the names of its channels.

    Raises
    ------
    DatasetError
        If the file cannot be read, is a stack, or holds what these types cannot hold exactly.
    """
    array, axes = _decode(path, indices=False)
    if axes == "YX":
        return _exact(array[np.newaxis], path), ("intensity",)
    if len(axes) == 3 and "C" in axes:
        array = np.moveaxis(array, axes.index("C"), 0)
        return _exact(array, path), tuple(f"channel_{number}" for number in range(len(array)))
    array = _colours(array, axes, path)
    return _exact(array, path), RGB if len(array) == 3 else ("intensity",)


def read_mask(path: Path, *, binary: bool | None) -> NDArray[Any]:
    """Read a file of labels or a binary mask as integers (Y, X).

    Parameters
    ----------
    path
        The file.
    binary
        As `Layout.read` has it.

    Raises
    ------
    DatasetError
        If the file cannot be read, is compressed with loss, coloured, or a binary mask where
        labels are wanted, or the other way round.
    """
    refuse_lossy(path)
    array, axes = _decode(path, indices=True)
    if "S" in axes:
        array = one_of_equal_colours(np.moveaxis(array, axes.index("S"), 0), path)
    if array.ndim != 2:
        raise _stack(array, axes, path)
    if binary:
        return regions(array, path)
    if binary is None and looks_binary(array):
        raise DatasetError(
            "this is a binary mask: it says where there are objects, not which pixels are of one",
            where=path,
            mend="add --binary, which takes each connected region as an object (those that touch "
            "become one); or, if the file does hold one object, use bench dataset import "
            "--no-binary",
        )
    return array.astype(np.uint8) if array.dtype == bool else array


def write_image(path: Path, image: NDArray[Any], channels: tuple[str, ...]) -> None:
    """Write an image (C, Y, X) as a TIFF: in colour if its channels are red, green and blue."""
    if channels == RGB:
        colours = np.moveaxis(image, 0, -1)
        tifffile.imwrite(
            path, colours, photometric="rgb", metadata=None, compression="zlib", software=False
        )
    else:
        images.write_image(path, image)


def _decode(path: Path, *, indices: bool) -> tuple[NDArray[Any], str]:
    """Return what a file holds and its axes, those of length one left out except Y and X.

    Axes are Y, X, S (colours), C (channels) or other letters for what cannot be imported.
    Of a picture with a palette these are the indices, which are labels, or else the colours.
    """
    array, axes = decode_picture(path, indices=indices)
    if len(axes) == 3 and not set("SC") & set(axes) and not set("ZT") & set(axes):
        if array.shape[0] <= MAX_CHANNELS:
            axes = "CYX"
        elif array.shape[2] <= MAX_CHANNELS:
            axes = "YXC"
    return array, axes


def _colours(array: NDArray[Any], axes: str, path: Path) -> NDArray[Any]:
    """Return colours (C, Y, X) without an alpha channel, which has to be opaque."""
    if array.ndim != 3 or "S" not in axes:
        raise _stack(array, axes, path)
    array = np.moveaxis(array, axes.index("S"), 0)
    if len(array) in {2, 4}:
        if (array[-1] != array[-1].flat[0]).any():
            raise DatasetError(
                "the image is transparent in places; its pixels have no one value there",
                where=path,
                mend="save it without an alpha channel",
            )
        array = array[:-1]
    return array


def _exact(image: NDArray[Any], path: Path) -> NDArray[Any]:
    """Return an image as uint8 or uint16 if that loses nothing."""
    if image.dtype.newbyteorder("=") in images.IMAGE_DTYPES:
        return image.astype(image.dtype.newbyteorder("="), copy=False)
    least, most = image.min(initial=0), image.max(initial=0)
    if image.dtype != bool and least >= 0 and most <= 65535:
        whole = image.astype(np.uint16)
        if np.array_equal(whole, image):
            return whole
    raise DatasetError(
        f"the image is {image.dtype} with values from {least} to {most}, which neither uint8 nor "
        "uint16 can hold",
        where=path,
        mend="rescale all images alike: np.round(image * scale).astype(np.uint16)",
    )


def _stack(array: NDArray[Any], axes: str, path: Path) -> DatasetError:
    return DatasetError(
        f"the file holds a stack with the axes {axes} and the shape {array.shape}",
        where=path,
        mend="save each plane or time as a file of its own; images are (channels, height, width)",
    )
