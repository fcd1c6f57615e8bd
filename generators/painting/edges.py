"""Where the light's edge is, against where the label says: at half height, along normals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.measure import find_contours

from generators.painting.conditioning import filled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.painting.conditioning import Geometry
    from generators.polygons import Floats

REACH = 5.0
"""Px to either side of an outline that an edge is looked for."""
_STEP = 0.25  # px along a normal
_PLATEAU = 1.5  # px at either end of a normal that its levels are taken from
_SHARPEST = 0.15  # contrast, relative to the inside, below which there is no edge to find
_HEIGHTS = (0.75, 0.5, 0.25)
_QUARTILES = 1.3490  # distance of a Gaussian's quartiles, in standard deviations
_ALONG = 1.5  # px along the outline that profiles are averaged over
_CORNER = 2.0  # px from the ground within which a border is not looked at
_DEEP = 3.0  # px from the outline from which on the light of an object is its level
_LEVEL, _LEAST = 3.0, 0.02  # px over which that is averaged; share that has to be there
_BORDER = 2.0  # px of borders that are averaged over
_MOST = 2.5  # px


@dataclass(frozen=True)
class Edges:
    """Edges of a picture.

    Attributes
    ----------
    places
        (N, 2) points (y, x) of the outlines.
    shifts
        (N,) px from the outline to the half height of the light; negative: inside.
    widths
        (N,) standard deviation in px of the Gaussian blur that each edge looks like; NaN where it
        cannot be told.
    """

    places: Floats
    shifts: Floats
    widths: Floats

    @property
    def width(self) -> float:
        """Width of the typical edge, px; 1 where there are none."""
        known = self.widths[self.widths > 0]
        return float(np.median(known)) if known.size else 1.0


def edges(light: NDArray[Any], geometry: Geometry, *, dark: float = 0.0) -> Edges:
    """Find edges at half height where an outline has nothing but ground before it.

    Parameters
    ----------
    light
        (Y, X) picture.
    geometry
        Of its labels.
    dark
        Grey level of no light.

    Examples
    --------
    A disc's light is drawn half a pixel smaller than its label:

    >>> from generators.painting.conditioning import Geometry
    >>> y, x = np.indices((64, 64))
    >>> radius = np.hypot(y - 31.5, x - 31.5)
    >>> geometry = Geometry.of((radius < 14).astype(np.uint8))
    >>> found = edges(100 / (1 + np.exp((radius - 13.5) / 0.7)), geometry)
    >>> round(float(np.median(found.shifts)), 1)
    -0.5
    """
    places, normals = _outlines(geometry)
    steps = np.arange(-REACH, REACH + _STEP / 2, _STEP)
    if not len(places):
        return Edges(np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    at = places[:, None] + steps[:, None] * normals[:, None]
    rows = ndimage.map_coordinates(light.astype(np.float64), at.transpose(2, 0, 1), order=1)
    rows -= dark
    known = _alone(geometry, at)
    ends = int(_PLATEAU / _STEP) + 1
    inner, outer = np.median(rows[:, :ends], axis=1), np.median(rows[:, -ends:], axis=1)
    known &= inner - outer > _SHARPEST * np.maximum(inner, 1e-9)
    at_level = [_crossing(rows, steps, outer + share * (inner - outer)) for share in _HEIGHTS]
    known &= ~np.isnan(at_level[1])
    widths = (at_level[2] - at_level[0])[known] / _QUARTILES
    return Edges(places[known], at_level[1][known], widths)


def _crossing(rows: Floats, steps: Floats, levels: Floats) -> Floats:
    """Return where profiles fall below levels, nearest to the outline; NaN where they do not."""
    falls = (rows[:, :-1] >= levels[:, None]) & (rows[:, 1:] < levels[:, None])
    nearest = np.argmin(np.where(falls, np.abs(steps[:-1] + _STEP / 2), np.inf), axis=1)
    number = np.arange(len(rows))
    above, below = rows[number, nearest], rows[number, nearest + 1]
    share = (above - levels) / np.maximum(above - below, 1e-9)
    return np.where(falls.any(axis=1), steps[nearest] + _STEP * share, np.nan)


def _outlines(geometry: Geometry) -> tuple[Floats, Floats]:
    """Return points of the outlines between objects and ground, and normals that point outwards."""
    contours = find_contours(geometry.signed.astype(np.float64), 0.0)  # type: ignore[no-untyped-call]
    places = np.concatenate([np.zeros((0, 2)), *contours])
    slope = np.stack(
        [
            ndimage.gaussian_filter(geometry.signed, _ALONG, order=order)
            for order in ((1, 0), (0, 1))
        ]
    )
    normals = -np.stack(
        [ndimage.map_coordinates(part, places.T, order=1) for part in slope], axis=1
    )
    length = np.hypot(*normals.T)
    limits = np.array(geometry.labels.shape) - 1 - REACH
    good = (length > 0.3) & np.all((places >= REACH) & (places <= limits), axis=1)
    return places[good], normals[good] / length[good, None]


def _alone(geometry: Geometry, at: Floats) -> NDArray[np.bool_]:
    """Tell of normals whether they lead from one object to the ground, and to nothing else."""
    y, x = np.rint(at).astype(int).transpose(2, 0, 1)
    labels, signed = geometry.labels[y, x], geometry.signed[y, x]
    middle = at.shape[1] // 2
    own = labels[:, : middle - 2].max(axis=1)
    inside = (labels[:, : middle - 2] == own[:, None]).all(axis=1) & (own > 0)
    outside = (labels[:, middle + 4 :] == 0).all(axis=1)
    # Beyond a gap the distance to the ground's outline turns round.
    turns = signed[:, -1] < -REACH + 1.5
    apart = geometry.between[y[:, middle], x[:, middle]] > REACH
    alone: NDArray[np.bool_] = inside & outside & turns & apart
    return alone


def displacement(found: Edges, shape: tuple[int, int], *, width: float = 4.0) -> Floats:
    """Return (Y, X) px by which outlines lie outside of the light's edges, smooth in space.

    Where few edges were found nearby, what all of them have in common counts.
    """
    common = float(np.median(found.shifts)) if len(found.shifts) else 0.0
    total, weight = np.zeros(shape), np.zeros(shape)
    y, x = np.rint(found.places).astype(int).T
    np.add.at(total, (y, x), np.clip(found.shifts - common, -2.5, 2.5))
    np.add.at(weight, (y, x), 1.0)
    prior = 0.02
    smooth = ndimage.gaussian_filter(total, width) / (
        ndimage.gaussian_filter(weight, width) + prior
    )
    field: Floats = -(common + smooth)
    return field


def retreat(light: NDArray[Any], geometry: Geometry, ground: float) -> NDArray[np.float32]:
    """Return (Y, X) px by which light ends before the borders between objects; negative: beyond.

    Annotators close the gap between two nuclei, blur fills it: what is left of it is less light at
    the border than deep inside of either. That is averaged along the border.

    Parameters
    ----------
    light
        (Y, X) picture.
    geometry
        Of its labels.
    ground
        Grey level of the ground.

    Examples
    --------
    Two halves of a square whose lights end half a pixel before the border, through a lens:

    >>> from generators.painting.conditioning import Geometry
    >>> labels = np.zeros((60, 60), np.uint8)
    >>> labels[10:50, 10:30], labels[10:50, 30:50] = 1, 2
    >>> even = (labels > 0).repeat(10, axis=1).astype(float)
    >>> even[:, 295:305] = 0
    >>> blurred = ndimage.gaussian_filter(even, (1.5, 15)).reshape(60, 60, 10).mean(axis=2)
    >>> round(float(retreat(blurred, Geometry.of(labels), 0)[30, 30]), 1)
    0.5
    """
    own = np.minimum(geometry.signed, geometry.between)
    border = (geometry.between == 0) & (geometry.signed > _CORNER)
    away = np.asarray(light, np.float64) - ground
    share, weight = np.zeros(border.shape), np.zeros(border.shape)
    boxes = ndimage.find_objects(geometry.labels.astype(np.int64))
    for label in np.unique(geometry.labels[border]):
        box = boxes[label - 1]
        mine = geometry.labels[box] == label
        deep = (mine & (own[box] > _DEEP)).astype(np.float64)
        near = ndimage.gaussian_filter(deep, _LEVEL)
        level = ndimage.gaussian_filter(deep * away[box], _LEVEL) / np.maximum(near, 1e-9)
        known = mine & border[box] & (near > _LEAST) & (level > 0)
        share[box][known] = away[box][known] / level[known]
        weight[box][known] = 1
    total = ndimage.gaussian_filter(weight, _BORDER)
    mean = ndimage.gaussian_filter(share, _BORDER) / np.maximum(total, 1e-9)
    steps = np.linspace(-_MOST, _MOST, 61)
    shares = filled(np.full(steps.shape, 0.5), steps)
    found: Floats = np.interp(mean, shares[::-1], steps[::-1])
    return np.where(total > 1e-6, found, 0.0).astype(np.float32)
