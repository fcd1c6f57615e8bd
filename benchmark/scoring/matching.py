"""One-to-one matching of true and predicted objects: most matches first, then the largest IoU sum.

Two objects that share more than half of their union can share that much with no third, so above
an IoU of one half the pairs that pass are the matching. At and below it an object may pass with
several partners; those few, and only those, are an assignment problem.
"""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from benchmark.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmark.scoring.contingency import Contingency

HALF = Fraction(1, 2)


def as_fraction(threshold: float | Fraction) -> Fraction:
    """Return an IoU threshold as an exact fraction.

    A float is rounded to a millionth, so that 0.55, which no float is, means 11/20. A `Fraction`
    is taken as it is.

    Raises
    ------
    BenchError
        The threshold is not above 0 and at most 1.

    Examples
    --------
    >>> as_fraction(0.55)
    Fraction(11, 20)
    """
    if isinstance(threshold, Fraction):
        exact = threshold
    elif isfinite(threshold):
        exact = Fraction(round(threshold * 1_000_000), 1_000_000)
    else:
        exact = Fraction(0)
    if not 0 < exact <= 1:
        raise BenchError(
            f"{threshold} is no IoU threshold",
            mend="give thresholds above 0 and at most 1, for example 0.5",
        )
    return exact


def match(
    table: Contingency, thresholds: Sequence[Fraction], *, strict: bool = False
) -> list[NDArray[np.intp]]:
    """Match objects one to one among the pairs whose IoU reaches a threshold.

    Parameters
    ----------
    table
        Objects and overlaps of one image.
    thresholds
        Least IoU of a match, compared as integers: ``intersection * q >= union * p`` for ``p/q``.
    strict
        Whether a pair exactly at the threshold is left out.

    Returns
    -------
    list of numpy.ndarray
        For each threshold the positions of the matched pairs in the table, ascending, shape
        ``(tp,)``. No other choice has more matches, and none with as many has a larger sum of IoU,
        up to the rounding of floats.

    Examples
    --------
    >>> from benchmark.scoring.contingency import contingency
    >>> halves = contingency(np.array([1, 1, 1, 1]), np.array([5, 5, 6, 6]))
    >>> [matched] = match(halves, [Fraction(1, 2)])
    >>> [matched_above] = match(halves, [Fraction(1, 2)], strict=True)
    >>> len(matched), len(matched_above)
    (1, 0)
    """
    matched = []
    for threshold, reached in zip(thresholds, _reach(table, thresholds, strict), strict=True):
        pairs = np.flatnonzero(reached)
        unique = threshold > HALF or (strict and threshold == HALF)
        matched.append(pairs if unique else _settle(table, pairs))
    return matched


def _reach(table: Contingency, thresholds: Sequence[Fraction], strict: bool) -> NDArray[np.bool_]:
    """Tell exactly whether the IoU of each pair reaches each threshold, (thresholds, pairs)."""
    intersection, union = table.intersection, table.union
    largest_q = max(threshold.denominator for threshold in thresholds)
    # The factors below are at most q, and an intersection is at most its union.
    fits = int(union.max(initial=0)) * largest_q <= np.iinfo(np.int64).max
    exact = np.dtype(np.int64 if fits else object)
    p = np.array([[threshold.numerator] for threshold in thresholds], exact)
    q = np.array([[threshold.denominator] for threshold in thresholds], exact)
    left, right = intersection * q, union * p
    return np.asarray(left > right if strict else left >= right, np.bool_)


def _settle(table: Contingency, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Choose among pairs that share objects."""
    truth, pred = table.pair_true[pairs], table.pair_pred[pairs]
    # A pair whose two objects have no other candidate is matched in every best matching.
    contested = (np.bincount(truth)[truth] > 1) | (np.bincount(pred)[pred] > 1)
    if not contested.any():
        return pairs
    rest = pairs[contested]
    chosen = _assign(truth[contested], pred[contested], table.iou[rest])
    return np.sort(np.concatenate([pairs[~contested], rest[chosen]]))


def _assign(
    truth: NDArray[np.intp], pred: NDArray[np.intp], iou: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Choose pairs so that each object occurs once, most pairs first, then the largest IoU sum.

    Every true object also gets a partner of its own that stands for "unmatched" and costs more
    than all real partners together, so the cheapest full assignment has the most real pairs. The
    graph stays sparse: a field of touching cells is one large component at a low threshold.
    """
    rows, truth = np.unique(truth, return_inverse=True)
    columns, pred = np.unique(pred, return_inverse=True)
    n, m = len(rows), len(columns)
    # A cost of 0 would read as "no edge": real partners cost from 1 to 2.
    cost = np.concatenate([2 - iou, np.full(n, 2.0 * n + 2)])
    row = np.concatenate([truth, np.arange(n)])
    column = np.concatenate([pred, m + np.arange(n)])
    graph = coo_array((cost, (row, column)), shape=(n, m + n)).tocsr()
    _, partner = min_weight_full_bipartite_matching(graph)
    return np.flatnonzero(partner[truth] == pred)
