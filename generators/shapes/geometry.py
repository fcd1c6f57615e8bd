"""Outlines as curves: even steps along the arc, a low-pass along it, moments of what they enclose.

An outline is a `(V, 2)` float64 array of (y, x), closed implicitly and counter-clockwise: x runs to
the right, y upwards, and `polygons.area` is positive. A *stack* is `(N, V, 2)`: outlines of equally
many vertices, so that thousands are measured at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generators.polygons import Floats, area

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

VERTICES = 256
"""Vertices of the outlines of a stack; a chord of a disc of 28 px keeps within 0.001 px of it."""


def counter_clockwise(outline: Floats) -> Floats:
    """Return an outline in the direction in which its area is positive.

    Examples
    --------
    >>> counter_clockwise(np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0]])).tolist()
    [[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]]
    """
    return outline if area(outline) > 0 else outline[::-1]


def resampled(outline: Floats, count: int = VERTICES) -> Floats:
    """Return `count` points of an outline at even steps along its arc, from its first vertex on.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])
    >>> resampled(square, 8)[:3].tolist()
    [[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]]
    """
    closed = np.concatenate([outline, outline[:1]])
    steps = np.hypot(*np.diff(closed, axis=0).T)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.arange(count) * (arc[-1] / count)
    return np.stack([np.interp(at, arc, closed[:, 0]), np.interp(at, arc, closed[:, 1])], axis=1)


def stacked(outlines: Iterable[Floats], count: int = VERTICES) -> Floats:
    """Return outlines as an (N, count, 2) stack, each counter-clockwise, in even steps."""
    points = [resampled(counter_clockwise(outline), count) for outline in outlines]
    return np.array(points, dtype=np.float64).reshape(-1, count, 2)


def lengths(stack: Floats) -> Floats:
    """Return the (N,) lengths of the outlines of a stack."""
    steps = np.roll(stack, -1, axis=1) - stack
    total: Floats = np.sqrt(np.sum(steps * steps, axis=2)).sum(axis=1)
    return total


def low_passed(stack: Floats, width: float) -> Floats:
    """Return a stack smoothed along the arc by a Gaussian of a standard deviation `width`.

    The stairs of pixels go, dents stay; a disc of radius R shrinks by about width² / (2 R).

    Parameters
    ----------
    stack
        (N, V, 2) outlines in even steps.
    width
        Standard deviation, in the unit of the outlines.
    """
    curve = np.fft.fft(stack[..., 1] + 1j * stack[..., 0], axis=1)
    turns = np.fft.fftfreq(stack.shape[1], 1 / stack.shape[1])
    damping = np.exp(-((2 * np.pi * turns * (width / lengths(stack)[:, None])) ** 2) / 2)
    smooth = np.fft.ifft(curve * damping, axis=1)
    return np.stack([smooth.imag, smooth.real], axis=2)


@dataclass(frozen=True)
class Moments:
    """Area moments of the outlines of a stack.

    Attributes
    ----------
    area
        (N,), positive for counter-clockwise outlines.
    centroid
        (N, 2) as (y, x).
    major, minor
        (N,) variances of the enclosed area along its principal axes.
    angle
        (N,) direction of the major axis in radians, from x towards y, in (-π/2, π/2].
    """

    area: Floats
    centroid: Floats
    major: Floats
    minor: Floats
    angle: Floats

    @property
    def diameter(self) -> Floats:
        """(N,) diameters of discs of the same area."""
        wide: Floats = np.sqrt(4 * self.area / np.pi)
        return wide

    @property
    def elongation(self) -> Floats:
        """(N,) ratios of the axes of the ellipse of the same second moments; 1 is round."""
        ratio: Floats = np.sqrt(self.major / self.minor)
        return ratio

    @property
    def eccentricity(self) -> Floats:
        """(N,) eccentricities of that ellipse; 0 is round."""
        value: Floats = np.sqrt(1 - self.minor / self.major)
        return value


def moments(stack: Floats) -> Moments:
    """Return the area moments of a stack, exact for polygons (Green's theorem).

    Examples
    --------
    >>> box = np.array([[[0.0, 0.0], [0.0, 4.0], [2.0, 4.0], [2.0, 0.0]]])
    >>> found = moments(box)
    >>> float(found.area[0]), found.centroid[0].tolist(), float(found.elongation[0])
    (8.0, [1.0, 2.0], 2.0)
    """
    y, x = stack[..., 0], stack[..., 1]
    # About the mean of the vertices, so that nothing is lost where an outline lies far out.
    y0, x0 = y.mean(axis=1), x.mean(axis=1)
    y, x = y - y0[:, None], x - x0[:, None]
    v, u = np.roll(y, -1, axis=1), np.roll(x, -1, axis=1)
    cross = x * v - u * y
    whole = cross.sum(axis=1) / 2
    cy = ((y + v) * cross).sum(axis=1) / (6 * whole)
    cx = ((x + u) * cross).sum(axis=1) / (6 * whole)
    yy = ((y * y + y * v + v * v) * cross).sum(axis=1) / (12 * whole) - cy * cy
    xx = ((x * x + x * u + u * u) * cross).sum(axis=1) / (12 * whole) - cx * cx
    xy = ((x * v + 2 * x * y + 2 * u * v + u * y) * cross).sum(axis=1) / (24 * whole) - cx * cy
    middle, spread = (yy + xx) / 2, np.hypot((xx - yy) / 2, xy)
    return Moments(
        area=whole,
        centroid=np.stack([y0 + cy, x0 + cx], axis=1),
        major=middle + spread,
        minor=middle - spread,
        angle=np.arctan2(2 * xy, xx - yy) / 2,
    )


def turned(stack: Floats, angles: Floats) -> Floats:
    """Return a stack turned about the origin by (N,) angles in radians, from x towards y."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    y, x = stack[..., 0], stack[..., 1]
    return np.stack([cos * y + sin * x, cos * x - sin * y], axis=2)


def posed(stack: Floats, diameters: ArrayLike, angles: Floats) -> Floats:
    """Return a stack centred on its centroids, of (N,) diameters, turned by (N,) angles.

    The diameter is that of a disc of the same area; an angle is in radians, from x towards y.
    """
    about = moments(stack)
    factors = np.asarray(diameters) / about.diameter
    return turned(stack - about.centroid[:, None], angles) * factors[:, None, None]


def aligned(stack: Floats) -> Floats:
    """Return a stack with centroids at the origin, major axes along x, diameters of 1.

    Turns by half a circle and mirror images remain.
    """
    return posed(stack, 1.0, -moments(stack).angle)


def stretched(stack: Floats, factors: Floats) -> Floats:
    """Return outlines whose major axes lie along x, made longer by (N,) factors, areas kept.

    An affine map: a simple outline stays simple.
    """
    root = np.sqrt(factors)[:, None]
    return np.stack([stack[..., 0] / root, stack[..., 1] * root], axis=2)
