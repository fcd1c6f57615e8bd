"""The power spectrum of images in nine bands of frequency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BANDS = 9
"""Rings of equal width from 0 to .5 cycles per pixel; what lies in the corners is left out."""
TILE = 128
"""Side of the tiles that are transformed; px."""


def band_power(tile: Floats) -> Floats:
    """Return the (`BANDS`,) mean power of a square tile in each band.

    The mean is taken off and a Hann window laid over, so that opposite borders do not make a step.
    White noise of variance 1 has the power 1 in every band.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 1, (128, 128))
    >>> bool(np.allclose(band_power(noise)[1:], 1, atol=0.15))
    True
    """
    side = len(tile)
    window = np.outer(np.hanning(side), np.hanning(side))
    centred = (tile - tile.mean()) * window
    power = np.square(np.abs(np.fft.fft2(centred))) / np.square(window).sum()
    index = _rings(side)
    inside = index < BANDS
    total = np.bincount(index[inside], power[inside], BANDS)
    count = np.bincount(index[inside], minlength=BANDS)
    return total / np.maximum(count, 1)


def _rings(side: int) -> NDArray[np.intp]:
    frequency = np.fft.fftfreq(side)
    radius = np.hypot(frequency[:, None], frequency[None])
    rings: NDArray[np.intp] = (radius / 0.5 * BANDS).astype(np.intp)
    return rings


def spectrum(planes: Iterable[Floats]) -> tuple[Floats, int]:
    """Return the mean power over all tiles of images (Y, X) in each band, and how many tiles.

    Images smaller than a tile are left out; so is what is left over at their right and bottom.
    """
    total, count = np.zeros(BANDS), 0
    for plane in planes:
        height, width = plane.shape
        for y in range(0, height - TILE + 1, TILE):
            for x in range(0, width - TILE + 1, TILE):
                total += band_power(plane[y : y + TILE, x : x + TILE])
                count += 1
    return total / max(count, 1), count
