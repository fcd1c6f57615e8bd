"""How close made images come to those they are like, figure by figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from generators.like.fitting import HIGH, LOW
from generators.like.measuring import FIGURES

if TYPE_CHECKING:
    from generators.like.measuring import Measured


def comparison(real: Measured, made: Measured) -> list[dict[str, Any]]:
    """Return a row for each figure: both medians over images, both spreads, and what is between.

    Returns
    -------
    list of dict
        `figure`, `unit`, `says`; `real`, `made`: median, then the quantiles `low` and `high`
        of each; `off`: (made - real) / real of the medians. What an image set lacks is None.
    """
    rows = []
    for figure, (unit, says) in FIGURES.items():
        theirs, ours = real.quantile(figure), made.quantile(figure)
        rows.append(
            {
                "figure": figure,
                "unit": unit,
                "says": says,
                "real": _quantiles(real, figure),
                "made": _quantiles(made, figure),
                "off": _number(ours / theirs - 1 if theirs else math.nan),
            }
        )
    return rows


def _quantiles(images: Measured, figure: str) -> dict[str, float | None]:
    return {
        name: _number(images.quantile(figure, share))
        for name, share in (("median", 0.5), ("low", LOW), ("high", HIGH))
    }


def _number(value: float) -> float | None:
    """Return a number that JSON can hold, to five digits."""
    return float(f"{value:.5g}") if math.isfinite(value) else None
