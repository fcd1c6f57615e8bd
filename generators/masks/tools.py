"""CellGen's small tools as functions of arrays: thresholds, holes, sizes, and more of the same.

Pictures are `(C, H, W)` float32 within [-1, 1], -1 is black.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Picture = NDArray[np.float32]

GREY = 240
"""The grey of 255 from which on CellGen takes a pixel of a mask as inside."""


def level_of(grey: float) -> float:
    """Return where a grey of 0 to 255 lies in [-1, 1].

    Examples
    --------
    >>> level_of(0), level_of(255), round(level_of(GREY), 4)
    (-1.0, 1.0, 0.8824)
    """
    return grey / 127.5 - 1


def thresholded(picture: Picture, level: float) -> Picture:
    """Return 1 where a picture reaches a level, -1 elsewhere.

    Examples
    --------
    >>> thresholded(np.array([[[0.2, 0.9]]], np.float32), level_of(GREY)).tolist()
    [[[-1.0, 1.0]]]
    """
    return np.where(picture >= level, np.float32(1), np.float32(-1))


def filled(picture: Picture, level: float = 0.0) -> Picture:
    """Return a picture whose holes, as seen at a level, are as bright as its brightest pixel.

    A hole is what cannot be reached from the border over pixels below the level, side by side.

    Examples
    --------
    >>> ring = np.ones((1, 3, 3), np.float32)
    >>> ring[0, 1, 1] = -1
    >>> float(filled(ring).min())
    1.0
    """
    inside = picture >= level
    holes = np.stack([ndimage.binary_fill_holes(plane) for plane in inside]) & ~inside
    return np.where(holes, picture.max(initial=-1), picture)


def resized(picture: Picture, height: int, width: int) -> Picture:
    """Return a picture of another size, low-passed where it becomes smaller (Lanczos).

    Examples
    --------
    >>> resized(np.ones((3, 10, 8), np.float32), 5, 4).shape
    (3, 5, 4)
    """
    if picture.shape[1:] == (height, width):
        return picture
    planes = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))
        for plane in np.ascontiguousarray(picture, dtype=np.float32)
    ]
    return np.stack(planes).clip(-1, 1)


def squared(picture: Picture) -> Picture:
    """Return the square in the middle of a picture.

    Examples
    --------
    >>> squared(np.zeros((1, 6, 9), np.float32)).shape
    (1, 6, 6)
    """
    _, height, width = picture.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[:, top : top + side, left : left + side]


def augmented(
    picture: Picture, *, flip: bool = False, turn: float = 0.0, brightness: float = 0.0
) -> Iterator[Picture]:
    """Yield a picture and its variants, each combination once, the picture itself first.

    Parameters
    ----------
    picture
        (C, H, W).
    flip
        With the mirror image.
    turn
        Turned by this many degrees both ways as well; CellGen: 10. Corners are mirrored in.
    brightness
        Brighter and darker by this share as well: 0.2 for 20 %.

    Examples
    --------
    >>> dim = np.full((1, 4, 4), -0.5, np.float32)
    >>> len(list(augmented(dim, flip=True, turn=10, brightness=0.2)))
    18
    >>> [round(float(p[0, 0, 0]), 2) for p in augmented(dim, brightness=0.2)]
    [-0.5, -0.6, -0.4]
    """
    for mirrored in (picture, picture[..., ::-1]) if flip else (picture,):
        for degrees in (0.0, turn, -turn) if turn else (0.0,):
            turned = _turned(mirrored, degrees)
            for factor in (1.0, 1 - brightness, 1 + brightness) if brightness else (1.0,):
                yield np.clip((turned + 1) * np.float32(factor) - 1, -1, 1)


def _turned(picture: Picture, degrees: float) -> Picture:
    if not degrees:
        return picture
    turned: Picture = ndimage.rotate(
        picture, degrees, axes=(2, 1), reshape=False, order=1, mode="reflect"
    )
    return turned
