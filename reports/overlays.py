"""Example images with the outlines of truth and prediction drawn over them.

The picture is a small WebP; the outlines are vectors, so they stay thin and sharp at any size, and
the page chooses their colours and dashes.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.path import Path
from PIL import Image
from scipy import ndimage
from skimage.measure import find_contours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Window = tuple[slice, slice]

# Larger images are cut to a window of this side, in which single objects can still be told.
WINDOW = 384
# Windows are tried at steps of this many pixels.
_STEP = 32
# Share of the darkest and of the brightest pixels that may saturate, in percent.
_DARKEST, _BRIGHTEST = 1.0, 99.7


@dataclass(frozen=True)
class Overlay:
    """What the page needs to draw an example.

    Parameters
    ----------
    picture
        The image as a data URI.
    truth, prediction
        Outlines as SVG path data, in units of half pixels.
    width, height
        Size in pixels.
    whole
        Whether that is the whole image.
    """

    picture: str
    truth: str
    prediction: str
    width: int
    height: int
    whole: bool


def draw_overlay(
    image: NDArray[Any], truth: NDArray[Any], prediction: NDArray[Any], *, window: int = WINDOW
) -> Overlay:
    """Draw an image with both outlines.

    Parameters
    ----------
    image
        Shape (C, Y, X). Channels are stretched each by itself; the brightest one shows.
    truth, prediction
        Labels of shape (Y, X), 0 background.
    window
        Side in pixels beyond which the image is cut to where most disagrees.
    """
    grey = stretch(image)
    view = busiest_window(truth, prediction, window)
    cut = grey[view]
    height, width = cut.shape
    return Overlay(
        picture=_data_uri(cut),
        truth=outlines(truth[view]),
        prediction=outlines(prediction[view]),
        width=width,
        height=height,
        whole=cut.shape == grey.shape,
    )


def stretch(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image (C, Y, X) as grey levels (Y, X), contrast stretched in each channel."""
    low, high = np.percentile(image, [_DARKEST, _BRIGHTEST], axis=(1, 2), keepdims=True)
    levels = (image - low) / np.maximum(high - low, 1)
    brightest: NDArray[np.float64] = np.clip(levels, 0, 1).max(axis=0)
    return (brightest * 255).round().astype(np.uint8)


def busiest_window(truth: NDArray[Any], prediction: NDArray[Any], side: int) -> Window:
    """Return the window of at most `side` pixels in which the two label images differ most.

    Where they agree everywhere, that is the window with the most objects' pixels.
    """
    differs = (truth > 0) != (prediction > 0)
    counted = differs if differs.any() else truth > 0
    # Sums over any window from four corners of the sums over all windows from the origin.
    sums = np.pad(counted.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    tops, lefts = (_starts(size, side) for size in truth.shape)
    bottoms, rights = (
        np.minimum(starts + side, size)
        for starts, size in zip((tops, lefts), truth.shape, strict=True)
    )
    inside = (
        sums[np.ix_(bottoms, rights)]
        - sums[np.ix_(tops, rights)]
        - sums[np.ix_(bottoms, lefts)]
        + sums[np.ix_(tops, lefts)]
    )
    row, column = np.unravel_index(np.argmax(inside), inside.shape)
    return slice(tops[row], bottoms[row]), slice(lefts[column], rights[column])


def _starts(size: int, side: int) -> NDArray[np.intp]:
    """Return where windows of `side` pixels may start along an axis of `size` pixels."""
    last = max(size - side, 0)
    return np.append(np.arange(0, last, _STEP), last)


def outlines(labels: NDArray[Any]) -> str:
    """Return the outlines of all objects as SVG path data.

    Coordinates are whole numbers of half pixels, from the image's upper left corner; outlines run
    half way between the pixels inside and those outside.

    Examples
    --------
    >>> outlines(np.array([[0, 0, 0], [0, 7, 0], [0, 0, 0]]))
    'M3 4l-1 -1 1 -1 1 1z'
    """
    # Background first, so that it gets 0 even where there is none.
    _, ranks = np.unique(np.append(0, labels), return_inverse=True)
    dense = ranks[1:].reshape(labels.shape)
    parts = []
    for label, box in enumerate(ndimage.find_objects(dense), start=1):
        mask = np.pad(dense[box] == label, 1)
        offset = np.array([axis.start for axis in box]) - 1
        for contour in find_contours(mask, 0.5):  # type: ignore[no-untyped-call]
            # Corners on one straight line are dropped; the last vertex is only a stop mark.
            corners = np.asarray(Path(contour).cleaned(simplify=True).vertices)[:-1] + offset
            # Pixel centres are whole numbers here, pixel corners in the picture.
            parts.append(_path(np.rint(2 * corners + 1).astype(int)))
    return "".join(parts)


def _path(corners: NDArray[np.int_]) -> str:
    """Write a closed polygon (n, 2) of (y, x) as relative SVG path data."""
    steps = np.diff(corners, axis=0)
    steps = steps[steps.any(axis=1)][:-1]  # z makes the last one, back to the start
    moves = " ".join(f"{x} {y}" for y, x in steps.tolist())
    return f"M{corners[0, 1]} {corners[0, 0]}l{moves}z"


def _data_uri(grey: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format="WEBP", quality=75, method=6)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
