"""What every source of shapes is, and which there are."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from generators.errors import ShapeError, nearest

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike

    from generators.polygons import Floats


class ShapeSource(Protocol):
    """Where outlines come from.

    Attributes
    ----------
    name
        What it is called in recipes and tables.
    styles
        Which of `generators.shapes.styles.STYLES` it takes.
    """

    name: str
    styles: tuple[str, ...]

    def sample(self, n: int, rng: Generator, **style: ArrayLike) -> list[Floats]:
        """Draw outlines.

        Parameters
        ----------
        n
            How many.
        rng
            What they are drawn from; the same state gives the same outlines.
        style
            Measurements that the outlines shall have, by the names of `STYLES`: a number, or one
            for each outline. What is not given is drawn.

        Returns
        -------
        list of (V, 2) float64
            Simple outlines (y, x), counter-clockwise, closed implicitly, centroids at the origin,
            in units of the median diameter.

        Raises
        ------
        ShapeError
            For a style that the source does not take, or a value out of its limits.
        """


# Imported when first asked for: a learned source reads its model from a file.
_SOURCES: dict[str, tuple[str, str]] = {
    "ellipse": ("generators.shapes.ellipse", "EllipseSource"),
    "parametric": ("generators.shapes.parametric", "ParametricSource"),
    "outlines": ("generators.shapes.outlines", "OutlineSource"),
    "stylegan3": ("generators.shapes.learned", "LearnedSource"),
}


def sources() -> list[str]:
    """Return the names of all sources of shapes."""
    return sorted(_SOURCES)


@cache
def source_named(name: str) -> ShapeSource:
    """Return a source of shapes, as it is shipped, by its name.

    Raises
    ------
    ShapeError
        If there is none of this name.

    Examples
    --------
    >>> import numpy as np
    >>> source = source_named("ellipse")
    >>> len(source.sample(3, np.random.default_rng(0), elongation=1.5))
    3
    """
    if name not in _SOURCES:
        raise ShapeError(f"there is no source of shapes {name!r}", mend=nearest(name, _SOURCES))
    module, kind = _SOURCES[name]
    source: ShapeSource = getattr(import_module(module), kind)()
    return source
