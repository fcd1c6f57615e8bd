"""The lattice of narrow Gaussians that a painted spot is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 21
"""Gaussians along a side of the lattice."""
SPACING = 0.5
"""Distance of Gaussians, in widths of the spot."""
NARROW = 0.5
"""Their own standard deviation, in widths of the spot."""
_ROUNDS = 12
"""Each halves what is left of a width's error."""
_TILT = 1.0
"""Largest slope, a width, of the logarithm of what weights are multiplied by."""


def places() -> NDArray[np.float64]:
    """Return (SIDE,) where Gaussians are, in widths from the middle.

    Examples
    --------
    >>> places()[[0, 10, 20]].tolist()
    [-5.0, 0.0, 5.0]
    """
    at: NDArray[np.float64] = np.arange(-(SIDE // 2), SIDE // 2 + 1, dtype=np.float64)
    at *= SPACING
    return at


def widths(weights: NDArray[Any]) -> NDArray[np.float64]:
    """Return how wide spots are, (N,), one being what was asked for.

    The Gaussian that weights the second moment is as wide as what it finds (adaptive moments:
    Bernstein and Jarvis 2002, Astronomical Journal 123, 583): so faint wide light matters little.

    Parameters
    ----------
    weights
        (N, SIDE, SIDE), of the lattice's Gaussians.

    Examples
    --------
    >>> squared = places() ** 2 + places()[:, None] ** 2
    >>> spot = np.exp(-squared / (2 * 0.75))  # 0.75 and the Gaussians' own 0.25 make 1
    >>> widths(spot[None]).round(3).tolist()
    [1.0]
    """
    made = weights.astype(np.float64)
    squared = _squared(_centres(made))
    found = np.ones(len(made))
    for _ in range(_ROUNDS):
        near = made * np.exp(-squared / (2 * found[:, None, None]))
        found = (near * squared).sum(axis=(1, 2)) / near.sum(axis=(1, 2))
    wide: NDArray[np.float64] = np.sqrt(found + NARROW**2)
    return wide


def balanced(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return spots (N, SIDE, SIDE) whose centroid is the middle of their core.

    A halo brighter on one side draws the centroid away from where a Gaussian fits. The weights are
    multiplied by the exponential of a plane, the least change that brings both together.

    Examples
    --------
    >>> squared = places() ** 2 + places()[:, None] ** 2
    >>> spot = np.exp(-squared / 1.5) + 0.01 * (places() > 2)[None, :]
    >>> bool(np.abs(_centres(spot[None]) - _middles(spot[None])).max() > 0.2)
    True
    >>> even = balanced(spot[None])
    >>> bool(np.abs(_centres(even) - _middles(even)).max() < 0.02)
    True
    """
    made, at = weights, places()
    tilt = np.zeros((len(made), 2))
    for _ in range(_ROUNDS):
        plane = tilt[:, 0, None, None] * at[:, None] + tilt[:, 1, None, None] * at
        made = weights * np.exp(plane)
        centres = _centres(made)
        spread = (made * _squared(centres)).sum(axis=(1, 2)) / made.sum(axis=(1, 2)) / 2
        steep = np.maximum(spread - 0.5, 0.5)
        tilt = np.clip(tilt - (centres - _middles(made)) / steep[:, None], -_TILT, _TILT)
    return made


def _centres(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, 2) centroids, in widths."""
    light = weights.sum(axis=(1, 2))
    return np.stack([weights.sum(axis=axis) @ places() / light for axis in (2, 1)], axis=1)


def _squared(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, SIDE, SIDE) squared distances from centres."""
    y, x = (places() - centres[:, axis, None] for axis in (0, 1))
    squared: NDArray[np.float64] = (y * y)[:, :, None] + (x * x)[:, None, :]
    return squared


def _middles(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, 2) centroids under a Gaussian of width 1 about themselves."""
    found = _centres(weights)
    for _ in range(_ROUNDS):
        found = _centres(weights * np.exp(-_squared(found) / 2))
    return found
