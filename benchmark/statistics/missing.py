"""What a missing prediction counts: as no detection, and the caller can say how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Filled:
    """Figures with a value wherever a prediction was missing.

    Parameters
    ----------
    values
        The figures, of the shape they came in.
    n_filled
        For each algorithm the number of images that count as 0 because their prediction is
        missing.
    n_left_out
        For each algorithm the number of images that are left out because their prediction is
        missing and they have no true object.
    """

    values: NDArray[np.float64]
    n_filled: NDArray[np.int64]
    n_left_out: NDArray[np.int64]


def fill_missing(values: ArrayLike, ok: ArrayLike, n_true: ArrayLike) -> Filled:
    """Count each missing prediction as no detection.

    An empty prediction finds nothing, so its figure is 0 where there is something to find. Where
    there is nothing to find either, it is not defined: the image is left out, as it is for an
    algorithm that ran and found nothing. A run scores its failed images the same way; here it is
    done for tables in which rows are absent, as when two runs are compared. An algorithm without a
    single prediction becomes 0 throughout: whether to show it is for the caller to decide.

    Parameters
    ----------
    values
        A figure of which 0 is the worst, shape ``(n_algorithms, n_images)`` or ``(n_images,)``.
        What stands where `ok` is false does not matter.
    ok
        Whether there is a prediction, bool, same shape.
    n_true
        Number of true objects in each image, shape ``(n_images,)``.

    Returns
    -------
    Filled
        Figures as they were where `ok` is true, NaN included.

    Raises
    ------
    ValueError
        The shapes do not go together, or `ok` is not of type bool.
    BenchError
        The number of true objects of an image is not known, or negative.

    Examples
    --------
    A failed on y, b has no row for y; image z has no object, and a has failed there too.

    >>> import pandas as pd
    >>> rows = pd.DataFrame(
    ...     {
    ...         "algorithm": ["a", "a", "a", "b", "b"],
    ...         "sample": ["x", "y", "z", "x", "z"],
    ...         "status": ["ok", "failed", "timeout", "ok", "ok"],
    ...         "n_true": [5, 3, 0, 5, 0],
    ...         "ap50": [0.8, None, None, 0.6, 0.0],
    ...     }
    ... )
    >>> table = rows.pivot(index="algorithm", columns="sample")
    >>> filled = fill_missing(table["ap50"], table["status"].isin(["ok"]), table["n_true"].max())
    >>> filled.values.tolist()
    [[0.8, 0.0, nan], [0.6, 0.0, 0.0]]
    >>> filled.n_filled.tolist(), filled.n_left_out.tolist()
    ([1, 1], [1, 0])
    """
    figures, present = np.asarray(values, np.float64), np.asarray(ok)
    objects = np.asarray(n_true, np.float64)
    if figures.ndim not in (1, 2) or present.shape != figures.shape:
        raise ValueError(
            f"ok of shape {present.shape} does not go with values of shape {figures.shape}"
        )
    if present.dtype != np.bool_:
        raise ValueError(f"ok is of type {present.dtype}, not bool")
    if objects.shape != figures.shape[-1:]:
        raise ValueError(
            f"n_true of shape {objects.shape} does not go with values of shape {figures.shape}"
        )
    unknown = np.flatnonzero(~(objects >= 0))
    if len(unknown):
        raise BenchError(
            f"the number of true objects is not known for {len(unknown)} images, "
            f"the first of them image {unknown[0]}",
            mend="take it from the truth, or from any algorithm that has a row for the image",
        )
    zero, left_out = ~present & (objects > 0), ~present & (objects == 0)
    return Filled(
        values=np.where(zero, 0.0, np.where(left_out, np.nan, figures)),
        n_filled=zero.sum(axis=-1),
        n_left_out=left_out.sum(axis=-1),
    )
