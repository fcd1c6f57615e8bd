"""What sets objects of one image apart: brightness, unevenness, grain; measured, and drawn anew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from generators.painting.conditioning import CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from generators.painting.conditioning import Geometry
    from generators.polygons import Floats

GRAIN = 1.5
"""Standard deviation in px of the Gaussian below whose width structure counts as grain."""
SPREAD_0, GRAIN_0 = 0.05, 0.02
"""Standard deviations, in units of what is seen, whose codes are 0."""
WIDTH_0 = 1.2
"""Width of edges in px whose code is 0."""
INSIDE = 2.0
"""Px from the outline from which on the inside of an object is measured."""
FEWEST = 16
"""Pixels inside from which on unevenness is measured."""
_LIKE = 6
"""Images like a scene among which one is drawn."""
_COVER = 0.1
"""Difference in cover that weighs as much as one in size by a factor of e."""
_ALIKE = 12
"""Objects of an image, at least, that are of about the same size."""
_GROUND_FAR, _GROUND_WIDE = 6.0, 20.0  # px: away from objects, and wide, is the ground measured


def measured(seen: Floats, geometry: Geometry) -> Floats:
    """Return the codes of an image's objects.

    Parameters
    ----------
    seen
        (Y, X) image as networks see it.
    geometry
        Of its labels, whose outlines have been moved to where the light's edges are.

    Returns
    -------
    (N + 1, 3) float64
        By label: mean inside; logarithms of the standard deviation inside, of all and of grain, in
        units of `SPREAD_0` and `GRAIN_0`. Objects too small to tell have the medians. Row 0: 0.
    """
    count = int(geometry.labels.max(initial=0))
    own = np.minimum(geometry.signed, geometry.between)
    fine = seen - ndimage.gaussian_filter(seen, GRAIN)
    where = own > INSIDE
    number = geometry.labels[where]
    total = np.bincount(number, minlength=count + 1)
    mean = _means(number, seen[where], count)
    spread = _deviations(number, seen[where], count)
    grain = _deviations(number, fine[where], count)
    # The smallest have no inside: their brightest part stands for them.
    tiny = np.nonzero((total < FEWEST) & (np.arange(count + 1) > 0))[0]
    for k, box in zip(tiny, _boxes(geometry.labels, tiny), strict=True):
        mine = geometry.labels[box] == k
        if mine.any():
            mean[k] = np.quantile(seen[box][mine], 0.75)
    enough = total >= FEWEST
    out = np.zeros((count + 1, CODES))
    out[:, 0] = mean
    for column, (values, unit) in enumerate(((spread, SPREAD_0), (grain, GRAIN_0)), start=1):
        known = np.log(np.maximum(values, 1e-4) / unit)
        typical = float(np.median(known[enough])) if enough.any() else 0.0
        out[:, column] = np.clip(np.where(enough, known, typical), -3, 3)
    out[0] = 0
    return out


def with_sharpness(codes: Floats, width: float) -> Floats:
    """Return codes whose last column says how wide the edges of the image are, not the grain.

    Examples
    --------
    >>> with_sharpness(np.array([[0, 0, 0], [0.3, 0.1, 0.2]]), 2.4).round(2).tolist()
    [[0.0, 0.0, 0.0], [0.3, 0.1, 1.39]]
    """
    out = codes.copy()
    out[1:, -1] = np.clip(2 * np.log(width / WIDTH_0), -3, 3)
    return out


def _boxes(labels: NDArray[Any], wanted: NDArray[np.intp]) -> list[tuple[slice, slice]]:
    found = ndimage.find_objects(labels.astype(np.int64))
    empty = (slice(0, 0), slice(0, 0))
    return [found[k - 1] or empty for k in wanted]


def _means(number: NDArray[Any], values: Floats, count: int) -> Floats:
    total = np.maximum(np.bincount(number, minlength=count + 1), 1)
    means: Floats = np.bincount(number, values, minlength=count + 1) / total
    return means


def _deviations(number: NDArray[Any], values: Floats, count: int) -> Floats:
    away = values - _means(number, values, count)[number]
    deviations: Floats = np.sqrt(_means(number, away * away, count))
    return deviations


def ground(seen: Floats, geometry: Geometry) -> Floats:
    """Return (Y, X) what is seen of the ground, smooth, carried on below objects."""
    far = (geometry.signed < -_GROUND_FAR).astype(np.float64)
    if not far.any():
        far = (geometry.signed < 0).astype(np.float64)
    typical = float(np.median(seen[far > 0])) if far.any() else float(seen.min())
    prior = 0.01
    value = ndimage.gaussian_filter((seen - typical) * far, _GROUND_WIDE)
    weight = ndimage.gaussian_filter(far, _GROUND_WIDE)
    field: Floats = typical + value / (weight + prior)
    return field


@dataclass(frozen=True)
class Bank:
    """Codes of real images, from which those of new scenes are drawn.

    Attributes
    ----------
    cover
        (M,) share of each image that objects cover, ascending.
    ground, unevenness
        (M,) mean of what is seen of each image's ground, and its standard deviation, smooth.
    first
        (M + 1,) row of `codes` that each image's begin at.
    codes, areas
        (N, K) and (N,) of objects; areas in px².
    """

    cover: Floats
    ground: Floats
    unevenness: Floats
    first: NDArray[np.int64]
    codes: Floats
    areas: Floats

    @classmethod
    def of(
        cls,
        labels: Sequence[NDArray[Any]],
        grounds: Sequence[NDArray[Any]],
        codes: Sequence[Floats],
    ) -> Bank:
        """Collect images: labels, fields of ground, and codes by label of each."""
        covers = [float((one > 0).mean()) for one in labels]
        order = sorted(range(len(covers)), key=lambda k: (covers[k], k))
        areas = [
            np.bincount(one.ravel(), minlength=len(own))[1:]
            for one, own in zip(labels, codes, strict=True)
        ]
        there = [area > 0 for area in areas]
        return cls(
            np.array([covers[k] for k in order]),
            np.array([float(grounds[k].mean()) for k in order]),
            np.array([float(grounds[k].std()) for k in order]),
            np.cumsum([0, *(int(there[k].sum()) for k in order)]),
            np.concatenate([np.zeros((0, CODES)), *(codes[k][1:][there[k]] for k in order)]),
            np.concatenate([np.zeros(0), *(areas[k][there[k]] for k in order)]),
        )

    @cached_property
    def sizes(self) -> Floats:
        """(M,) median areas of each image's objects, px²; 1 where there are none."""
        parts = [self.areas[a:b] for a, b in pairwise(self.first)]
        return np.array([float(np.median(part)) if part.size else 1.0 for part in parts])

    def image(self, cover: float, area: float | None, rng: Generator) -> int:
        """Draw one of the images with objects about as large, that cover about as much of it."""
        some = np.nonzero(np.diff(self.first) >= min(5, int(np.diff(self.first).max())))[0]
        away = np.abs(self.cover[some] - cover) / _COVER
        if area is not None:
            away += np.abs(np.log(self.sizes[some] / area))
        nearest = some[np.argsort(away, kind="stable")[:_LIKE]]
        return int(nearest[int(rng.random() * len(nearest))])

    def of_image(self, image: int) -> Floats:
        """Return (N, K) codes of an image's objects."""
        return self.codes[self.first[image] : self.first[image + 1]]

    def like(self, image: int, area: float, rng: Generator) -> Floats:
        """Draw the (K,) codes of one of an image's objects of about an area in px²."""
        areas = self.areas[self.first[image] : self.first[image + 1]]
        away = np.abs(np.log(np.maximum(areas, 1.0) / max(area, 1.0)))
        nearest = np.argsort(away, kind="stable")[: max(_ALIKE, len(areas) // 5)]
        codes: Floats = self.of_image(image)[nearest[int(rng.random() * len(nearest))]]
        return codes
