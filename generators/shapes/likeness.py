"""Which shapes are the same: overlap of aligned outlines, twins, copies and coverage.

Outlines are aligned by their moments (centroid, major axis, area) and rasterised on a small
lattice. The overlap of all pairs is then one product of matrices. What moments leave open, half a
turn and the mirror image, is tried: the best of the four counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.polygons import Floats, Window, contains
from generators.shapes.geometry import aligned

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT, WIDTH = 40, 64
"""The lattice, in px; the major axis lies along its width."""
DIAMETER = 32.0
"""Diameter in px, on the lattice, of a disc of the area that every shape is scaled to."""
TWIN = 0.98
"""Overlap (IoU) above which two shapes count as the same."""
NEIGHBOURS = 5
"""Which nearest neighbour gives the radius of a shape's surroundings, for coverage."""
_BLOCK = 2048


def rasters(stack: Floats) -> NDArray[np.uint8]:
    """Return aligned outlines on the lattice, (N, HEIGHT · WIDTH / 8) packed bits."""
    window = Window(-HEIGHT // 2, -WIDTH // 2, HEIGHT, WIDTH)
    # The lattice is symmetric about the corner of four pixels, so that flips map it onto itself.
    masks = [contains(outline * DIAMETER - 0.5, window) for outline in aligned(stack)]
    return np.packbits(np.array(masks).reshape(-1, HEIGHT * WIDTH), axis=1)


def _unpacked(bits: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.unpackbits(bits, axis=1).astype(np.float32)


def overlaps(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (N, M) overlaps (IoU) of rasters, best over half turns and mirror images."""
    best = np.zeros((len(a), len(b)), np.float32)
    for i in range(0, len(a), _BLOCK):
        mine = _unpacked(a[i : i + _BLOCK]).reshape(-1, HEIGHT, WIDTH)
        flips = (mine, mine[:, ::-1], mine[:, :, ::-1], mine[:, ::-1, ::-1])
        area = mine.sum(axis=(1, 2))[:, None]
        for j in range(0, len(b), _BLOCK):
            other = _unpacked(b[j : j + _BLOCK])
            shared = np.zeros((len(mine), len(other)), np.float32)
            for flip in flips:
                np.maximum(shared, flip.reshape(len(mine), -1) @ other.T, out=shared)
            union = area + other.sum(axis=1) - shared
            best[i : i + _BLOCK, j : j + _BLOCK] = shared / np.maximum(union, 1)
    return best


def twins(bits: NDArray[np.uint8]) -> float:
    """Return the share of shapes that have a twin among the others."""
    same = overlaps(bits, bits)
    np.fill_diagonal(same, 0)
    return float(np.mean(same.max(axis=1) > TWIN))


def copies(bits: NDArray[np.uint8], training: NDArray[np.uint8]) -> float:
    """Return the share of shapes that have a twin among the training shapes."""
    return float(np.mean(overlaps(bits, training).max(axis=1) > TWIN))


def coverage(bits: NDArray[np.uint8], real: NDArray[np.uint8]) -> float:
    """Return the share of real shapes with a sample in their surroundings.

    Those reach as far as the fifth nearest of the other real shapes (Naeem et al. 2020, Reliable
    fidelity and diversity metrics for generative models, arXiv 2002.09797, eq. 5), by overlap.
    """
    among = overlaps(real, real)
    np.fill_diagonal(among, 0)
    reach = np.partition(among, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]
    return float(np.mean(overlaps(real, bits).max(axis=1) >= reach))
