"""`score` and `Score`: every figure of one image."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmark.errors import BenchError
from benchmark.scoring import figures
from benchmark.scoring.boundary import boundaries, units
from benchmark.scoring.contingency import contingency, without
from benchmark.scoring.kinds import CATASTROPHE, MERGED, PRED_KINDS, SPLIT, TRUE_KINDS, kinds
from benchmark.scoring.labels import in_border
from benchmark.scoring.matching import HALF, as_fraction, count_matches, match
from benchmark.scoring.objects import events_of, object_columns, pieces
from benchmark.scoring.profiles import profile_of
from benchmark.scoring.tissuenet import tissuenet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    import pandas as pd
    from numpy.typing import NDArray

    from benchmark.scoring.boundary import Boundaries
    from benchmark.scoring.contingency import Contingency
    from benchmark.scoring.figures import Rates
    from benchmark.scoring.kinds import Kinds
    from benchmark.scoring.profiles import Profile

SCORER_VERSION = "2"
"""Changes whenever a score of the same arrays would."""

LISTS = ("tp", "fp", "fn", "ap", "f1", "precision", "recall")
"""What a score has an entry of per threshold."""

NUMBERS = (
    "mean_ap",
    "mean_f1",
    "mean_matched_iou",
    "mean_true_iou",
    "pq",
    "sq",
    "rq",
    "seg",
    "det",
    "aji",
    "aji_plus",
    "aji_cellpose",
    "foreground_iou",
    "boundary_mean",
    "hausdorff_95",
    "boundary_f1",
    "boundary_bias",
)
"""What a score has one number of."""

COUNTS = (
    "n_true",
    "n_pred",
    "splits",
    "merges",
    "catastrophes",
    "fragmented_true",
    "fragmented_pred",
)
"""What a score has a whole number of."""


def _figure(compute: Callable[[Score], float]) -> cached_property[float]:
    """Make a figure that is computed once, and is the profile's where there is no object at all."""

    @wraps(compute)
    def value(self: Score) -> float:
        return compute(self) if self.n_true + self.n_pred else self.profile.empty

    return cached_property(value)


