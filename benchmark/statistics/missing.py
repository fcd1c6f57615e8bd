"""What a missing prediction counts: as no detection, and the caller can say how often."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Filled:
    """Figures with what a missing prediction counts in its place.

    Parameters
    ----------
    values
        The figures, of the shape they came in.
    n_filled
        For each algorithm the number of images with true objects whose prediction is missing: they
        count as 0.
    n_empty
        For each algorithm the number of images without true objects whose prediction is missing.
    """

    values: NDArray[np.float64]
    n_filled: NDArray[np.int64]
    n_empty: NDArray[np.int64]


def fill_missing(
    values: ArrayLike, ok: ArrayLike, n_true: ArrayLike, *, empty: float = math.nan
) -> Filled:
    """Count each missing prediction as no detection.

    An empty prediction finds nothing, so its figure is 0 where there is something to find. Where
    there is nothing to find either, it is `empty`, as for an algorithm that ran and found nothing:
    by default not defined, so that the image is left out. A run scores its failed images the same
    way; here it is done for tables in which rows are absent, as when two runs are compared. An
    algorithm without a single prediction becomes 0 throughout: whether to show it is for the caller
    to decide.

    Parameters
    ----------
    values
        A figure of which 0 is the worst, shape ``(n_algorithms, n_images)`` or ``(n_images,)``.
        What stands where `ok` is false does not matter.
    ok
        Whether there is a prediction, bool, same shape.
    n_true
        Number of true objects in each image, shape ``(n_images,)``.
    empty
        What an image without any object counts, by the convention of the figure
        (`benchmark.scoring.Profile`).

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
    >>> filled.n_filled.tolist(), filled.n_empty.tolist()
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
    missing, nothing_to_find = ~present, objects == 0
    return Filled(
        values=np.where(missing, np.where(nothing_to_find, empty, 0.0), figures),
        n_filled=(missing & ~nothing_to_find).sum(axis=-1),
        n_empty=(missing & nothing_to_find).sum(axis=-1),
    )
