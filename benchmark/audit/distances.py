"""How far apart two distributions are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

QUANTILES = {
    "p01": 0.01,
    "p05": 0.05,
    "p25": 0.25,
    "p50": 0.5,
    "p75": 0.75,
    "p95": 0.95,
    "p99": 0.99,
}
"""The quantiles that stand for a distribution in a file."""

ROUNDED = 1e-4
"""Quantiles that come from a file are rounded to as much."""


def quantiles(values: Floats) -> dict[str, float | int | None]:
    """Return n, mean, standard deviation and quantiles of the values that are numbers.

    Examples
    --------
    >>> found = quantiles(np.array([1.0, 2.0, 3.0, np.nan]))
    >>> found["n"], found["mean"], found["p50"]
    (3, 2.0, 2.0)
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return {"n": 0, "mean": None, "sd": None, **dict.fromkeys(QUANTILES)}
    found = np.quantile(known, list(QUANTILES.values()))
    return {
        "n": int(known.size),
        "mean": _rounded(known.mean()),
        "sd": _rounded(known.std()),
        **{name: _rounded(value) for name, value in zip(QUANTILES, found, strict=True)},
    }


def apart(values: Floats, reference: Floats) -> dict[str, float | None]:
    """Compare two samples.

    Returns
    -------
    dict
        `ks`: the Kolmogorov-Smirnov distance; `w1`: the Wasserstein distance in standard
        deviations of the reference; `ratio`: of the medians. None where either has no value, and
        `w1` where the reference does not vary.

    Examples
    --------
    >>> apart(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    {'ks': 0.5, 'w1': 1.5, 'ratio': 0.5}
    """
    a, b = values[np.isfinite(values)], reference[np.isfinite(reference)]
    if a.size == 0 or b.size == 0:
        return {"ks": None, "w1": None, "ratio": None}
    spread, middle = float(b.std()), float(np.median(b))
    return {
        "ks": _rounded(stats.ks_2samp(a, b, method="asymp").statistic),
        "w1": _rounded(stats.wasserstein_distance(a, b) / spread) if spread > 0 else None,
        "ratio": _rounded(float(np.median(a)) / middle) if middle else None,
    }


def apart_from_quantiles(sample: Floats, known: Mapping[str, Any]) -> float | None:
    """Return the largest gap of the distribution functions at the quantiles known of the other.

    It is at most the Kolmogorov-Smirnov distance, which the quantiles alone do not give.

    Examples
    --------
    >>> apart_from_quantiles(np.arange(101.0), {"p25": 25, "p50": 60, "p75": 75})
    0.0941
    """
    a = np.sort(sample[np.isfinite(sample)])
    pairs = [(known[name], q) for name, q in QUANTILES.items() if known.get(name) is not None]
    if a.size == 0 or not pairs:
        return None
    # Where many values are equal the quantile lies inside the step: either side of it counts.
    stated = np.array([value for value, _ in pairs], np.float64)
    below = np.searchsorted(a, stated - ROUNDED, "left") / a.size
    upto = np.searchsorted(a, stated + ROUNDED, "right") / a.size
    wanted = np.array([q for _, q in pairs])
    gaps = np.maximum(np.maximum(below - wanted, wanted - upto), 0)
    return _rounded(gaps.max())


def _rounded(value: Any) -> float:
    return round(float(value), 4)
