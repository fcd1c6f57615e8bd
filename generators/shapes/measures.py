"""What is measured on outlines: validity, area, eccentricity, solidity with and without stairs.

Everything is measured at one scale, `SCALE` px to the median diameter, on pixels: the outline is
rasterised there, and where stairs would matter, cut out again and low-passed. So a real outline and
one that never saw a pixel are treated alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from generators.polygons import Floats, Window, contains
from generators.shapes.cutting import outline_of
from generators.shapes.geometry import lengths, low_passed, moments, stacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALE = 28.0
"""Pixels to a median diameter: that of BBBC039 at its own scale."""
FRAME = 64
"""Side in px of the frame that a valid shape, centred on its centroid, has to fit into."""
LOW_PASS = 1.5
"""Standard deviation in px of the low-pass that takes the stairs of pixels off an outline."""


@dataclass(frozen=True)
class Measures:
    """Measures of the N outlines of a stack.

    Attributes
    ----------
    valid
        Whether the rasterised outline is one 4-connected piece without holes inside the frame.
    area
        In px² at the scale of measurement.
    eccentricity
        Of the ellipse of the same second moments.
    solidity
        Pixels over the area of the convex hull of those pixels; 1 is convex.
    smooth_solidity
        Area over that of the convex hull of the raster's low-passed outline: dents without stairs.
    bending
        ∮ κ² ds · L / 4π² of that outline: its squared curvature. A disc has 1, and up to 1.3 with
        what is left of its stairs.
    smooth
        (N, V, 2) those outlines, in units of the median diameter.
    """

    valid: NDArray[np.bool_]
    area: Floats
    eccentricity: Floats
    solidity: Floats
    smooth_solidity: Floats
    bending: Floats
    smooth: Floats


def measured(stack: Floats) -> Measures:
    """Measure a stack of outlines in units of their median diameter.

    Examples
    --------
    >>> angle = np.arange(256) * (2 * np.pi / 256)
    >>> disc = np.stack([np.sin(angle), np.cos(angle)], axis=1) / 2
    >>> found = measured(disc[None])
    >>> bool(found.valid[0]), round(float(found.area[0])), round(float(found.smooth_solidity[0]), 2)
    (True, 616, 1.0)
    """
    outlines = stack * SCALE
    about = moments(outlines)
    centred = outlines - about.centroid[:, None]
    rasters = [_raster(outline) for outline in centred]
    # What is too thin for a pixel is not valid, and stays as it is; what leaves the frame is cut.
    again = [
        outline_of(np.pad(mask, 1)) if mask.any() else outline
        for mask, outline in zip(rasters, centred, strict=True)
    ]
    smooth = low_passed(stacked(again), LOW_PASS)
    return Measures(
        valid=np.array([is_whole(mask) for mask in rasters], dtype=bool),
        area=about.area,
        eccentricity=about.eccentricity,
        solidity=np.array([pixel_solidity(mask) for mask in rasters]),
        smooth_solidity=np.array([solidity(outline) for outline in smooth]),
        bending=bending(smooth),
        smooth=smooth / SCALE,
    )


def _raster(outline: Floats) -> NDArray[np.bool_]:
    """Return a centred outline as pixels of the frame and of one more all round."""
    # The centroid lies on the corner of four pixels, as it does in the middle of an even frame.
    corner = -FRAME // 2 - 1
    return contains(outline - 0.5, Window(corner, corner, FRAME + 2, FRAME + 2))


def is_whole(mask: NDArray[np.bool_]) -> bool:
    """Tell whether a mask is one 4-connected piece, without holes, off the border.

    Examples
    --------
    >>> ring = np.zeros((5, 5), bool)
    >>> ring[1:4, 1:4] = True
    >>> is_whole(ring)
    True
    >>> ring[2, 2] = False
    >>> is_whole(ring)
    False
    """
    border = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
    _, pieces = ndimage.label(mask)
    _, grounds = ndimage.label(~mask, np.ones((3, 3)))
    return bool(not border and pieces == 1 and grounds == 1)


def pixel_solidity(mask: NDArray[np.bool_]) -> float:
    """Return the pixels of a mask over the area of the convex hull of their squares; NaN if none.

    Examples
    --------
    >>> round(pixel_solidity(np.array([[1, 0], [1, 1]], bool)), 4)
    0.8571
    """
    if not mask.any():
        return float("nan")
    rows = np.nonzero(mask.any(axis=1))[0]
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    # Only the ends of rows can be corners of the hull.
    corners = np.concatenate(
        [np.stack([rows + dy, side], axis=1) for dy in (0, 1) for side in (first, last)]
    )
    return float(np.count_nonzero(mask) / ConvexHull(corners).volume)


def solidity(outline: Floats) -> float:
    """Return the area of an outline over that of its convex hull.

    Examples
    --------
    >>> notched = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [1.0, 1.0], [2.0, 0.0]])
    >>> solidity(notched)
    0.75
    """
    y, x = outline[:, 0], outline[:, 1]
    whole = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2
    return float(abs(whole) / ConvexHull(outline).volume)


def curvature(stack: Floats) -> Floats:
    """Return the (N, V) curvature of outlines in even steps; positive where they are convex.

    The turn from each edge to the next, over the mean length of the two.
    """
    along = np.roll(stack, -1, axis=1) - stack
    before = np.roll(along, 1, axis=1)
    cross = before[..., 1] * along[..., 0] - before[..., 0] * along[..., 1]
    turn = np.arctan2(cross, np.sum(before * along, axis=2))
    step = (np.hypot(along[..., 0], along[..., 1]) + np.hypot(before[..., 0], before[..., 1])) / 2
    bent: Floats = turn / np.maximum(step, 1e-12)
    return bent


def bending(stack: Floats) -> Floats:
    """Return the (N,) squared curvature of outlines, ∮ κ² ds · L / 4π²; 1 for a disc, else more."""
    length = lengths(stack)
    mean = np.mean(curvature(stack) ** 2, axis=1)
    return cast("Floats", mean * length**2 / (4 * np.pi**2))
