"""Signed distances to outlines on a lattice of pixels, exact for polygons."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from generators.polygons import Floats, Window, contains


def signed_distances(stack: Floats, size: int) -> Floats:
    """Return the distance from each pixel to each outline, positive inside.

    Parameters
    ----------
    stack
        (N, V, 2) outlines in px about the middle of the lattice, in about even steps.
    size
        Height and width of the lattice, in px.

    Returns
    -------
    (N, size, size) float64

    Examples
    --------
    >>> angle = np.arange(512) * (2 * np.pi / 512)
    >>> disc = 2.5 * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    >>> signed_distances(disc[None], 5)[0, 2].round(3).tolist()
    [0.5, 1.5, 2.5, 1.5, 0.5]
    """
    at = np.arange(size) - (size - 1) / 2
    points = np.stack(np.meshgrid(at, at, indexing="ij"), axis=-1).reshape(-1, 2)
    found = [_distance(outline, points, size) for outline in stack]
    return np.array(found, dtype=np.float64).reshape(-1, size, size)


def _distance(outline: Floats, points: Floats, size: int) -> Floats:
    """Return the signed distances of the (S², 2) centres of pixels to an outline in even steps."""
    # Steps are short: the nearest point lies on one of the two edges at the nearest vertex.
    _, nearest = KDTree(outline).query(points)
    along = np.roll(outline, -1, axis=0) - outline
    square = np.full(len(points), np.inf)
    for edge in (nearest, nearest - 1):
        apart, step = points - outline[edge], along[edge]
        length = np.maximum(np.einsum("ij,ij->i", step, step), 1e-300)
        share = np.clip(np.einsum("ij,ij->i", apart, step) / length, 0, 1)
        apart = apart - share[:, None] * step
        square = np.minimum(square, np.einsum("ij,ij->i", apart, apart))
    inside = contains(outline + (size - 1) / 2, Window(0, 0, size, size)).ravel()
    signed: Floats = np.where(inside, np.sqrt(square), -np.sqrt(square))
    return signed
