"""Label maps, pictures and instances as pictures to look at: input, output and real in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_GOLDEN = 0.6180339887


def coloured(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Return whole numbers (H, W) as colours (3, H, W) within [-1, 1], 0 as black.

    Neighbouring numbers have hues far apart.

    Examples
    --------
    >>> (10 * coloured(np.array([[0, 1]]))).round()[:, 0].tolist()
    [[-10.0, -5.0], [-10.0, 8.0], [-10.0, -1.0]]
    """
    hue = (labels * _GOLDEN) % 1.0
    parts = [(hue + shift) % 1.0 for shift in (0, 1 / 3, 2 / 3)]
    bright = np.stack([np.abs(part * 6 - 3).clip(1, 2) - 1 for part in parts])
    colours = 0.25 + 0.65 * bright
    return np.where(labels == 0, -1.0, 2 * colours - 1).astype(np.float32)


def shown(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a picture of any channels as one of 3: one is grey, of others the first three.

    Two become red and green.
    """
    if len(planes) == 1:
        return np.repeat(planes, 3, axis=0)
    if len(planes) == 2:
        return np.concatenate([planes, np.full_like(planes[:1], -1)])
    return planes[:3]


def side_by_side(rows: Sequence[Sequence[NDArray[np.float32]]]) -> NDArray[np.float32]:
    """Return pictures (C, H, W) of rows one after the other, (N, 3, H, W), as a grid takes them."""
    return np.stack([shown(picture) for row in rows for picture in row])
