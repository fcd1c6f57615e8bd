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
    made, at = weights.astype(np.float64), places()
    light = made.sum(axis=(1, 2))
    rows, columns = (made.sum(axis=axis) @ at / light for axis in (2, 1))
    y, x = at - rows[:, None], at - columns[:, None]
    squared = (y * y)[:, :, None] + (x * x)[:, None, :]
    found = np.ones(len(made))
    for _ in range(_ROUNDS):
        near = made * np.exp(-squared / (2 * found[:, None, None]))
        found = (near * squared).sum(axis=(1, 2)) / near.sum(axis=(1, 2))
    wide: NDArray[np.float64] = np.sqrt(found + NARROW**2)
    return wide
