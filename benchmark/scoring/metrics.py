"""The figures of one image: counts of matches at each IoU threshold and what follows from them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.scoring.contingency import contingency
from benchmark.scoring.matching import HALF, as_fraction, match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmark.scoring.contingency import Contingency

SCORER_VERSION = "1"
"""Changes whenever a score of the same arrays would."""

THRESHOLDS = tuple(Fraction(percent, 100) for percent in range(50, 100, 5))
"""IoU thresholds .50, .55 … .95."""


@dataclass(frozen=True)
class Score:
    """Scores of one image.

    Tuples have one entry per threshold. Where neither image has an object every figure but the
    counts is NaN: there was nothing to get right or wrong. Otherwise a figure without a single
    match is 0, precision without any prediction and recall without any true object included.

    Parameters
    ----------
    thresholds
        IoU at and above which a pair may match.
    tp, fp, fn
        Matched pairs, predictions without a match, true objects without a match.
    ap
        TP / (TP + FP + FN). The literature on cells calls it average precision or accuracy; it is
        not the average precision of COCO.
    f1
        2 TP / (2 TP + FP + FN).
    precision, recall
        TP / (TP + FP) and TP / (TP + FN).
    mean_ap
        Mean of `ap` over the thresholds.
    mean_matched_iou
        Mean IoU of the pairs matched at IoU 0.5.
    pq, sq, rq
        Panoptic quality and its factors, segmentation and recognition quality, over pairs with IoU
        strictly above 0.5 (Kirillov et al. 2019, equation 1).
    n_true, n_pred
        Number of objects.
    """

    thresholds: tuple[float, ...]
    tp: tuple[int, ...]
    fp: tuple[int, ...]
    fn: tuple[int, ...]
    ap: tuple[float, ...]
    f1: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    mean_ap: float
    mean_matched_iou: float
    pq: float
    sq: float
    rq: float
    n_true: int
    n_pred: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists, fit for JSON; NaN becomes None."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def score(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    *,
    thresholds: Sequence[float | Fraction] | None = None,
    strict: bool = False,
) -> Score:
    """Score a predicted label image against the true one.

    Parameters
    ----------
    truth, prediction
        Integer arrays of the same shape and any number of axes; 0 is background, each other id
        one object. Ids of the two images need not agree.
    thresholds
        IoU thresholds above 0 and at most 1; default .50, .55 … .95. A float is rounded to a
        millionth and then compared exactly; a `fractions.Fraction` is taken as it is.
    strict
        Whether a pair exactly at a threshold is no match.

    Raises
    ------
    LabelError
        An argument is no label image, or the shapes differ.
    BenchError
        A threshold is out of range, or there is none.

    Examples
    --------
    A square of 4 by 4 pixels is found one column too narrow, a second one is missed, and one
    is invented.

    >>> truth, prediction = np.zeros((2, 6, 12), np.uint16)
    >>> truth[1:5, 1:5], truth[1:5, 7:11] = 1, 2
    >>> prediction[1:5, 1:4], prediction[0, 7:11] = 1, 2
    >>> result = score(truth, prediction, thresholds=[0.5, 0.75, 0.8])
    >>> result.tp, result.fp, result.fn
    ((1, 1, 0), (1, 1, 2), (1, 1, 2))
    >>> [round(ap, 3) for ap in result.ap], result.mean_matched_iou
    ([0.333, 0.333, 0.0], 0.75)
    """
    exact = THRESHOLDS if thresholds is None else tuple(map(as_fraction, thresholds))
    if not exact:
        raise BenchError("there is no IoU threshold to score at", mend="give one, such as 0.5")
    table = contingency(truth, prediction)
    *matched, at_half = match(table, (*exact, HALF), strict=strict)
    [above_half] = match(table, (HALF,), strict=True)
    tp = np.array([len(pairs) for pairs in matched], np.int64)
    rates = rates_of(tp, table.n_pred - tp, table.n_true - tp)
    _, mean_matched_iou = _quality(table, at_half)
    rq, sq = _quality(table, above_half)
    return Score(
        thresholds=tuple(map(float, exact)),
        tp=tuple(rates.tp.tolist()),
        fp=tuple(rates.fp.tolist()),
        fn=tuple(rates.fn.tolist()),
        ap=tuple(rates.ap.tolist()),
        f1=tuple(rates.f1.tolist()),
        precision=tuple(rates.precision.tolist()),
        recall=tuple(rates.recall.tolist()),
        mean_ap=float(rates.ap.mean()),
        mean_matched_iou=mean_matched_iou,
        pq=rq * sq,
        sq=sq,
        rq=rq,
        n_true=table.n_true,
        n_pred=table.n_pred,
    )


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
    tp: NDArray[np.integer[Any]], fp: NDArray[np.integer[Any]], fn: NDArray[np.integer[Any]]
) -> Rates:
    """Compute AP, F1, precision and recall from counts of one shape.

    All four are NaN where all counts are 0, and otherwise 0 where there is no match.

    Examples
    --------
    >>> rates = rates_of(np.array([3, 0, 0]), np.array([1, 0, 0]), np.array([2, 5, 0]))
    >>> rates.ap.tolist(), rates.precision.tolist()
    ([0.5, 0.0, nan], [0.75, 0.0, nan])
    """
    tp, fp, fn = (np.asarray(count, np.int64) for count in (tp, fp, fn))
    nothing = tp + fp + fn == 0

    def rate(matched: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(nothing, np.nan, matched / np.maximum(of, 1))

    return Rates(
        tp=tp,
        fp=fp,
        fn=fn,
        ap=rate(tp, tp + fp + fn),
        f1=rate(2 * tp, 2 * tp + fp + fn),
        precision=rate(tp, tp + fp),
        recall=rate(tp, tp + fn),
    )


def _quality(table: Contingency, pairs: NDArray[np.intp]) -> tuple[float, float]:
    """Return recognition quality, which is F1, and segmentation quality, the mean matched IoU."""
    n_objects = table.n_true + table.n_pred
    if n_objects == 0:
        return math.nan, math.nan
    if len(pairs) == 0:
        return 0.0, 0.0
    # fsum is exact, so the sum does not depend on the order that ids happen to give.
    return 2 * len(pairs) / n_objects, math.fsum(table.iou[pairs].tolist()) / len(pairs)


def _plain(value: Any) -> Any:
    """Return tuples as lists and NaN as None."""
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
