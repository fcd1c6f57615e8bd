"""How far the outlines of matched objects lie apart, in physical units.

`outlines` collects the outlines of the matched objects, in one pass over each image; `distances`
measures pair after pair. Neither computes an image of distances: time and memory grow with the
outlines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.scoring.distances import measures
from benchmark.scoring.outlines import outlines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmark.scoring.contingency import Contingency

# Distances that differ by less than this share are equal but for rounding: 3 pixels of 0.1 µm are
# within 0.3 µm, though 3 * 0.1 > 0.3 as floats.
_ROUNDING = 1e-9

# Squares of larger ratios would leave no digits for the finest axis beside the coarsest.
_COARSEST = 1e6


@dataclass(frozen=True)
class Boundaries:
    """Distances between the outlines of matched objects, one entry a pair, in the order given.

    Parameters
    ----------
    mean
        Average symmetric surface distance, in units of the spacing, float64.
    hausdorff_95
        The larger of the two directed 95th percentiles of the distance, in units of the spacing.
    f1
        Harmonic mean of the shares of either outline within the tolerance of the other, 0 to 1.
    bias
        Mean signed distance, in units of the spacing: above 0 where the prediction reaches beyond
        the truth, below where it falls short.
    """

    mean: NDArray[np.float64]
    hausdorff_95: NDArray[np.float64]
    f1: NDArray[np.float64]
    bias: NDArray[np.float64]


def boundaries(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    table: Contingency,
    pairs: NDArray[np.intp],
    *,
    spacing: float | Sequence[float] | None = None,
    tolerance: float | None = None,
) -> Boundaries:
    """Measure how far the outlines of matched objects lie apart.

    The outline of an object is its pixels with a face neighbour outside of it. Beyond the image is
    outside: a cell cut by the frame has an outline along the frame. Distances run between centres
    of pixels.

    Parameters
    ----------
    truth, prediction
        The label images that `table` was counted from, of one to three axes.
    table
        Their objects and overlaps.
    pairs
        Positions of the matched pairs in `table`, shape ``(n,)``.
    spacing
        Distance between the centres of neighbouring pixels, one number or one per axis, in any
        unit; 1 by default. The distances returned are in the same unit.
    tolerance
        Distance up to which a pixel of an outline counts as found, itself included; by default
        twice the smallest spacing.

    Raises
    ------
    BenchError
        The images have more than three axes, or spacing or tolerance is no length.

    Examples
    --------
    A square of 5 x 5 pixels, predicted one pixel too far to the right, pixels of 0.5 µm:

    >>> from benchmark.scoring.contingency import contingency
    >>> truth, prediction = np.zeros((2, 9, 9), np.uint8)
    >>> truth[2:7, 1:6] = 1
    >>> prediction[2:7, 2:7] = 1
    >>> table = contingency(truth, prediction)
    >>> result = boundaries(truth, prediction, table, np.array([0]), spacing=0.5)
    >>> result.mean.tolist(), result.hausdorff_95.tolist(), result.f1.tolist()
    ([0.25], [0.5], [1.0])
    >>> result.bias.tolist()
    [0.0]
    """
    lengths, tolerance = units(truth.ndim, spacing, tolerance)
    finest = min(lengths)
    reach = tolerance / finest
    if len(pairs) == 0:
        return Boundaries(*np.empty((4, 0)))
    true_slots, true_ids = _slots(table.true_ids, table.pair_true[pairs])
    pred_slots, pred_ids = _slots(table.pred_ids, table.pair_pred[pairs])
    true, layout = outlines(truth, true_ids)
    pred, _ = outlines(prediction, pred_ids)
    # In pixels of the finest axis, squared distances are whole numbers where all axes are alike.
    z, y, x = (1.0, 1.0, *(length / finest for length in lengths))[-3:]
    mean, hausdorff_95, f1, bias = measures(
        (true, true_slots),
        (pred, pred_slots),
        layout,
        (z * z, y * y, x * x),
        reach * reach * (1 + _ROUNDING),
    )
    return Boundaries(mean * finest, hausdorff_95 * finest, f1, bias * finest)


def units(
    n_axes: int, spacing: float | Sequence[float] | None, tolerance: float | None
) -> tuple[tuple[float, ...], float]:
    """Return the spacing of each axis and the tolerance, or refuse what is no length.

    Parameters
    ----------
    n_axes
        Number of axes of the images.
    spacing, tolerance
        As in `boundaries`; None stands for the default.

    Raises
    ------
    BenchError
        As in `boundaries`.

    Examples
    --------
    >>> units(3, (2.0, 0.5, 0.5), None)
    ((2.0, 0.5, 0.5), 1.0)
    >>> units(2, 0.25, 1)
    ((0.25, 0.25), 1.0)
    """
    lengths = _spacing(spacing, n_axes)
    return lengths, 2 * min(lengths) if tolerance is None else _tolerance(tolerance)


def _spacing(spacing: float | Sequence[float] | None, n_axes: int) -> tuple[float, ...]:
    """Return the spacing of each axis, or refuse what is none."""
    if not 1 <= n_axes <= 3:
        raise BenchError(
            f"boundaries are measured in one to three dimensions, the images have {n_axes}",
            mend="score each time point or channel as an image of its own",
        )
    try:
        lengths = np.asarray(1.0 if spacing is None else spacing, np.float64)
    except (TypeError, ValueError, OverflowError):
        lengths = np.empty((0, 0))
    if lengths.shape not in {(), (n_axes,)} or not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise BenchError(
            f"{spacing!r} is no spacing of an image with {n_axes} axes",
            where="spacing",
            mend="give one positive length, or one per axis in the order of the axes, "
            f"such as {(2.0, 0.5, 0.5)[-n_axes:]}",
        )
    if lengths.max() > _COARSEST * lengths.min():
        raise BenchError(
            f"the spacing {spacing!r} differs between the axes by more than {_COARSEST:g} times",
            where="spacing",
            mend="give the spacing of all axes in the same unit",
        )
    return tuple(np.broadcast_to(lengths, n_axes).tolist())


def _tolerance(tolerance: float) -> float:
    """Return the tolerance, or refuse what is none."""
    try:
        length = float(tolerance)
    except (TypeError, ValueError, OverflowError):
        length = np.nan
    if np.isfinite(length) and length >= 0:
        return length
    raise BenchError(
        f"{tolerance!r} is no tolerance",
        where="tolerance",
        mend="give a length of 0 or more in the unit of the spacing; "
        "leave it out for twice the smallest spacing",
    )


def _slots(
    ids: NDArray[np.uint64], chosen: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Return for each choice its place among the ids chosen, and those ids in ascending order."""
    unique, slots = np.unique(chosen, return_inverse=True)
    return slots, ids[unique]
