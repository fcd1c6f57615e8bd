"""The compiled measurement of the distances between two outlines, pair after pair.

The nearest pixel is looked for row by row, outwards from the row of the one that asks, until the
rows alone are farther away than the best pixel so far. Outlines of matched objects are mostly
close, so a search ends after a few rows, in small objects and large ones. Against a distance
transform this needs no image of distances, and pixels that are no outline cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.scoring.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.scoring.outlines import Layout, Outlines

    # Outlines, and for each pair which of them is meant
    Side = tuple[Outlines, NDArray[np.intp]]


class _Index(NamedTuple):
    """One outline, by rows: its box, where each row of the box starts, and the packed columns."""

    z_first: int
    z_last: int
    y_first: int
    y_last: int
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


@compiled
def measures(
    true: Side, pred: Side, layout: Layout, weights: tuple[float, float, float], reach: float
) -> NDArray[np.float64]:
    """Measure the distances between the outlines of each pair of objects.

    Parameters
    ----------
    true, pred
        Outlines, and for each of n pairs which of them is meant.
    layout
        How their pixels are packed.
    weights
        Squared spacing along z, y, x: a squared distance is the sum of squared steps times these.
    reach
        Largest squared distance at which a pixel counts as found.

    Returns
    -------
    numpy.ndarray
        Mean, Hausdorff, F1 and bias, see `boundary`, float64, shape ``(4, n)``.
    """
    figures = np.empty((4, len(true[1])))
    longest = max(_longest(true[0]), _longest(pred[0]))
    squared, inside = np.empty((2, longest)), np.empty((2, longest), np.bool_)
    columns, rows = np.empty(longest, np.int64), np.empty(1024, np.int64)
    for pair in range(len(true[1])):
        ours, theirs = _of(true, pair), _of(pred, pair)
        n, m = len(ours), len(theirs)
        sides = (squared[0, :n], inside[0, :n]), (squared[1, :m], inside[1, :m])
        index = _index(theirs, layout, rows, columns)
        _search(ours, index, layout, weights, sides[0])
        index = _index(ours, layout, index.rows, columns)
        _search(theirs, index, layout, weights, sides[1])
        rows = index.rows
        mean, hausdorff_95, f1, bias = _figures(sides[0], sides[1], reach)
        figures[0, pair], figures[1, pair] = mean, hausdorff_95
        figures[2, pair], figures[3, pair] = f1, bias
    return figures


@compiled
def _longest(outlines: Outlines) -> int:
    """Return the number of pixels of the longest outline."""
    longest = 0
    for k in range(len(outlines.start) - 1):
        longest = max(longest, outlines.start[k + 1] - outlines.start[k])
    return longest


@compiled
def _of(side: Side, pair: int) -> NDArray[np.int64]:
    """Return the outline of one object of a pair."""
    outlines, slots = side
    return outlines.pixels[outlines.start[slots[pair]] : outlines.start[slots[pair] + 1]]


@compiled
def _index(
    pixels: NDArray[np.int64], layout: Layout, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> _Index:
    """Arrange an outline by rows, in the arrays given; a longer one replaces `rows` if need be."""
    y_mask, x_mask = (1 << layout.y_bits) - 1, (2 << layout.x_bits) - 1
    z_first = pixels[0] >> (layout.x_bits + 1) >> layout.y_bits
    z_last = pixels[-1] >> (layout.x_bits + 1) >> layout.y_bits
    y_first = y_last = pixels[0] >> (layout.x_bits + 1) & y_mask
    for k in range(len(pixels)):
        y = pixels[k] >> (layout.x_bits + 1) & y_mask
        y_first, y_last = min(y_first, y), max(y_last, y)
        columns[k] = pixels[k] & x_mask
    height = y_last - y_first + 1
    n_rows = (z_last - z_first + 1) * height
    if n_rows >= len(rows):
        rows = np.empty(2 * n_rows, np.int64)
    filled = 0
    for k in range(len(pixels)):
        zy = pixels[k] >> (layout.x_bits + 1)
        row = ((zy >> layout.y_bits) - z_first) * height + (zy & y_mask) - y_first
        while filled <= row:
            rows[filled] = k
            filled += 1
    for row in range(filled, n_rows + 1):
        rows[row] = len(pixels)
    return _Index(z_first, z_last, y_first, y_last, rows, columns)


@compiled
def _search(
    pixels: NDArray[np.int64],
    index: _Index,
    layout: Layout,
    weights: tuple[float, float, float],
    found: tuple[NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    """Find the squared distance of each pixel to the other outline, and if it is inside of it."""
    squared, inside = found
    y_mask, x_mask = (1 << layout.y_bits) - 1, (1 << layout.x_bits) - 1
    for k in range(len(pixels)):
        z = pixels[k] >> (layout.x_bits + 1) >> layout.y_bits
        y = pixels[k] >> (layout.x_bits + 1) & y_mask
        x = pixels[k] >> 1 & x_mask
        best, inside[k] = _in_own_row(index, (z, y, x), weights[2])
        if index.z_first <= z <= index.z_last:
            best = _in_plane(index, (z, y, x), weights, 0.0, best)
        for side in range(2):
            first = max(z - index.z_last if side == 0 else index.z_first - z, 1)
            last = z - index.z_first if side == 0 else index.z_last - z
            for step in range(first, last + 1):
                off = weights[0] * step * step
                if off >= best:
                    break
                at = z - step if side == 0 else z + step
                best = _in_plane(index, (at, y, x), weights, off, best)
        squared[k] = best


@compiled
def _in_own_row(index: _Index, place: tuple[int, int, int], weight: float) -> tuple[float, bool]:
    """Return the least squared distance in the row of a place, and if that is in the object."""
    z, y, x = place
    best, before = np.inf, 0
    if index.z_first <= z <= index.z_last and index.y_first <= y <= index.y_last:
        row = (z - index.z_first) * (index.y_last - index.y_first + 1) + y - index.y_first
        start, stop = _narrowed(index.columns, index.rows[row], index.rows[row + 1], x)
        for k in range(start, stop):
            column = index.columns[k]
            before = column if column <= 2 * x + 1 else before
            gap = x - (column >> 1)
            best = min(best, weight * gap * gap)
    # Between two outline pixels of a row, all pixels are of the object or none is.
    return best, before & 1 > 0


@compiled
def _in_plane(
    index: _Index,
    place: tuple[int, int, int],
    weights: tuple[float, float, float],
    off: float,
    best: float,
) -> float:
    """Return the least squared distance in a plane that is `off` away, if less than the best.

    Rows are visited outwards from that of the place, which itself is left out where `off` is 0.
    """
    z, y, x = place
    plane = (z - index.z_first) * (index.y_last - index.y_first + 1) - index.y_first
    own = 0 if off > 0 else 1
    for side in range(2):
        first = max(y - index.y_last, own) if side == 0 else max(index.y_first - y, 1)
        last = y - index.y_first if side == 0 else index.y_last - y
        for step in range(first, last + 1):
            away = off + weights[1] * step * step
            if away >= best:
                break
            row = plane + (y - step if side == 0 else y + step)
            start, stop = _narrowed(index.columns, index.rows[row], index.rows[row + 1], x)
            for k in range(start, stop):
                gap = x - (index.columns[k] >> 1)
                best = min(best, away + weights[2] * gap * gap)
    return best


@compiled
def _narrowed(columns: NDArray[np.int64], start: int, stop: int, x: int) -> tuple[int, int]:
    """Narrow a long stretch of ascending columns down to a short one with the neighbours of x."""
    while stop - start > 8:
        middle = (start + stop) // 2
        if columns[middle] > 2 * x + 1:
            stop = middle + 1
        else:
            start = middle
    return start, stop


@compiled
def _figures(
    true: tuple[NDArray[np.float64], NDArray[np.bool_]],
    pred: tuple[NDArray[np.float64], NDArray[np.bool_]],
    reach: float,
) -> tuple[float, float, float, float]:
    """Return mean, Hausdorff, F1 and bias from the squared distances of both outlines."""
    n_true, n_pred = len(true[0]), len(pred[0])
    n = n_true + n_pred
    true_sum, true_bias = _sums(true[0], true[1])
    pred_sum, pred_bias = _sums(pred[0], pred[1])
    true_found, true_far = _summary(true[0], reach)
    pred_found, pred_far = _summary(pred[0], reach)
    # 2ab / (a + b) of the shares, as one fraction of whole numbers
    shares = true_found * n_pred + pred_found * n_true
    f1 = 2 * true_found * pred_found / shares if shares > 0 else 0.0
    # From the truth's side, a pixel inside the prediction is where that reaches beyond.
    bias = (true_bias - pred_bias) / n
    return (true_sum + pred_sum) / n, max(true_far, pred_far), f1, bias


@compiled
def _sums(squared: NDArray[np.float64], inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the sum of the distances, and that of the signed ones, positive inside."""
    total = signed = 0.0
    for k in range(len(squared)):
        distance = np.sqrt(squared[k])
        total += distance
        signed += distance if inside[k] else -distance
    return total, signed


