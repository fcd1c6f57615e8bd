"""Spots: how many are found within a radius, and how far off their positions and photons are."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.scoring.aggregate import pool_figure
from benchmark.scoring.figures import rates_of
from benchmark.scoring.spot_matching import match_spots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class SpotFigures:
    """Figures of spots, of one image or pooled over several.

    Where there is no spot at all, true or predicted, `precision`, `recall` and `f1` are NaN:
    there was nothing to get right or wrong. Otherwise they are 0 without a match. The errors of
    matched spots are NaN without a match. Lengths are in the unit of `radius`.

    Parameters
    ----------
    radius
        Largest distance of a match.
    n_true, n_pred
        Number of spots.
    tp, fp, fn
        Matched pairs, predictions without a match, true spots without a match.
    precision, recall, f1
        TP / (TP + FP), TP / (TP + FN) and 2 TP / (2 TP + FP + FN).
    localisation_rms, localisation_mean
        Root mean square and mean of the distance of matched pairs.
    bias
        Mean of prediction minus truth over matched pairs, one entry an axis.
    n_photons
        Number of matched pairs whose photons are known on both sides.
    photon_bias, photon_rms
        Mean and root mean square of (prediction - truth) / truth over those.
    """

    radius: float
    n_true: int
    n_pred: int
    tp: int
    fp: int
    fn: int
    precision: float
    recall: float
    f1: float
    localisation_rms: float
    localisation_mean: float
    bias: tuple[float, ...]
    n_photons: int
    photon_bias: float
    photon_rms: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists, fit for JSON; NaN becomes None."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


@dataclass(frozen=True)
class SpotScore(SpotFigures):
    """Figures of the spots of one image, and the pairs behind them.

    Parameters
    ----------
    pairs
        Position of the true and of the predicted spot of each match in the arrays given, ordered
        by truth, shape ``(tp, 2)``.
    distances
        Distance of each pair, shape ``(tp,)``.
    """

    pairs: NDArray[np.intp]
    distances: NDArray[np.float64]


def score_spots(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    radius: float,
    true_photons: ArrayLike | None = None,
    pred_photons: ArrayLike | None = None,
    spacing: float | Sequence[float] | None = None,
) -> SpotScore:
    """Score predicted spot positions against the true ones.

    Parameters
    ----------
    truth, prediction
        Positions in pixels, ``(y, x)`` or ``(z, y, x)``, pixel centres at integers, shapes
        ``(n_true, 2 or 3)`` and ``(n_pred, 2 or 3)``; an empty sequence is no spot.
    radius
        Largest distance of a match, above 0. A spot exactly at the radius matches; so does one
        beyond it by less than a billionth, which is rounding.
    true_photons, pred_photons
        Photons of each spot, shapes ``(n_true,)`` and ``(n_pred,)``; true ones are above 0.
        Photon errors are computed where both are given.
    spacing
        Distance of pixel centres, one for all axes or one for each, in a unit of length, which
        then is the unit of `radius` and of all distances. Default: pixels.

    Returns
    -------
    SpotScore
        No other choice of pairs within the radius has more matches, and none with as many has a
        smaller sum of squared distances. In a tie the choice does not depend on the order of the
        spots.

    Raises
    ------
    BenchError
        Positions, photons, spacing or radius are not what is said above, or the radius takes in
        millions of pairs.

    Examples
    --------
    Two spots are found, each a pixel off and 10 % too bright; one is missed and one invented.

    >>> result = score_spots(
    ...     [[10, 10], [10, 20], [30, 30]],
    ...     [[11, 10], [11, 20], [50, 50]],
    ...     radius=3,
    ...     true_photons=[100, 200, 300],
    ...     pred_photons=[110, 220, 300],
    ... )
    >>> result.tp, result.fp, result.fn, round(result.f1, 3)
    (2, 1, 1, 0.667)
    >>> result.localisation_rms, result.bias, round(result.photon_bias, 3)
    (1.0, (1.0, 0.0), 0.1)
    >>> result.pairs.tolist()
    [[0, 0], [1, 1]]
    """
    _require_radius(radius)
    true_at, pred_at = _positions(truth, "true"), _positions(prediction, "predicted")
    # Without a spot there is no telling of 2-D from 3-D.
    true_at = true_at if len(true_at) else true_at.reshape(0, pred_at.shape[1])
    pred_at = pred_at if len(pred_at) else pred_at.reshape(0, true_at.shape[1])
    if true_at.shape[1] != pred_at.shape[1]:
        raise BenchError(
            f"true spots have {true_at.shape[1]} coordinates, predicted ones {pred_at.shape[1]}",
            mend="give both as (y, x) or both as (z, y, x)",
        )
    steps = _spacing(spacing, true_at.shape[1])
    true_at, pred_at = true_at * steps, pred_at * steps
    true_light = _photons(true_photons, len(true_at), "true")
    pred_light = _photons(pred_photons, len(pred_at), "predicted")
    pairs = match_spots(true_at, pred_at, radius)
    offsets = pred_at[pairs[:, 1]] - true_at[pairs[:, 0]]
    distances = np.sqrt(np.sum(offsets**2, axis=1))
    errors = np.empty(0)
    if true_light is not None and pred_light is not None:
        errors = pred_light[pairs[:, 1]] / true_light[pairs[:, 0]] - 1
    return SpotScore(
        **_rates(len(pairs), len(true_at), len(pred_at)),
        radius=float(radius),
        localisation_rms=math.sqrt(_mean(distances**2)),
        localisation_mean=_mean(distances),
        bias=tuple(_mean(offset) for offset in offsets.T),
        n_photons=len(errors),
        photon_bias=_mean(errors),
        photon_rms=math.sqrt(_mean(errors**2)),
        pairs=pairs,
        distances=distances,
    )


def pool_spots(scores: Sequence[SpotFigures]) -> SpotFigures:
    """Pool the figures of several images: every spot counts the same.

    Counts are added up; errors are those of all matched pairs together.

    Parameters
    ----------
    scores
        At least one, all at one radius and of one number of axes.

    Raises
    ------
    BenchError
        There is no score, or they differ in radius or number of axes.

    Examples
    --------
    One spot a pixel off; three spots three pixels off.

    >>> near = score_spots([[0, 0]], [[0, 1]], radius=3)
    >>> far = score_spots([[0, 0], [50, 0], [99, 0]], [[0, 3], [50, 3], [99, 3]], radius=3)
    >>> pooled = pool_spots([near, far])
    >>> pooled.tp, pooled.localisation_mean, round(pooled.localisation_rms**2, 9)
    (4, 2.5, 7.0)
    """
    kinds = {(score.radius, len(score.bias)) for score in scores}
    if len(kinds) != 1:
        raise BenchError(
            "there is no spot score to pool"
            if not kinds
            else "spot scores of different radii or numbers of axes cannot be pooled: "
            + ", ".join(f"radius {radius:g}, {axes} axes" for radius, axes in sorted(kinds)),
            mend="score all images at one radius, and pool 2-D and 3-D images separately",
        )
    [(radius, _)] = kinds
    tp = [score.tp for score in scores]
    lit = [score.n_photons for score in scores]
    return SpotFigures(
        **_rates(sum(tp), sum(s.n_true for s in scores), sum(s.n_pred for s in scores)),
        radius=radius,
        localisation_rms=math.sqrt(pool_figure([s.localisation_rms**2 for s in scores], tp)),
        localisation_mean=pool_figure([s.localisation_mean for s in scores], tp),
        bias=tuple(pool_figure(axis, tp) for axis in zip(*(s.bias for s in scores), strict=True)),
        n_photons=sum(lit),
        photon_bias=pool_figure([s.photon_bias for s in scores], lit),
        photon_rms=math.sqrt(pool_figure([s.photon_rms**2 for s in scores], lit)),
    )


def _rates(tp: int, n_true: int, n_pred: int) -> dict[str, Any]:
    """Return counts and rates by the name of their field."""
    fp, fn = n_pred - tp, n_true - tp
    rates = rates_of(np.array(tp), np.array(fp), np.array(fn))
    return {
        "n_true": n_true,
        "n_pred": n_pred,
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "precision": float(rates.precision),
        "recall": float(rates.recall),
        "f1": float(rates.f1),
    }


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else math.nan


def _require_radius(radius: float) -> None:
    if not (math.isfinite(radius) and radius > 0):
        raise BenchError(f"{radius} is no radius", mend="give a length above 0, for example 3")


def _positions(values: ArrayLike, kind: str) -> NDArray[np.float64]:
    """Return positions as floats, shape ``(n, 2 or 3)``."""
    at = _numbers(values, f"the positions of {kind} spots")
    if at.size == 0 and at.ndim < 2:
        return at.reshape(0, 2)
    if at.ndim != 2 or at.shape[1] not in (2, 3):
        raise BenchError(
            f"positions of {kind} spots have shape {at.shape}",
            mend="give one row a spot, (y, x) or (z, y, x)",
        )
    return at


def _photons(values: ArrayLike | None, n: int, kind: str) -> NDArray[np.float64] | None:
    """Return photons as floats, shape ``(n,)``."""
    if values is None:
        return None
    photons = _numbers(values, f"the photons of {kind} spots")
    if photons.shape != (n,):
        raise BenchError(
            f"photons of {kind} spots have shape {photons.shape}, and there are {n} {kind} spots",
            mend="give one number a spot",
        )
    if kind == "true" and (photons <= 0).any():
        raise BenchError(
            f"true spot {int(np.argmax(photons <= 0))} has no photons",
            mend="a relative error needs true photons above 0: leave such spots or the photons out",
        )
    return photons


def _spacing(values: float | Sequence[float] | None, n_axes: int) -> NDArray[np.float64]:
    """Return the distance of pixel centres along each axis."""
    steps = _numbers(1.0 if values is None else values, "the spacing")
    if steps.shape not in ((), (n_axes,)) or (steps <= 0).any():
        raise BenchError(
            f"spacing {values} does not go with positions of {n_axes} coordinates",
            mend="give one length above 0, or one for each axis",
        )
    return np.broadcast_to(steps, n_axes)


def _numbers(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return an array of finite floats."""
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise BenchError(
            f"{what} cannot be read as numbers", mend="give numbers, in rows of one length"
        ) from None
    if not np.isfinite(numbers).all():
        raise BenchError(
            f"there is NaN or infinity in {what}",
            mend="leave out spots whose position or photons are not known",
        )
    return numbers


def _plain(value: Any) -> Any:
    """Return arrays and tuples as lists and NaN as None."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
