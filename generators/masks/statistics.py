"""What there is to learn from, in figures: shown before hours are spent on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from generators.shapes.geometry import moments, stacked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from generators.polygons import Floats

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def quantiles(values: ArrayLike) -> dict[str, float]:
    """Return quantiles by name; none of no values.

    Examples
    --------
    >>> quantiles([1, 2, 3, 4, 5])
    {'p05': 1.2, 'p25': 2.0, 'p50': 3.0, 'p75': 4.0, 'p95': 4.8}
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not numbers.size:
        return {}
    found = np.quantile(numbers, QUANTILES)
    return {f"p{q * 100:02.0f}": round(float(v), 6) for q, v in zip(QUANTILES, found, strict=True)}


def of_outlines(outlines: Sequence[Floats]) -> dict[str, Any]:
    """Return count, diameters, areas and elongations of outlines, in the unit that they have."""
    if not outlines:
        return {"objects": 0}
    about = moments(stacked(outlines))
    return {
        "objects": len(outlines),
        "diameter": quantiles(about.diameter),
        "area": quantiles(about.area),
        "elongation": quantiles(about.elongation),
    }


def of_pictures(images: NDArray[np.float32], level: float | None = None) -> dict[str, Any]:
    """Return count and sizes of pictures (N, C, S, S), and how much of them is above a level."""
    count, channels, size, _ = images.shape
    sizes = {"count": count, "resolution": size, "channels": channels}
    if level is None:
        return sizes
    # A picture at a time: there may be more of them than fit into memory.
    shares = [float(np.mean(image > level)) for image in images]
    return {
        **sizes,
        "foreground": quantiles(shares),
        "mean_foreground": round(float(np.mean(shares)), 6),
    }


def lines(summary: Mapping[str, Any]) -> list[str]:
    """Return a summary as lines of text.

    Examples
    --------
    >>> lines({"count": 3, "dropped": {"small": 2, "empty": 0}, "area": {"p05": 1, "p50": 2}})
    ['count        3', 'dropped      small 2', 'area         p05 1, p50 2']
    """
    return [f"{name.replace('_', ' '):<12} {_told(value)}" for name, value in summary.items()]


def _told(value: Any) -> str:
    if isinstance(value, dict):
        parts = [f"{name} {_told(part)}" for name, part in value.items() if part]
        return ", ".join(parts) or "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
