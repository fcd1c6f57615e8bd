"""Arrays to TIFF and back: images (C, Y, X), labels (Y, X)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# Noise hardly compresses: the default level takes three times as long and saves a hundredth.
# No predictor, though it saves more: not every reader of TIFF knows it together with zlib.
IMAGE_LEVEL = 4

MAX_RATIO = 1100
"""zlib cannot pack zeros tighter than 1 : 1032."""
SMALL_BYTES = 64 * 2**20
"""Up to here no ratio is asked for: other codecs pack an empty label image tighter still."""

IMAGE_DTYPES = (np.dtype("uint8"), np.dtype("uint16"))


def check_image(image: NDArray[Any], where: str) -> NDArray[Any]:
    """Return an image as format 1 holds it.

    Parameters
    ----------
    image
        Shape (C, Y, X), uint8 or uint16.
    where
        The sample, for the message.

    Raises
    ------
    DatasetError
        If the shape or the type is another.
    """
    image = np.asarray(image)
    if image.ndim != 3 or 0 in image.shape:
        raise DatasetError(
            f"an image has the shape (channels, height, width), not {image.shape}",
            where=where,
            mend="add the axis of a single channel in front: image[np.newaxis]",
        )
    if image.dtype.newbyteorder("=") not in IMAGE_DTYPES:
        raise DatasetError(
            f"an image is uint8 or uint16, not {image.dtype}",
            where=where,
            mend="rescale it: np.round(image / image.max() * 65535).astype(np.uint16)",
        )
    return image.astype(image.dtype.newbyteorder("="), order="C", copy=False)


def check_labels(labels: NDArray[Any], shape: tuple[int, ...], where: str) -> NDArray[Any]:
    """Return labels in the smallest of uint16, uint32 and uint64 that holds them.

    uint8 is left out: a set whose type changed at the 256th object of an image would be one of
    two types, and several scorers overflow on 8-bit labels.

    Parameters
    ----------
    labels
        Shape (Y, X), any integer type, 0 background.
    shape
        Height and width of the image.
    where
        The sample and target, for the message.

    Raises
    ------
    DatasetError
        If the labels are not whole numbers by type, are negative, or have another shape.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise DatasetError(
            f"labels are whole numbers, not {labels.dtype}",
            where=where,
            mend="convert them where they are made: labels.astype(np.uint16) if all are whole, "
            "skimage.measure.label(mask) if this is a binary mask",
        )
    if labels.shape != shape:
        raise DatasetError(
            f"the labels have the shape {labels.shape}, the image {shape}",
            where=where,
            mend="give each image the labels made for it, at the same size",
        )
    if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
        raise DatasetError(
            f"labels cannot be negative, the least is {labels.min()}",
            where=where,
            mend="set what is to be ignored to 0",
        )
    highest = int(labels.max(initial=0))
    if highest > np.iinfo(np.int64).max:
        raise DatasetError(
            f"the label {highest} is too large",
            where=where,
            mend="number the objects anew: skimage.segmentation.relabel_sequential",
        )
    dtype = next(d for d in (np.uint16, np.uint32, np.uint64) if highest <= np.iinfo(d).max)
    return labels.astype(dtype, order="C", copy=False)


def write_image(path: Path, image: NDArray[Any]) -> None:
    """Write a checked image as a zlib TIFF that ImageJ shows with its channels."""
    tifffile.imwrite(
        path,
        image,
        imagej=True,
        photometric="minisblack",
        metadata={"axes": "CYX", "mode": "grayscale"},
        compression="zlib",
        compressionargs={"level": IMAGE_LEVEL},
        software=False,
    )


def write_labels(path: Path, labels: NDArray[Any]) -> None:
    """Write checked labels as a zlib TIFF of one page."""
    tifffile.imwrite(
        path, labels, photometric="minisblack", metadata=None, compression="zlib", software=False
    )


def read_array(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """Read a TIFF that holds one array.

    Parameters
    ----------
    path
        The file.
    shape
        What the array has to be. It is compared before anything is decoded, so that no file can
        ask for more memory than its data set says. TIFF does not keep axes of length one.

    Raises
    ------
    DatasetError
        If the file is missing, truncated, no TIFF, too small for the array, or holds something
        of another shape.
    """
    try:
        with tifffile.TiffFile(path) as file:
            _check_shape([page.shape for page in file.pages], shape, path)
            _check_bytes(sum(page.nbytes for page in file.pages), file.filehandle.size, path)
            return np.asarray(file.asarray(key=slice(None))).reshape(shape)
    except DatasetError:
        raise
    except FileNotFoundError:
        raise DatasetError(
            "the file is missing", where=path, mend="get a fresh copy of the data set"
        ) from None
    except MemoryError as error:
        raise DatasetError(
            f"there is not enough memory to read the file: {error}",
            where=path,
            mend="close other programs, or cut the images into tiles",
        ) from error
    except Exception as error:  # a decoder given damaged bytes may raise anything
        raise DatasetError(
            f"the file cannot be read, it is truncated or damaged: {error}",
            where=path,
            mend="get a fresh copy of the file",
        ) from error


def _check_shape(pages: list[tuple[int, ...]], shape: tuple[int, ...], path: Path) -> None:
    found = (len(pages), *pages[0])
    if len(set(pages)) != 1 or _long_axes(found) != _long_axes(shape):
        raise DatasetError(
            f"the file has the shape {found}, the table says {shape}",
            where=path,
            mend="get a fresh copy of the file",
        )


def _check_bytes(decoded: int, stored: int, path: Path) -> None:
    if decoded > max(SMALL_BYTES, MAX_RATIO * stored):
        raise DatasetError(
            f"the file of {stored} bytes says that it holds {decoded}, which it cannot",
            where=path,
            mend="do not trust it: get a fresh copy of the data set",
        )


def _long_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)
