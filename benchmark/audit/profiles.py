"""Intensity along the normals of labels' contours, and where it crosses a level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmark.audit.contours import Contour

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

SPACING = 0.25
"""Distance of the samples along a normal; px."""
REACH = 4.0
"""Edges are looked for up to this far from the label's boundary; px."""
LATERAL = 1.5
"""Standard deviation of the average over neighbouring profiles, along the contour; px."""
AVERAGED = 2 * LATERAL * np.sqrt(np.pi)
"""How many independent profiles that average amounts to."""
CORNER = 2
"""This near the end of a border between two objects the background shines in; px."""
FARTHEST = 15.0
"""Profiles begin and end this far from the boundary; px."""
AT = np.arange(-FARTHEST, FARTHEST + SPACING / 2, SPACING)
"""Places of the samples along the outward normal, 0 on the label's boundary; px."""


@dataclass(frozen=True)
class Profiles:
    """The P profiles of an image, at places `AT`.

    Attributes
    ----------
    values
        (P, T) intensities, averaged over neighbouring profiles of the same kind; NaN outside the
        image.
    own, background
        (P, T) whether the label image is the object itself, or nothing, at a sample.
    neighbour
        (P,) the label within 1.5 px outside the boundary; 0 for none.
    inmost
        (P,) whether the contour has that neighbour for `CORNER` px to either side too.
    other
        (P, T) whether the label image is that neighbour at a sample.
    label
        (P,) whose contour it is.
    curvature
        (P,) mean curvature of that contour, 2π over its length; 1/px.
    """

    values: Floats
    own: Mask
    background: Mask
    neighbour: NDArray[np.int64]
    inmost: Mask
    other: Mask
    label: NDArray[np.int64]
    curvature: Floats


def profiles(image: NDArray[Any], labels: NDArray[Any], outlines: Sequence[Contour]) -> Profiles:
    """Sample an image (Y, X) and its labels (Y, X) along the normals of contours."""
    points = np.concatenate([one.points for one in outlines])
    normals = np.concatenate([one.normals for one in outlines])
    counts = [len(one.points) for one in outlines]
    label = np.repeat([one.label for one in outlines], counts)
    places = points[:, None] + AT[None, :, None] * normals[:, None]
    at = places.reshape(-1, 2).T
    plane = image.astype(np.float64)
    values = ndimage.map_coordinates(plane, at, order=1, mode="constant", cval=np.nan)
    # Beyond the border, nothing is known: -1 is neither background nor any object.
    under = ndimage.map_coordinates(
        labels.astype(np.int64), at, order=0, mode="constant", cval=-1
    ).reshape(len(points), AT.size)
    neighbour = _neighbours(under, label)
    kind = np.where(neighbour > 0, 1, 0)
    return Profiles(
        values=_averaged(values.reshape(under.shape), kind, counts),
        own=under == label[:, None],
        background=under == 0,
        neighbour=neighbour,
        inmost=_inmost(neighbour, counts),
        other=(under == neighbour[:, None]) & (neighbour > 0)[:, None],
        label=label,
        curvature=np.repeat([2 * np.pi / one.length for one in outlines], counts),
    )


def _neighbours(under: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first other object within 1.5 px outside the boundary, 0 if there is none."""
    near = under[:, (AT > 0) & (AT <= 1.5)]
    stranger = (near > 0) & (near != label[:, None])
    first = np.argmax(stranger, axis=1)
    rows = np.arange(len(near))
    return np.where(stranger[rows, first], near[rows, first], 0)


def _inmost(neighbour: NDArray[np.int64], counts: Sequence[int]) -> Mask:
    """Return which points of borders are more than `CORNER` px from their ends."""
    runs = np.split(neighbour, np.cumsum(counts)[:-1])
    size = 2 * CORNER + 1
    least = [ndimage.minimum_filter1d(run, size, mode="wrap") for run in runs]
    most = [ndimage.maximum_filter1d(run, size, mode="wrap") for run in runs]
    inmost: Mask = np.concatenate(least) == np.concatenate(most)
    return inmost & (neighbour > 0)


def _averaged(values: Floats, kind: NDArray[Any], counts: Sequence[int]) -> Floats:
    """Return profiles averaged with their neighbours of the same kind along each contour."""
    averaged = np.empty_like(values)
    start = 0
    for count in counts:
        rows = slice(start, start + count)
        for one in (0, 1):
            chosen = kind[rows] == one
            known = chosen[:, None] & ~np.isnan(values[rows])
            weight = _along(known.astype(np.float64))
            total = _along(np.where(known, values[rows], 0.0))
            mean = np.divide(total, weight, out=np.full(weight.shape, np.nan), where=weight > 1e-9)
            averaged[rows][chosen] = np.where(known, mean, np.nan)[chosen]
        start += count
    return averaged


def _along(array: Floats) -> Floats:
    smooth: Floats = ndimage.gaussian_filter1d(array, LATERAL, axis=0, mode="wrap")
    return smooth


def level(values: Floats, where: Mask, least: int) -> Floats:
    """Return the median of the samples of each profile that count; NaN with fewer than `least`."""
    counted = np.where(where, values, np.nan)
    enough = np.count_nonzero(~np.isnan(counted), axis=1) >= least
    found = np.full(len(values), np.nan)
    found[enough] = np.nanmedian(counted[enough], axis=1)
    return found


def crossing(values: Floats, height: Floats, reach: float = REACH) -> tuple[Floats, Floats]:
    """Return where profiles cross a height within the reach, first and last; NaN if they do not.

    Parameters
    ----------
    values
        (P, T) at places `AT`.
    height
        (P,) one a profile.

    Examples
    --------
    >>> falling = np.clip(0.5 - AT / 4, 0, 1)[None]
    >>> [float(place[0]) for place in crossing(falling, np.array([0.25]))]
    [1.0, 1.0]
    """
    window = np.abs(AT) <= reach
    places = AT[window]
    above = values[:, window] - height[:, None]
    changes = (above[:, :-1] > 0) != (above[:, 1:] > 0)
    changes &= ~np.isnan(above[:, :-1] + above[:, 1:])
    found = changes.any(axis=1)
    rows = np.arange(len(values))
    ends = []
    for index in (
        np.argmax(changes, axis=1),
        changes.shape[1] - 1 - np.argmax(changes[:, ::-1], axis=1),
    ):
        before, after = above[rows, index], above[rows, index + 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            place = places[index] + SPACING * before / (before - after)
        ends.append(np.where(found, place, np.nan))
    return ends[0], ends[1]
