"""What a picture measures: the styles of its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.shapes.geometry import moments, stacked
from generators.shapes.styles import STYLES, irregularity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generators.polygons import Floats

NAMES = tuple(STYLES)


def measured(outlines: Sequence[Floats]) -> dict[str, float]:
    """Return each style of `STYLES`, the median over outlines (V, 2); NaN of none.

    Sizes are in the unit of the outlines.

    Examples
    --------
    >>> box = np.array([[0.0, 0.0], [0.0, 4.0], [2.0, 4.0], [2.0, 0.0]])
    >>> {name: round(value, 3) for name, value in measured([box]).items()}
    {'size': 3.191, 'elongation': 2.0, 'irregularity': 0.11}
    """
    if not outlines:
        return dict.fromkeys(NAMES, float("nan"))
    stack = stacked(outlines)
    about = moments(stack)
    rows = (about.diameter, about.elongation, irregularity(stack))
    return {name: float(np.median(row)) for name, row in zip(NAMES, rows, strict=True)}
