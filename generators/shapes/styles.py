"""Styles: what an outline measures, and outlines made to measure it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.errors import ShapeError, nearest
from generators.shapes.geometry import aligned, moments, posed, stretched

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike

    from generators.polygons import Floats

STYLES: dict[str, tuple[float, float, str]] = {
    "size": (0.05, 20.0, "diameter of the disc of the same area, in median diameters"),
    "elongation": (1.0, 8.0, "ratio of the axes of the ellipse of the same second moments"),
    "irregularity": (0.0, 0.3, "relative RMS deviation of the radius from that ellipse"),
}
"""Of each style its limits, both inclusive, and its meaning."""

ROUNDS = 4
"""Steps towards an irregularity, each of which changes the ellipse a little."""


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


def irregularity(stack: Floats) -> Floats:
    """Return the (N,) irregularities of a stack; 0 for every ellipse.

    An outline, given in even steps, is stretched until it is as long as wide. What is measured is
    the standard deviation of its points' distances from the centroid, over their mean.

    Examples
    --------
    >>> angle = np.arange(256) * (2 * np.pi / 256)
    >>> radius = 1 + 0.1 * np.cos(5 * angle)
    >>> star = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    >>> irregularity(star[None]).round(3).tolist()
    [0.071]
    """
    radius = _radius(_rounded(aligned(stack)))
    relative: Floats = radius.std(axis=1) / radius.mean(axis=1)
    return relative


def restyled(stack: Floats, style: Mapping[str, Floats]) -> Floats:
    """Return outlines with the styles given, each as (N,) numbers, in the directions they had.

    Size and elongation come out exactly, irregularity to a few per cent. Size and elongation cannot
    make an outline cross itself; a large irregularity can.
    """
    about = moments(stack)
    lying = aligned(stack)
    if "irregularity" in style:
        for _ in range(ROUNDS):
            lying = _roughened(lying, style["irregularity"], about.elongation)
    ratio = style.get("elongation", about.elongation)
    lying = stretched(lying, ratio / moments(lying).elongation)
    return posed(lying, style.get("size", about.diameter), about.angle)


def _rounded(lying: Floats) -> Floats:
    return stretched(lying, 1 / moments(lying).elongation)


def _radius(flat: Floats) -> Floats:
    distance: Floats = np.hypot(flat[..., 0], flat[..., 1])
    return distance


def _roughened(lying: Floats, wanted: Floats, elongation: Floats) -> Floats:
    """Return aligned outlines whose radii deviate from the ellipse's by the irregularity wanted."""
    flat = _rounded(lying)
    radius = _radius(flat)
    mean = radius.mean(axis=1, keepdims=True)
    factor = wanted[:, None] * mean / np.maximum(radius.std(axis=1, keepdims=True), 1e-9)
    scaled = np.maximum(mean + factor * (radius - mean), 0.05 * mean)
    flat = flat * (scaled / np.maximum(radius, 1e-9))[..., None]
    return aligned(stretched(flat, elongation))
