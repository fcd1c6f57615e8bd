"""The parametric generator's outlines, as a source of shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.errors import ShapeError
from generators.outlines import Shape, random_outline
from generators.polygons import is_simple
from generators.shapes.geometry import stacked
from generators.shapes.styles import restyled, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import ArrayLike

    from generators.polygons import Floats


TRIES = 100


class ParametricSource:
    """Superellipses with harmonics, bends and dents: `generators.outlines.random_outline`.

    Parameters
    ----------
    shape
        Its dials; the diameter only says how many vertices an outline has.
    """

    name = "parametric"
    styles = ("size", "elongation", "irregularity")

    def __init__(self, shape: Shape | None = None) -> None:
        self.shape = shape or Shape(elongation=1.55)

    def sample(self, n: int, rng: Generator, **style: ArrayLike) -> list[Floats]:
        """Draw outlines; see `ShapeSource.sample`."""
        given = styled(n, style, self.styles)
        outlines = []
        for k in range(n):
            style_of_one = {name: values[k : k + 1] for name, values in given.items()}
            outlines.append(self._simple(rng, style_of_one))
        return outlines

    def _simple(self, rng: Generator, style: Mapping[str, Floats]) -> Floats:
        """Draw an outline until it does not cross itself: strong bends of long shapes may."""
        for _ in range(TRIES):
            outline = random_outline(self.shape, rng) / self.shape.diameter
            if style:
                outline = restyled(stacked([outline], len(outline)), style)[0]
            if is_simple(outline):
                return outline
        raise ShapeError(
            f"every outline of this style crossed itself in {TRIES} tries",
            mend="ask for less irregularity or less elongation",
        )