class Score:
    """Scores of one image, each computed when it is first asked for.

    Where neither image has an object every figure is what the profile says, NaN by default: there
    was nothing to get right or wrong. Otherwise a figure without a single match is 0, precision
    without any prediction and recall without any true object included. Distances between outlines
    are NaN where nothing is matched.

    A score holds the arrays it was made of, by reference: leave them unchanged while it is used.

    Attributes
    ----------
    profile
        The convention.
    table
        Objects and their overlaps.
    thresholds
        IoU at which a pair matches; tuples of other figures have an entry for each.
    """

    def __init__(
        self,
        truth: NDArray[Any],
        prediction: NDArray[Any],
        profile: Profile,
        thresholds: tuple[Fraction, ...],
        **lengths: Any,
    ) -> None:
        self.profile = profile
        self.thresholds = tuple(map(float, thresholds))
        self._exact = thresholds
        self._truth, self._prediction, self._lengths = truth, prediction, lengths
        self.table: Contingency = contingency(truth, prediction)
        if profile.border:
            cut = in_border(truth, profile.border), in_border(prediction, profile.border)
            self.table = without(self.table, *cut)

    @property
    def n_true(self) -> int:
        """Number of true objects."""
        return self.table.n_true

    @property
    def n_pred(self) -> int:
        """Number of predicted objects."""
        return self.table.n_pred

    @cached_property
    def _rates(self) -> Rates:
        if self.profile.own_matching:
            tp = np.array([len(self.matched) + self.profile.legacy * self.catastrophes])
        else:
            tp = count_matches(
                self.table,
                self._exact,
                strict=self.profile.strict,
                leftovers=self.profile.leftovers,
            )
        return figures.rates_of(tp, self.n_pred - tp, self.n_true - tp, empty=self.profile.empty)

    @property
    def tp(self) -> tuple[int, ...]:
        """Matched pairs."""
        return tuple(self._rates.tp.tolist())

    @property
    def fp(self) -> tuple[int, ...]:
        """Predictions without a match."""
        return tuple(self._rates.fp.tolist())

    @property
    def fn(self) -> tuple[int, ...]:
        """True objects without a match."""
        return tuple(self._rates.fn.tolist())

    @property
    def ap(self) -> tuple[float, ...]:
        """TP / (TP + FP + FN).

        The literature on cells calls it average precision or accuracy; it is not COCO's average
        precision.
        """
        return tuple(self._rates.ap.tolist())

    @property
    def f1(self) -> tuple[float, ...]:
        """2 TP / (2 TP + FP + FN)."""
        return tuple(self._rates.f1.tolist())

    @property
    def precision(self) -> tuple[float, ...]:
        """TP / (TP + FP)."""
        return tuple(self._rates.precision.tolist())

    @property
    def recall(self) -> tuple[float, ...]:
        """TP / (TP + FN)."""
        return tuple(self._rates.recall.tolist())

    @property
    def mean_ap(self) -> float:
        """Mean of `ap` over the thresholds."""
        return float(self._rates.ap.mean())

    @property
    def mean_f1(self) -> float:
        """Mean of `f1` over the thresholds."""
        return float(self._rates.f1.mean())

    @property
    def headline(self) -> float:
        """The figure that the profile is known for; of several thresholds, at the first."""
        value = getattr(self, self.profile.headline)
        return float(value[0] if isinstance(value, tuple) else value)

    @cached_property
    def _decisive(self) -> tuple[NDArray[np.intp], Kinds]:
        """The matched pairs that all but the figures per threshold speak of, and the kinds."""
        if self.profile.own_matching:
            return tissuenet(self.table)
        threshold = self._exact[0] if self.profile.at_first else HALF
        [pairs] = match(
            self.table, [threshold], strict=self.profile.strict, leftovers=self.profile.leftovers
        )
        return pairs, kinds(self.table, pairs)

    @property
    def matched(self) -> NDArray[np.intp]:
        """Positions in the table of the pairs matched at 0.5, or at the profile's own threshold."""
        return self._decisive[0]

    @property
    def kinds(self) -> Kinds:
        """What kind of error was made on which object."""
        return self._decisive[1]

    @_figure
    def mean_matched_iou(self) -> float:
        """Mean IoU of the matched pairs."""
        return figures.mean_iou(self.table, self.matched, len(self.matched))

    @_figure
    def mean_true_iou(self) -> float:
        """Mean IoU of the true objects with their match, 0 for those without one."""
        return figures.mean_iou(self.table, self.matched, self.n_true)

    @cached_property
    def _panoptic(self) -> NDArray[np.intp]:
        """The pairs that PQ speaks of: those above one half, but where a profile has its own."""
        if self.profile.at_first:
            return self.matched
        return match(self.table, [HALF], strict=True)[0]

    @property
    def pq(self) -> float:
        """Panoptic quality, `sq` times `rq` (Kirillov et al. 2019, equation 1)."""
        return self.sq * self.rq

    @_figure
    def sq(self) -> float:
        """Segmentation quality: mean IoU of pairs strictly above 0.5."""
        return figures.mean_iou(self.table, self._panoptic, len(self._panoptic))

    @_figure
    def rq(self) -> float:
        """Recognition quality: F1 of pairs strictly above 0.5."""
        return figures.recognition_quality(self.table, self._panoptic)

    @_figure
    def seg(self) -> float:
        """SEG of the Cell Tracking Challenge, see `benchmark.scoring.figures.seg`."""
        return figures.seg(self.table)

    @_figure
    def det(self) -> float:
        """DET of the Cell Tracking Challenge, see `benchmark.scoring.figures.det`."""
        return figures.det(self.table)

    @_figure
    def aji(self) -> float:
        """AJI, the aggregated Jaccard index, see `benchmark.scoring.figures.aji`."""
        return figures.aji(self.table)

    @_figure
    def aji_plus(self) -> float:
        """AJI+, of one-to-one pairs, see `benchmark.scoring.figures.aji_plus`."""
        return figures.aji_plus(self.table)

    @_figure
    def aji_cellpose(self) -> float:
        """AJI as cellpose has it, see `benchmark.scoring.figures.aji_cellpose`."""
        return figures.aji_cellpose(self.table)

    @_figure
    def foreground_iou(self) -> float:
        """IoU of all objects as one mask."""
        return figures.foreground_iou(self.table)

    @property
    def true_kinds(self) -> dict[str, int]:
        """How many true objects are of each kind; they add up to `n_true`."""
        counts = np.bincount(self.kinds.true_kind, minlength=len(TRUE_KINDS))
        return dict(zip(TRUE_KINDS, counts.tolist(), strict=True))

    @property
    def pred_kinds(self) -> dict[str, int]:
        """How many predictions are of each kind; they add up to `n_pred`."""
        counts = np.bincount(self.kinds.pred_kind, minlength=len(PRED_KINDS))
        return dict(zip(PRED_KINDS, counts.tolist(), strict=True))

    @property
    def splits(self) -> int:
        """True objects for which there are several predictions."""
        if self.profile.any_overlap:
            return figures.overlapped(self.table)[0]
        return int(np.count_nonzero(self.kinds.event_kind == SPLIT))

    @property
    def merges(self) -> int:
        """Predictions for which there are several true objects."""
        if self.profile.any_overlap:
            return figures.overlapped(self.table)[1]
        return int(np.count_nonzero(self.kinds.event_kind == MERGED))

    @property
    def catastrophes(self) -> int:
        """Groups of several objects of both kinds that cannot be told apart."""
        return int(np.count_nonzero(self.kinds.event_kind == CATASTROPHE))

    @cached_property
    def boundaries(self) -> Boundaries:
        """Distances between the outlines of each matched pair."""
        return boundaries(self._truth, self._prediction, self.table, self.matched, **self._lengths)

    @property
    def boundary_mean(self) -> float:
        """Mean distance between outlines, of the average matched object, in units of `spacing`."""
        return _mean(self.boundaries.mean)

    @property
    def hausdorff_95(self) -> float:
        """95 % Hausdorff distance of the average matched object, in units of `spacing`."""
        return _mean(self.boundaries.hausdorff_95)

    @property
    def boundary_f1(self) -> float:
        """Share of outline within the tolerance, of the average matched object."""
        return _mean(self.boundaries.f1)

    @property
    def boundary_bias(self) -> float:
        """How far outlines are drawn too large, below 0 too small, in units of `spacing`."""
        return _mean(self.boundaries.bias)

    @cached_property
    def _pieces(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return (
            pieces(self._truth, self.table.true_ids),
            pieces(self._prediction, self.table.pred_ids),
        )

    @property
    def fragmented_true(self) -> int:
        """True objects of several pieces that do not touch; each is scored as one object."""
        return int(np.count_nonzero(self._pieces[0] > 1))

    @property
    def fragmented_pred(self) -> int:
        """Predictions of several pieces that do not touch; each is scored as one object."""
        return int(np.count_nonzero(self._pieces[1] > 1))

    @cached_property
    def true_objects(self) -> pd.DataFrame:
        """A row per true object, see `benchmark.scoring.objects.object_columns`."""
        return _frame(self._objects("true"))

    @cached_property
    def pred_objects(self) -> pd.DataFrame:
        """A row per prediction, see `benchmark.scoring.objects.object_columns`."""
        return _frame(self._objects("pred"))

    def _objects(self, side: Literal["true", "pred"]) -> dict[str, NDArray[Any]]:
        return object_columns(
            side,
            self.table,
            self.matched,
            self.kinds,
            self.boundaries,
            self._pieces[("true", "pred").index(side)],
        )

    @property
    def events(self) -> list[dict[str, Any]]:
        """Splits, merges and catastrophes with the ids of the objects involved."""
        return events_of(self.table, self.matched, self.kinds)

    def to_dict(self, *, objects: bool = True) -> dict[str, Any]:
        """Return plain numbers, lists and strings, fit for JSON; NaN becomes None.

        Parameters
        ----------
        objects
            Whether the tables of objects and the events are in it.
        """
        plain: dict[str, Any] = {
            "profile": self.profile.name,
            "thresholds": list(self.thresholds),
            **{name: [_plain(entry) for entry in getattr(self, name)] for name in LISTS},
            **{name: _plain(getattr(self, name)) for name in NUMBERS},
            **{name: getattr(self, name) for name in COUNTS},
            "true_kinds": self.true_kinds,
            "pred_kinds": self.pred_kinds,
        }
        if objects:
            plain["events"] = self.events
            for side in ("true", "pred"):
                plain[f"{side}_objects"] = {
                    name: [_plain(entry) for entry in column.tolist()]
                    for name, column in self._objects(side).items()
                }
        return plain


def score(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    *,
    profile: str | Profile = "default",
    thresholds: Sequence[float | Fraction] | None = None,
    strict: bool | None = None,
    spacing: float | Sequence[float] | None = None,
    tolerance: float | None = None,
    legacy: bool = False,
) -> Score:
    """Score a predicted label image against the true one.

    Parameters
    ----------
    truth, prediction
        Integer arrays of the same shape, (Y, X) or (Z, Y, X), of any width and byte order; 0 is
        background, each other id one object. Ids of the two images need not agree.
    profile
        The convention: default, cellpose, stardist, dsb2018, caicedo, neurips, ctc, tissuenet, pq,
        or one of your own.
    thresholds
        IoU thresholds above 0 and at most 1; by default the profile's. A float is rounded to a
        millionth and then compared exactly; a `fractions.Fraction` is taken as it is.
    strict
        Whether a pair exactly at a threshold is no match; by default as the profile has it.
    spacing
        Distance between the centres of neighbouring pixels, one number or one per axis, in the
        unit that distances between outlines are to have; by default 1, a pixel.
    tolerance
        Distance, in the same unit, within which `boundary_f1` counts outlines as found; by default
        two pixels of the finest axis.
    legacy
        Whether, with the profile tissuenet, each catastrophe counts as one correct detection, as
        in the figures that deepcell has published.

    Raises
    ------
    LabelError
        An argument is no label image, or the shapes differ.
    BenchError
        There is no such profile, a threshold, the spacing or the tolerance is out of range, or the
        profile has no legacy.

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
    >>> result.true_objects[["label", "kind", "match", "iou"]]
       label     kind  match   iou
    0      1  matched      1  0.75
    1      2   missed      0  0.00
    """
    convention = profile_of(profile)
    if legacy and not convention.own_matching:
        raise BenchError(
            f"the profile {convention.name} has no legacy",
            mend="leave it out, or take the profile tissuenet",
        )
    if legacy:
        convention = replace(convention, legacy=True)
    exact = _exact(convention.thresholds if thresholds is None else thresholds)
    own = _exact(convention.thresholds)
    if convention.own_matching and (exact != own or strict is not None):
        raise BenchError(
            f"the profile {convention.name} has its own way of matching and takes no thresholds, "
            "nor `strict`",
            mend="leave them out, or take another profile",
        )
    if strict is not None:
        convention = replace(convention, strict=strict)
    result = Score(truth, prediction, convention, exact, spacing=spacing, tolerance=tolerance)
    if spacing is not None or tolerance is not None:
        units(truth.ndim, spacing, tolerance)  # wrong ones are refused now, not when first used
    return result


def _exact(thresholds: Sequence[float | Fraction]) -> tuple[Fraction, ...]:
    """Return IoU thresholds as fractions, or refuse what is none."""
    try:
        exact = tuple(map(as_fraction, thresholds))
    except TypeError:
        raise BenchError(
            f"{thresholds!r} is no list of IoU thresholds", mend="give numbers, such as [0.5, 0.75]"
        ) from None
    if not exact:
        raise BenchError("there is no IoU threshold to score at", mend="give one, such as 0.5")
    return exact


def _frame(columns: dict[str, NDArray[Any]]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - half a second, and only who looks at objects needs it

    return pd.DataFrame(columns).astype({"kind": "str"})


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else math.nan


def _plain(value: Any) -> Any:
    """Return NaN as None."""
    return None if isinstance(value, float) and math.isnan(value) else value
