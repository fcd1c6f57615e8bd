"""From objects, overlaps and matches to figures: pure functions of a table.

Each is NaN where neither image has an object, since there was nothing to get right or wrong, and 0
where only one has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.scoring.matching import HALF, LINK, heaviest, reaches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.scoring.contingency import Contingency


@dataclass(frozen=True)
class Rates:
    """Counts of any shape with the rates that follow from them, element by element."""

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    ap: NDArray[np.float64]
    f1: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


def rates_of(
    tp: NDArray[np.integer[Any]],
    fp: NDArray[np.integer[Any]],
    fn: NDArray[np.integer[Any]],
    *,
    empty: float = math.nan,
) -> Rates:
    """Compute AP, F1, precision and recall from counts of one shape.

    All four are `empty` where all counts are 0, and otherwise 0 where there is no match.

    Examples
    --------
    >>> rates = rates_of(np.array([3, 0, 0]), np.array([1, 0, 0]), np.array([2, 5, 0]))
    >>> rates.ap.tolist(), rates.precision.tolist()
    ([0.5, 0.0, nan], [0.75, 0.0, nan])
    """
    tp, fp, fn = (np.asarray(count, np.int64) for count in (tp, fp, fn))
    nothing = tp + fp + fn == 0

    def rate(matched: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(nothing, empty, matched / np.maximum(of, 1))

    return Rates(
        tp=tp,
        fp=fp,
        fn=fn,
        ap=rate(tp, tp + fp + fn),
        f1=rate(2 * tp, 2 * tp + fp + fn),
        precision=rate(tp, tp + fp),
        recall=rate(tp, tp + fn),
    )


def mean_iou(table: Contingency, pairs: NDArray[np.intp], n: int) -> float:
    """Sum of the IoU of pairs over a number of objects; 0 over none."""
    if table.n_true + table.n_pred == 0:
        return math.nan
    # fsum is exact, so the sum does not depend on the order that ids happen to give.
    return math.fsum(table.iou[pairs].tolist()) / n if n else 0.0


def recognition_quality(table: Contingency, pairs: NDArray[np.intp]) -> float:
    """2 TP / (2 TP + FP + FN) of the matched pairs."""
    n_objects = table.n_true + table.n_pred
    return 2 * len(pairs) / n_objects if n_objects else math.nan


def seg(table: Contingency) -> float:
    """SEG of the Cell Tracking Challenge, the mean IoU of true objects that are found.

    A prediction finds a true object of which it covers more than half; one may find several. True
    objects that are not found count 0 (Maška et al. 2014, Bioinformatics 30, 1609).
    """
    return mean_iou(table, _majority(table), table.n_true)


def det(table: Contingency) -> float:
    """DET of the Cell Tracking Challenge, 1 less the cost of mending all detections.

    A missed object costs 10, a spurious one 1, and 5 each true object beyond the first that one
    prediction finds, as `seg` has it; the sum is put in relation to the cost of adding all true
    objects and never exceeds it (Matula et al. 2015, PLoS ONE 10, e0144959).
    """
    if table.n_true == 0:
        return 0.0 if table.n_pred else math.nan
    pairs = _majority(table)
    found = np.bincount(table.pair_pred[pairs], minlength=table.n_pred)
    missed, spurious = table.n_true - len(pairs), np.count_nonzero(found == 0)
    merged = int((found[found > 0] - 1).sum())
    cost = 10 * missed + int(spurious) + 5 * merged
    return 1 - min(1.0, cost / (10 * table.n_true))


def aji(table: Contingency) -> float:
    """Return the aggregated Jaccard index: pixels that pairs share, over theirs and all others.

    Each true object is paired with the prediction of largest IoU; one prediction may serve several
    (Kumar et al. 2017, IEEE TMI 36, 1550, as HoVer-Net computes it). Of equal IoUs the one of more
    pixels is taken, then the lower id.
    """
    order = np.lexsort((table.pair_pred, -table.intersection, -table.iou, table.pair_true))
    truth = table.pair_true[order]
    first = np.ones(len(truth), bool)
    first[1:] = truth[1:] != truth[:-1]
    return _aggregated(table, order[first])


def aji_plus(table: Contingency) -> float:
    """Return the aggregated Jaccard index over one-to-one pairs with the largest sum of IoU.

    Graham et al. 2019, Medical Image Analysis 58, 101563.
    """
    return _aggregated(table, heaviest(table.pair_true, table.pair_pred, table.iou))


def aji_cellpose(table: Contingency) -> float:
    """Return cellpose's aggregated Jaccard index: pixels that pairs share over all foreground.

    Pairs are one to one, as many as can be with an IoU of at least 0.5, and then with the largest
    sum of IoU over all pairs.
    """
    union = table.true_areas.sum() + table.pred_areas.sum() - table.intersection.sum()
    if union == 0:
        return math.nan
    [good] = reaches(table, [HALF])
    weight = good + table.iou / max(1, 2 * min(table.n_true, table.n_pred))
    pairs = heaviest(table.pair_true, table.pair_pred, weight)
    return float(table.intersection[pairs].sum() / union)


def foreground_iou(table: Contingency) -> float:
    """Pixels that are in an object of both images, over those that are in one of either."""
    shared = table.intersection.sum()
    union = table.true_areas.sum() + table.pred_areas.sum() - shared
    return float(shared / union) if union else math.nan


def overlapped(table: Contingency) -> tuple[int, int]:
    """Return how many true objects and how many predictions several others overlap.

    The splits and merges of Caicedo et al. 2019: overlaps of an IoU above 0.1 count, whether one of
    them is a match or not, and an object can be in both.
    """
    pairs = np.flatnonzero(reaches(table, [LINK], strict=True)[0])
    splits = np.bincount(table.pair_true[pairs], minlength=1) > 1
    merges = np.bincount(table.pair_pred[pairs], minlength=1) > 1
    return int(np.count_nonzero(splits)), int(np.count_nonzero(merges))


def _majority(table: Contingency) -> NDArray[np.intp]:
    """Return the pairs in which the prediction covers more than half of the true object."""
    return np.flatnonzero(2 * table.intersection > table.true_areas[table.pair_true])


def _aggregated(table: Contingency, pairs: NDArray[np.intp]) -> float:
    """Intersections over unions of pairs, to which the areas of all other objects are added."""
    lone_true = np.ones(table.n_true, bool)
    lone_pred = np.ones(table.n_pred, bool)
    lone_true[table.pair_true[pairs]] = False
    lone_pred[table.pair_pred[pairs]] = False
    union = table.union[pairs].sum()
    union += table.true_areas[lone_true].sum() + table.pred_areas[lone_pred].sum()
    return float(table.intersection[pairs].sum() / union) if union else math.nan
