"""The parametric generator's outlines, as a source of shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.outlines import Shape, random_outline
from generators.polygons import is_simple
from generators.shapes.geometry import aligned, moments, posed, stretched
from generators.shapes.source import styled

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike

    from generators.polygons import Floats


class ParametricSource:
    """Superellipses with harmonics, bends and dents: `generators.outlines.random_outline`.

    Parameters
    ----------
    shape
        Its dials; the diameter only says how many vertices an outline has.
    """

    name = "parametric"
    styles = ("size", "elongation")

    def __init__(self, shape: Shape | None = None) -> None:
        self.shape = shape or Shape(elongation=1.55)

    def sample(self, n: int, rng: Generator, **style: ArrayLike) -> list[Floats]:
        """Draw outlines; see `ShapeSource.sample`."""
        given = styled(n, style, self.styles)
        outlines = []
        for k in range(n):
            outline = self._simple(rng) / self.shape.diameter
            for name, values in given.items():
                outline = _RESTYLE[name](outline[None], values[k])[0]
            outlines.append(outline)
        return outlines

    def _simple(self, rng: Generator) -> Floats:
        """Draw an outline until it does not cross itself: strong bends of long shapes may."""
        while True:
            outline = random_outline(self.shape, rng)
            if is_simple(outline):
                return outline


def _resized(stack: Floats, diameter: float) -> Floats:
    return posed(stack, diameter, np.zeros(1))


def _elongated(stack: Floats, elongation: float) -> Floats:
    about = moments(stack)
    longer = stretched(aligned(stack), elongation / about.elongation)
    return posed(longer, about.diameter, about.angle)


_RESTYLE = {"size": _resized, "elongation": _elongated}
