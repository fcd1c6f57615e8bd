"""What is a label image, and the refusal of what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import LabelError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def require_labels(labels: Any, name: str) -> None:
    """Refuse what is no array of integers; negative ids are found later, among the ids.

    Raises
    ------
    LabelError
        `labels`, which the message calls `name`, is no array, a matrix, masked, boolean or not of
        integers.
    """
    # A matrix stays two-dimensional when it is flattened.
    if not isinstance(labels, np.ndarray) or isinstance(labels, np.ma.MaskedArray | np.matrix):
        raise LabelError(
            f"{name} is of type {type(labels).__name__}, not a NumPy array",
            mend="convert it with numpy.asarray; fill a masked array with 0 first",
        )
    if labels.dtype.kind in "iu":
        return
    if labels.dtype.kind == "b":
        raise LabelError(
            f"{name} is a boolean mask, which cannot tell one object from the next",
            mend="give each object an id of its own, for example with skimage.measure.label",
        )
    not_finite = labels.dtype.kind == "f" and not np.isfinite(labels).all()
    raise LabelError(
        f"{name} has type {labels.dtype}" + (" and holds NaN or infinity" if not_finite else ""),
        mend="labels are whole numbers: round and cast on purpose, with labels.astype('int32')",
    )


def as_unsigned(labels: NDArray[Any], width: int) -> NDArray[Any]:
    """Return labels as unsigned integers of a width in bytes, negative ids in the upper half.

    Examples
    --------
    >>> as_unsigned(np.array([1, -1], np.int8), 2).tolist()
    [1, 65535]
    """
    return labels.astype(f"{labels.dtype.kind}{width}").view(f"u{width}")


def require_positive(ids: NDArray[np.uint64], source: np.dtype[Any], width: int, name: str) -> None:
    """Refuse ids, ascending, that were negative before `as_unsigned`.

    Raises
    ------
    LabelError
        There is one; the message says which.
    """
    half = 1 << (8 * width - 1)
    if source.kind == "i" and len(ids) and int(ids[-1]) >= half:
        lowest = int(ids[np.searchsorted(ids, np.uint64(half))]) - 2 * half
        raise LabelError(
            f"{name} has the negative id {lowest}",
            mend="0 is background and objects have ids from 1: set ignored pixels to 0",
        )


def in_border(labels: NDArray[Any], width: int) -> NDArray[np.uint64]:
    """Return the ids that occur within so many pixels of the image's edge, ascending.

    Examples
    --------
    >>> in_border(np.array([0, 3, 3, 5, 0, 0]), 2).tolist()
    [3]
    """
    strips = [
        np.moveaxis(labels, axis, 0)[part].ravel()
        for axis in range(labels.ndim)
        for part in (slice(None, width), slice(-width, None))
    ]
    ids = np.unique(as_unsigned(np.concatenate(strips), 8))
    return ids[ids > 0]
