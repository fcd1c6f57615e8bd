"""What every source of shapes is, and which there are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

import numpy as np

from generators.errors import ShapeError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.random import Generator
    from numpy.typing import ArrayLike

    from generators.polygons import Floats

STYLES: dict[str, tuple[float, float, str]] = {
    "size": (0.05, 20.0, "diameter of the disc of the same area, in median diameters"),
    "elongation": (1.0, 8.0, "ratio of the axes of the ellipse of the same second moments"),
    "irregularity": (0.0, 0.3, "RMS of the harmonics beyond the ellipse, in mean radii"),
}
"""Of each style its limits, both inclusive, and its meaning."""


class ShapeSource(Protocol):
    """Where outlines come from.

    Attributes
    ----------
    name
        What it is called in recipes and tables.
    styles
        Which of `STYLES` it takes.
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
}


def sources() -> list[str]:
    """Return the names of all sources of shapes."""
    return sorted(_SOURCES)


def source_named(name: str) -> ShapeSource:
    """Return a source of shapes, as it is shipped, by its name.

    Raises
    ------
    ShapeError
        If there is none of this name.

    Examples
    --------
    >>> source = source_named("ellipse")
    >>> len(source.sample(3, np.random.default_rng(0), elongation=1.5))
    3
    """
    if name not in _SOURCES:
        raise ShapeError(f"there is no source of shapes {name!r}", mend=nearest(name, _SOURCES))
    module, kind = _SOURCES[name]
    source: ShapeSource = getattr(import_module(module), kind)()
    return source


def styled(n: int, style: Mapping[str, ArrayLike], taken: Collection[str]) -> dict[str, Floats]:
    """Return each style as n numbers.

    Raises
    ------
    ShapeError
        If one is not among those taken, out of its limits, or of another count.

    Examples
    --------
    >>> styled(2, {"size": 1.5}, ("size", "elongation"))
    {'size': array([1.5, 1.5])}
    """
    full = {}
    for name, value in style.items():
        if name not in taken:
            raise ShapeError(f"this source has no style {name!r}", mend=nearest(name, taken))
        numbers = np.asarray(value, dtype=np.float64)
        low, high, meaning = STYLES[name]
        if numbers.shape not in {(), (1,), (n,)}:
            raise ShapeError(
                f"{name} has the shape {numbers.shape}", mend=f"give one number, or all {n}"
            )
        # Written so that a NaN, which compares false with everything, fails as well.
        if not np.all((numbers >= low) & (numbers <= high)):
            raise ShapeError(
                f"{name} is out of its limits", mend=f"keep it in {low:g} to {high:g}: {meaning}"
            )
        full[name] = np.broadcast_to(numbers, n).copy()
    return full
