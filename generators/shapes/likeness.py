"""Which shapes are the same: overlap of aligned outlines, twins, copies and coverage.

Outlines are aligned by their moments (centroid, major axis, area) and rasterised on a small
lattice. The overlaps of all pairs are then one product of matrices. What moments leave open, half a
turn and the mirror image, is tried: the best of the four counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import distance

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
_BLOCK, _ROWS = 2048, 256


def rasters(stack: Floats) -> NDArray[np.uint8]:
    """Return aligned outlines on the lattice, (N, HEIGHT · WIDTH / 8) packed bits."""
    window = Window(-HEIGHT // 2, -WIDTH // 2, HEIGHT, WIDTH)
    # The lattice is symmetric about the corner of four pixels, so that flips map it onto itself.
    masks = [contains(outline * DIAMETER - 0.5, window) for outline in aligned(stack)]
    return np.packbits(np.array(masks).reshape(-1, HEIGHT * WIDTH), axis=1)


def _unpacked(bits: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return rasters as (N, HEIGHT, WIDTH) zeros and ones."""
    return np.unpackbits(bits, axis=1).reshape(-1, HEIGHT, WIDTH).astype(np.float32)


def _flips(masks: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    return masks, masks[:, ::-1], masks[:, :, ::-1], masks[:, ::-1, ::-1]


def overlaps(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (N, M) overlaps (IoU) of rasters, best over half turns and mirror images."""
    best = np.zeros((len(a), len(b)), np.float32)
    for i in range(0, len(a), _BLOCK):
        mine = _unpacked(a[i : i + _BLOCK])
        area = mine.sum(axis=(1, 2))[:, None]
        for j in range(0, len(b), _BLOCK):
            other = _unpacked(b[j : j + _BLOCK]).reshape(-1, HEIGHT * WIDTH)
            shared = np.zeros((len(mine), len(other)), np.float32)
            for flip in _flips(mine):
                np.maximum(shared, flip.reshape(len(mine), -1) @ other.T, out=shared)
            union = area + other.sum(axis=1) - shared
            best[i : i + _BLOCK, j : j + _BLOCK] = shared / np.maximum(union, 1)
    return best


def twins(bits: NDArray[np.uint8]) -> float:
    """Return the share of shapes that have a twin among the others."""
    return float(np.mean(_have_twin(bits, bits, among_others=True)))


def copies(bits: NDArray[np.uint8], training: NDArray[np.uint8]) -> float:
    """Return the share of shapes that have a twin among the training shapes."""
    return float(np.mean(_have_twin(bits, training)))


def _have_twin(
    a: NDArray[np.uint8], b: NDArray[np.uint8], *, among_others: bool = False
) -> NDArray[np.bool_]:
    """Tell which rasters of a overlap one of b by more than `TWIN`; not with their own number.

    Most pairs need not be looked at. Of two rasters with IoU > T, at most (1 - T) / (1 + T) of the
    pixels of both together differ. Folded along both axes and counted in blocks, rasters differ by
    no more than that either, however they are flipped.
    """
    found = np.zeros(len(a), bool)
    folded_a, folded_b = _folded(a), _folded(b)
    area_a, area_b = folded_a.sum(axis=1), folded_b.sum(axis=1)
    most = (area_a.max(initial=0) + area_b.max(initial=0)) * (1 - TWIN) / (1 + TWIN)
    words = b.view(np.uint64)
    for start in range(0, len(a), _ROWS):
        rows = slice(start, start + _ROWS)
        near = distance.cdist(folded_a[rows], folded_b, "cityblock") <= most
        i, j = np.nonzero(near)
        if among_others:
            i, j = i[i + start != j], j[i + start != j]
        whole = area_a[rows][i] + area_b[j]
        for flipped in _flips(_unpacked(a[rows])):
            mine = np.packbits(flipped.reshape(-1, HEIGHT * WIDTH) > 0, axis=1).view(np.uint64)
            shared = np.bitwise_count(mine[i] & words[j]).sum(axis=1, dtype=np.int64)
            found[start + i[shared > TWIN * (whole - shared)]] = True
    return found


def _folded(bits: NDArray[np.uint8]) -> Floats:
    """Return the pixels of rasters in each block of a quarter that all four are folded onto."""
    counts = np.zeros((len(bits), HEIGHT // 2 // 4 * (WIDTH // 2 // 4)))
    for start in range(0, len(bits), _BLOCK):
        flips = np.array(_flips(_unpacked(bits[start : start + _BLOCK])))
        quarter = flips[:, :, : HEIGHT // 2, : WIDTH // 2].sum(axis=0)
        blocks = quarter.reshape(-1, HEIGHT // 8, 4, WIDTH // 8, 4).sum(axis=(2, 4))
        counts[start : start + _BLOCK] = blocks.reshape(len(blocks), -1)
    return counts


def coverage(bits: NDArray[np.uint8], real: NDArray[np.uint8]) -> float:
    """Return the share of real shapes with a sample in their surroundings.

    Those reach as far as the fifth nearest of the other real shapes (Naeem et al. 2020, Reliable
    fidelity and diversity metrics for generative models, arXiv 2002.09797, eq. 5), by overlap.
    """
    among = overlaps(real, real)
    np.fill_diagonal(among, 0)
    reach = np.partition(among, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]
    return float(np.mean(overlaps(real, bits).max(axis=1) >= reach))
