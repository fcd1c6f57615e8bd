"""Telling patches apart by their spectrum and texture with a linear model: no network needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, optimize, special, stats

from benchmark.audit.spectrum import band_power

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PENALTY = 3.0
"""Half the weight of the squared coefficients beside the sum of the losses."""
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (0, 4), (4, 0))


def features(patches: NDArray[np.float32]) -> Floats:
    """Return (N, 40) features of standardised patches (N, Y, X).

    The logarithms of the power in nine bands; seven quantiles, skewness and kurtosis of the values
    and of their Laplacian; mean, deviation and 95 % of the gradient; correlations with themselves
    shifted by one to four pixels; and the deviations of local deviations at two scales.
    """
    return np.array([_features(patch.astype(np.float64)) for patch in patches])


def _features(patch: Floats) -> Floats:
    along_y, along_x = np.gradient(patch)
    steep = np.hypot(along_y, along_x)
    parts = [
        np.log(band_power(patch) + 1e-9),
        _shape(patch),
        _shape(ndimage.laplace(patch)[1:-1, 1:-1]),
        np.log(np.array([steep.mean(), steep.std(), np.quantile(steep, 0.95)]) + 1e-6),
        np.array([_correlation(patch, *lag) for lag in _LAGS]),
        np.array([_unevenness(patch, size) for size in (1.5, 4.0)]),
    ]
    return np.concatenate(parts)


def _shape(values: Floats) -> Floats:
    flat = values.ravel()
    deviation = max(float(flat.std()), 1e-6)
    about = (flat - flat.mean()) / deviation
    cubes = np.mean(about**3), np.log(np.mean(about**4) + 1e-6)
    return np.array([*np.quantile(flat, _QUANTILES), *cubes])


def _correlation(patch: Floats, dy: int, dx: int) -> float:
    height, width = patch.shape
    first = patch[: height - dy, max(-dx, 0) : width - max(dx, 0)]
    second = patch[dy:, max(dx, 0) : width + min(dx, 0)]
    return float(np.mean(first * second))


def _unevenness(patch: Floats, size: float) -> float:
    low = ndimage.gaussian_filter(patch, size)
    local = ndimage.gaussian_filter(np.square(patch - low), size)
    return float(np.log(np.sqrt(local).std() + 1e-6))


def scores(train: Floats, made: NDArray[np.bool_], test: Floats) -> Floats:
    """Return how much rows of features look made rather than real: a ridge logistic regression.

    Parameters
    ----------
    train
        (N, F) features to learn from.
    made
        (N,) which of them are made.
    test
        (M, F) features to score.
    """
    mean, deviation = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-9)
    design = np.column_stack([(train - mean) / deviation, np.ones(len(train))])
    sign = np.where(made, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = sign * (design @ weights)
        inner = np.append(weights[:-1], 0.0)
        slope = design.T @ (-sign * special.expit(-margin)) + 2 * PENALTY * inner
        return float(np.sum(np.logaddexp(0, -margin)) + PENALTY * inner @ inner), slope

    start = np.zeros(design.shape[1])
    weights = optimize.minimize(loss, start, jac=True, method="L-BFGS-B").x
    found: Floats = (test - mean) / deviation @ weights[:-1] + weights[-1]
    return found


def area_under_curve(made: Floats, real: Floats) -> float:
    """Return the chance that something made scores higher than something real.

    Examples
    --------
    >>> area_under_curve(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
    0.875
    """
    ranks = stats.rankdata(np.concatenate([made, real]))
    above = ranks[: made.size].sum() - made.size * (made.size + 1) / 2
    return float(above / (made.size * real.size))