@compiled
def _summary(squared: NDArray[np.float64], reach: float) -> tuple[int, float]:
    """Return how many squared distances are within reach, and the 95th percentile of the distances.

    Linear interpolation between the two nearest ranks, as `numpy.percentile` has it. `squared` is
    left in another order.
    """
    found = 0
    for value in squared:
        found += value <= reach
    rank = 0.95 * (len(squared) - 1)
    below = int(rank)
    _select(squared, below)
    lower = np.sqrt(squared[below])
    if below == len(squared) - 1:
        return found, lower
    upper = np.inf
    for k in range(below + 1, len(squared)):
        upper = min(upper, squared[k])
    return found, lower + (rank - below) * (np.sqrt(upper) - lower)


@compiled
def _select(values: NDArray[np.float64], rank: int) -> None:
    """Bring the value of a rank to its place, none larger before it, none smaller after (Hoare).

    Distances along an outline rise and fall: a pivot in the middle would often be the largest. The
    places of the pivots are those of a linear congruential generator, the same each time.
    """
    first, last, drawn = 0, len(values) - 1, 1
    while first < last:
        drawn = (drawn * 1103515245 + 12345) & 0x7FFFFFFF
        pivot = values[first + drawn % (last - first + 1)]
        low, high = first, last
        while low <= high:
            while values[low] < pivot:
                low += 1
            while values[high] > pivot:
                high -= 1
            if low <= high:
                values[low], values[high] = values[high], values[low]
                low += 1
                high -= 1
        if rank <= high:
            last = high
        elif rank >= low:
            first = low
        else:
            return
