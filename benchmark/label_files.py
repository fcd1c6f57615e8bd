"""Read a label image of two or three dimensions, whichever tool wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.decoding import MAX_CHANNELS, TIFF_SUFFIXES, decode_picture
from benchmark.errors import DatasetError, LabelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LOSSY_SUFFIXES = (".jpg", ".jpeg")
ARRAY_SUFFIXES = (".npy", ".npz")
LABEL_SUFFIXES = (*TIFF_SUFFIXES, ".png", *ARRAY_SUFFIXES)
"""What label files are called."""


def read_labels(path: Path, *, binary: bool | None = None) -> NDArray[Any]:
    """Read a label image.

    Parameters
    ----------
    path
        A TIFF, also a stack, a PNG, an NPY, or an NPZ of one array.
    binary
        True takes the connected regions of a binary mask as objects; False takes every value as a
        label; None refuses what looks like a binary mask.

    Returns
    -------
    numpy.ndarray
        Shape (Y, X) or (Z, Y, X), of the type that the file has; axes of length one are left out.
        A boolean mask that was not to be refused becomes uint8.

    Raises
    ------
    DatasetError
        If the file is missing, damaged, of another kind, coloured, of several channels or times, or
        binary where labels are wanted or the other way round.
    LabelError
        If it holds fractions, NaN, or negative numbers.
    """
    if not path.is_file():
        raise DatasetError(
            "there is no such file", where=path, mend="check the name, and where you are"
        )
    labels = _volume(*_decode(path), path)
    if binary:
        return regions(labels, path)
    if binary is None and looks_binary(labels):
        raise DatasetError(
            "this is a binary mask: it says where there are objects, not which pixels are of one",
            where=path,
            mend="add --binary, which takes each connected region as an object (those that touch "
            "become one); or, if all of it is one object, --no-binary",
        )
    _require_ids(labels, path)
    return labels.astype(np.uint8) if labels.dtype == bool else labels


def refuse_lossy(path: Path) -> None:
    """Refuse a file that cannot hold labels.

    Raises
    ------
    DatasetError
        If it is a JPEG.
    """
    if path.suffix.lower() in LOSSY_SUFFIXES:
        raise DatasetError(
            "JPEG changes values, it cannot hold labels",
            where=path,
            mend="save the labels as PNG or TIFF where they are made",
        )


def looks_binary(mask: NDArray[Any]) -> bool:
    """Say whether a mask has one value beside 0, and is no single object with the id 1.

    Examples
    --------
    >>> looks_binary(np.array([[1, 1], [0, 0]])), looks_binary(np.array([[1, 0, 1]]))
    (False, True)
    >>> looks_binary(np.array([[255, 0]])), looks_binary(np.array([[255, 1]]))
    (True, False)
    """
    if mask.dtype == bool:
        return True
    if mask.dtype.kind not in "iu":
        return False
    highest = mask.max(initial=0)
    if highest not in {1, 255} or ((mask != 0) & (mask != highest)).any():
        return False
    return bool(highest == 255 or _connected(mask)[1] > 1)


def regions(mask: NDArray[Any], path: Path) -> NDArray[Any]:
    """Return the connected regions of a binary mask as labels; corners connect.

    Raises
    ------
    DatasetError
        If the mask of this file has more than two values.
    """
    inside = mask != 0
    if (mask[inside] != mask.max(initial=0)).any():
        raise DatasetError(
            "this is no binary mask: it has more than two values",
            where=path,
            mend="leave --binary out",
        )
    return _connected(inside)[0]


def one_of_equal_colours(colours: NDArray[Any], path: Path) -> NDArray[Any]:
    """Return one colour of a mask (C, …) whose colours are all alike; an alpha channel is left out.

    Raises
    ------
    DatasetError
        If they differ.
    """
    opaque = colours[:-1] if len(colours) in {2, 4} else colours
    if (opaque != opaque[0]).any():
        raise DatasetError(
            "labels are coloured, and which colours belong to one object cannot be known",
            where=path,
            mend="save the numbers of the objects: one channel, integers, 0 background; three "
            "planes of a volume with photometric='minisblack', so that no tool takes them for RGB",
        )
    first: NDArray[Any] = opaque[0]
    return first


def _connected(mask: NDArray[Any]) -> tuple[NDArray[Any], int]:
    from scipy import ndimage  # noqa: PLC0415 - few masks are binary, and importing it is slow

    labels, n = ndimage.label(mask, np.ones((3,) * mask.ndim, bool))
    return labels, n


def _decode(path: Path) -> tuple[NDArray[Any], str]:
    """Return what a file holds and its axes, those of length one left out except Y and X."""
    refuse_lossy(path)
    suffix = path.suffix.lower()
    if suffix not in LABEL_SUFFIXES:
        raise DatasetError(
            f"{suffix or 'a file without a suffix'} is no kind of label file",
            where=path,
            mend="save the labels as TIFF, PNG or NPY",
        )
    if suffix not in ARRAY_SUFFIXES:
        return decode_picture(path, indices=True)
    array = _load_array(path)
    if array.ndim > 2:
        long = [length for length in array.shape[:-2] if length != 1]
        array = array.reshape(*long, *array.shape[-2:])
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    return array, "Q" * (array.ndim - 2) + "YX"[max(2 - array.ndim, 0) :]


def _load_array(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            arrays = [loaded] if isinstance(loaded, np.ndarray) else list(loaded.values())
    except Exception as error:  # damaged bytes may raise anything
        if "Object arrays" in str(error):
            raise DatasetError(
                "the file holds a Python object, and reading one could run a program",
                where=path,
                mend="save the labels alone; of a _seg.npy, in Cellpose, with File > Save masks as "
                "PNG/tif, or from the command line with --save_png or --save_tif",
            ) from None
        raise DatasetError(
            f"the file cannot be read, it is truncated, damaged or no NumPy file: {error}",
            where=path,
            mend="get a fresh copy of the file, or save it again with numpy.save",
        ) from error
    if len(arrays) != 1:
        raise DatasetError(
            f"the file holds {len(arrays)} arrays",
            where=path,
            mend="save the labels alone, as NPY",
        )
    only: NDArray[Any] = arrays[0]
    return only


def _volume(array: NDArray[Any], axes: str, path: Path) -> NDArray[Any]:
    """Return an array as (Y, X) or (Z, Y, X), or refuse it."""
    if "S" in axes:
        array = one_of_equal_colours(np.moveaxis(array, axes.index("S"), 0), path)
        axes = axes.replace("S", "")
    if not axes.endswith("YX") or len(axes) > 3 or axes[0] == "T" or _has_channels(array, axes):
        raise DatasetError(
            f"the file is neither a plane nor a volume: it has the axes {axes.replace('Q', '?')} "
            f"and the shape {array.shape}",
            where=path,
            mend="save each channel and each time as a file of its own; if they are the planes of "
            "a volume, save it as one, with the axes ZYX",
        )
    if array.size == 0:
        raise LabelError(
            f"the file holds no pixel, its shape is {array.shape}",
            where=path,
            mend="save the labels again",
        )
    return array


def _has_channels(array: NDArray[Any], axes: str) -> bool:
    """Say whether the third axis is too short to be one of a volume, unless it is said to be."""
    if array.ndim != 3 or axes[0] not in "CQI":
        return False
    length: int = array.shape[0 if axes[0] == "C" else 2]
    return length <= MAX_CHANNELS


def _require_ids(labels: NDArray[Any], path: Path) -> None:
    if labels.dtype.kind == "i" and labels.min() < 0:
        raise LabelError(
            f"labels cannot be negative, the least is {labels.min()}",
            where=path,
            mend="0 is background and objects have numbers from 1: set ignored pixels to 0",
        )
    if labels.dtype.kind in "biu":
        return
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        what = f"the labels are {labels.dtype} and hold NaN or infinity"
    elif labels.dtype.kind == "f" and (labels != np.round(labels)).any():
        what = f"the labels are {labels.dtype} and hold fractions: this is no label image"
    else:
        what = f"labels are whole numbers by type, not {labels.dtype}"
    raise LabelError(
        what,
        where=path,
        mend="save them as integers: in Fiji with Image > Type > 16-bit, without scaling; in "
        "Python with labels.astype(numpy.uint32), if all are whole",
    )
