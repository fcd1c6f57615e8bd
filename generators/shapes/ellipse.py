"""Ellipses: the shapes that any learned source has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.shapes.fourier import ellipse_coefficients, synthesised
from generators.shapes.geometry import posed
from generators.shapes.styles import styled

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike

    from generators.polygons import Floats

VERTICES = 128


class EllipseSource:
    """Ellipses whose size and elongation are log-normal, turned evenly.

    Parameters
    ----------
    size_spread
        Standard deviation of ln(diameter); the median is 1.
    elongation, elongation_spread
        Median of the ratio of the axes, and standard deviation of ln(elongation - 1).

    Notes
    -----
    The defaults are the medians and the robust spreads (interquartile range over 1.349) of the
    nuclei that the shipped `outlines` model was fitted to.
    """

    name = "ellipse"
    styles = ("size", "elongation")

    def __init__(
        self,
        size_spread: float = 0.12,
        elongation: float = 1.51,
        elongation_spread: float = 0.72,
    ) -> None:
        self.size_spread = size_spread
        self.elongation = elongation
        self.elongation_spread = elongation_spread

    def sample(self, n: int, rng: Generator, **style: ArrayLike) -> list[Floats]:
        """Draw ellipses; see `ShapeSource.sample`."""
        given = styled(n, style, self.styles)
        draws = rng.standard_normal((n, 2))
        ratio = 1 + (self.elongation - 1) * np.exp(self.elongation_spread * draws[:, 1])
        ratio = given.get("elongation", np.minimum(ratio, 8.0))
        size = given.get("size", np.exp(self.size_spread * draws[:, 0]))
        stack = synthesised(ellipse_coefficients(ratio), VERTICES)
        return list(posed(stack, size, rng.uniform(0, 2 * np.pi, n)))
