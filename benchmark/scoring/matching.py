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
LINK = Fraction(1, 10)
"""IoU from which two objects have to do with each other (Caicedo et al. 2019, deepcell)."""

_MILLION = 1_000_000


def as_fraction(threshold: float | Fraction) -> Fraction:
    """Return an IoU threshold as an exact fraction.

    A float is rounded to a millionth, so that 0.55, which no float is, means 11/20. A `Fraction`
    is taken as it is. The denominator is at most a million, so that products with it and an area
    fit 64 bits.

    Raises
    ------
    BenchError
        The threshold is not above 0 and at most 1, or its denominator is above a million.

    Examples
    --------
    >>> as_fraction(0.55)
    Fraction(11, 20)
    """
    if isinstance(threshold, Fraction):
        exact = threshold
    elif isfinite(threshold):
        exact = Fraction(round(threshold * _MILLION), _MILLION)
    else:
        exact = Fraction(0)
    if not 0 < exact <= 1:
        raise BenchError(
            f"{threshold} is no IoU threshold",
            mend="give thresholds above 0 and at most 1, for example 0.5",
        )
    if exact.denominator > _MILLION:
        raise BenchError(
            f"the threshold {exact} is finer than a millionth",
            mend="round it, for example with Fraction.limit_denominator()",
        )
    return exact


def match(
    table: Contingency,
    thresholds: Sequence[Fraction],
    *,
    strict: bool = False,
    leftovers: bool = False,
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
    leftovers
        Whether, of all choices with the most matches, the one is taken in which the IoU of the
        matches *and of what can be paired besides* is largest, as cellpose and stardist do. That
        can cost the matches some IoU.

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
    reached = reaches(table, thresholds, strict=strict)
    return [
        np.flatnonzero(row)
        if _unique(threshold, strict=strict)
        else _settle(table, row, leftovers=leftovers)
        for threshold, row in zip(thresholds, reached, strict=True)
    ]


def count_matches(
    table: Contingency,
    thresholds: Sequence[Fraction],
    *,
    strict: bool = False,
    leftovers: bool = False,
) -> NDArray[np.int64]:
    """Return how many pairs `match` finds at each threshold, shape ``(thresholds,)``."""
    reached = reaches(table, thresholds, strict=strict)
    counts: NDArray[np.int64] = np.count_nonzero(reached, axis=1)
    for k, threshold in enumerate(thresholds):
        if not _unique(threshold, strict=strict):
            counts[k] = len(_settle(table, reached[k], leftovers=leftovers))
    return counts


def _unique(threshold: Fraction, *, strict: bool) -> bool:
    """Whether no object can reach a threshold with two others."""
    return threshold > HALF or (strict and threshold == HALF)


def reaches(
    table: Contingency, thresholds: Sequence[Fraction], *, strict: bool = False
) -> NDArray[np.bool_]:
    """Tell exactly whether the IoU of each pair reaches each threshold, (thresholds, pairs)."""
    p = np.array([[threshold.numerator] for threshold in thresholds])
    q = np.array([[threshold.denominator] for threshold in thresholds])
    left, right = table.intersection * q, table.union * p
    reached: NDArray[np.bool_] = left > right if strict else left >= right
    return reached


def _settle(table: Contingency, reached: NDArray[np.bool_], *, leftovers: bool) -> NDArray[np.intp]:
    """Choose among pairs that share objects."""
    pairs = np.flatnonzero(reached)
    truth, pred = table.pair_true[pairs], table.pair_pred[pairs]
    # A pair whose two objects have no other candidate is matched in every best matching.
    contested = (np.bincount(truth)[truth] > 1) | (np.bincount(pred)[pred] > 1)
    if not contested.any():
        return pairs
    if leftovers:
        weight = reached + table.iou / (2 * min(table.n_true, table.n_pred))
        chosen = heaviest(table.pair_true, table.pair_pred, weight)
        return chosen[reached[chosen]]
    rest = pairs[contested]
    # A match outweighs all the IoU there is to gain.
    weight = 1 + table.iou[rest] / (2 * len(rest))
    chosen = heaviest(truth[contested], pred[contested], weight)
    return np.sort(np.concatenate([pairs[~contested], rest[chosen]]))


def heaviest(
    truth: NDArray[np.intp], pred: NDArray[np.intp], weight: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Choose pairs so that each object occurs at most once and the sum of weights is largest.

    Parameters
    ----------
    truth, pred
        The objects of each pair, shape ``(n_pairs,)``.
    weight
        Weight of each pair, above 0.

    Returns
    -------
    numpy.ndarray
        Positions of the chosen pairs, ascending.

    Examples
    --------
    Two pairs of 0.4 outweigh one of 0.7 that shares an object with each.

    >>> weight = np.array([0.7, 0.4, 0.4])
    >>> heaviest(np.array([0, 0, 1]), np.array([0, 1, 0]), weight).tolist()
    [1, 2]
    """
    sure, open_ = _sure(truth, pred, weight)
    rest = _assigned(truth[open_], pred[open_], weight[open_])
    return np.sort(np.concatenate([sure, open_[rest]]))


def _sure(
    truth: NDArray[np.intp], pred: NDArray[np.intp], weight: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs that every heaviest choice has, and those of other objects.

    A pair that weighs more than the best other one of either of its objects together can be put in
    the place of both. Of cells that are found well, nearly all are such pairs.
    """
    rivals = _best_other(truth, weight) + _best_other(pred, weight)
    sure = np.flatnonzero(weight > rivals)
    taken = np.isin(truth, truth[sure]) | np.isin(pred, pred[sure])
    return sure, np.flatnonzero(~taken)


def _best_other(ends: NDArray[np.intp], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each pair the largest weight of another pair of the same object, 0 if none."""
    order = np.lexsort((-weight, ends))
    first = np.ones(len(order), bool)
    first[1:] = ends[order[1:]] != ends[order[:-1]]
    heads = np.flatnonzero(first)
    sizes = np.diff(heads, append=len(order))
    second = np.zeros(len(heads))
    second[sizes > 1] = weight[order[heads[sizes > 1] + 1]]
    other = np.empty(len(order))
    other[order] = np.repeat(weight[order[heads]], sizes)
    other[order[heads]] = second
    return other


def _assigned(
    truth: NDArray[np.intp], pred: NDArray[np.intp], weight: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Solve the assignment of pairs, as `heaviest` returns it.

    Every true object also gets a partner of its own that stands for "unmatched" and weighs nothing.
    The graph stays sparse: a field of touching cells is one large component, and as a dense matrix
    20 000 of them take 3 GB.
    """
    if len(weight) == 0:
        return np.empty(0, np.intp)
    rows, row = np.unique(truth, return_inverse=True)
    columns, column = np.unique(pred, return_inverse=True)
    n, m = len(rows), len(columns)
    # A cost of 0 would read as "no edge".
    most = 1 + weight.max()
    cost = np.concatenate([most - weight, np.full(n, most)])
    ends = np.concatenate([row, np.arange(n)]), np.concatenate([column, m + np.arange(n)])
    graph = coo_array((cost, ends), shape=(n, m + n)).tocsr()
    _, partner = min_weight_full_bipartite_matching(graph)
    return np.flatnonzero(partner[row] == column)
