"""Real images without their spots: what was under them is drawn from elsewhere in the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from generators.polygons import Floats

CORE, RIM = 5.0, 6.5
"""Spot widths within which light is taken for the spot's; and beyond which nothing is changed."""
_SMOOTH, _WIDE = 3.0, 12.0  # spot widths: Gaussians that carry the ground on below spots
_WEAK = 0.02  # weight of the wide one
_TRIED = 48  # places among which the one with the most similar ground is taken


def smooth(image: Floats, taken: NDArray[np.bool_], width: float) -> Floats:
    """Return (Y, X) the ground, smooth, carried on below what is taken out.

    Examples
    --------
    >>> image = np.full((40, 40), 7.0)
    >>> image[18:22, 18:22] = 99
    >>> ground = smooth(image, image > 50, width=1.3)
    >>> round(float(ground.min()), 6), round(float(ground.max()), 6)
    (7.0, 7.0)
    """
    there = (~taken).astype(np.float64)
    value, weight = np.zeros(image.shape), np.full(image.shape, 1e-9)
    for sigma, share in ((_SMOOTH * width, 1.0), (_WIDE * width, _WEAK)):
        value += share * ndimage.gaussian_filter(image * there, sigma)
        weight += share * ndimage.gaussian_filter(there, sigma)
    ground: Floats = value / weight
    return ground


def discs(shape: tuple[int, int], positions: Floats, radius: float) -> NDArray[np.bool_]:
    """Return which pixels lie within a radius of any position."""
    found = np.zeros(shape, dtype=bool)
    reach = int(np.ceil(radius)) + 1
    for y, x in positions:
        rows = slice(max(round(y) - reach, 0), max(round(y) + reach + 1, 0))
        columns = slice(max(round(x) - reach, 0), max(round(x) + reach + 1, 0))
        v, u = np.ogrid[: shape[0], : shape[1]]
        found[rows, columns] |= np.hypot(v[rows] - y, u[:, columns] - x) <= radius
    return found


def without(
    image: Floats, spots: Floats, others: Floats, width: float, rng: Generator
) -> tuple[Floats, Floats]:
    """Return an image without its spots.

    Parameters
    ----------
    image
        (Y, X) grey levels.
    spots, others
        (N, 2) and (M, 2) px: what is taken out, and what is like it but stays.
    width
        Standard deviation of a spot in px.
    rng
        Of what comes in their places: the structure of ground of about the same brightness.

    Returns
    -------
    clean, low : (Y, X) float64
        The image without spots, and its smooth ground.
    """
    shape = (image.shape[0], image.shape[1])
    every = np.concatenate([spots, others])
    low = smooth(image, discs(shape, every, CORE * width), width)
    fine, filled = image - low, image - low
    reach = int(np.ceil(RIM * width))
    far = ndimage.distance_transform_edt(~discs(shape, every, CORE * width)) > reach
    far[:reach], far[-reach:], far[:, :reach], far[:, -reach:] = False, False, False, False
    donors = np.argwhere(far)
    for y, x in np.rint(spots).astype(int):
        rows = slice(max(y - reach, 0), min(y + reach + 1, shape[0]))
        columns = slice(max(x - reach, 0), min(x + reach + 1, shape[1]))
        v, u = np.mgrid[rows, columns]
        soft = np.clip((RIM * width - np.hypot(v - y, u - x)) / ((RIM - CORE) * width), 0, 1)
        given = 0.0
        if len(donors):
            some = donors[(rng.random(_TRIED) * len(donors)).astype(int)]
            best = some[np.argmin(np.abs(low[tuple(some.T)] - low[y, x]))]
            given = fine[v - y + best[0], u - x + best[1]]
        filled[rows, columns] += soft * (given - filled[rows, columns])
    clean: Floats = np.maximum(low + filled, image.min())
    return clean, low
