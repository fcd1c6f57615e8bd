"""What a trained network still does wrong on average, measured on its examples and taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from generators.painting.conditioning import Geometry, assembled
from generators.painting.edges import edges, retreat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from generators.painting.examples import Example
    from generators.painting.scale import Scale
    from generators.polygons import Floats

DEPTHS = (2.0, 3.5, 5.0, 7.0, 9.0, 12.0, 16.0)
"""Px from the outline between which the light inside is corrected in straight lines."""
_SMOOTH = 2.0  # px: takes the ridge out of depths
_FEWEST = 100  # pixels of borders


@dataclass(frozen=True)
class Calibration:
    """Corrections of what a network paints.

    Attributes
    ----------
    inset
        Px that outlines are moved inwards before it paints.
    light
        Added to what is seen inside of objects, by depth, at `DEPTHS`; nothing further out.
    gap
        Px by which the light of either of two objects is carried beyond the border between them.
    """

    inset: float = 0.0
    light: tuple[float, ...] = (0.0,) * len(DEPTHS)
    gap: float = 0.0

    def closed(self, geometry: Geometry) -> Geometry:
        """Return a geometry between whose objects no gap will be painted."""
        return replace(geometry, retreat=-self.gap)

    def correction(self, geometry: Geometry) -> Floats:
        """Return (Y, X) what is added to the picture of a scene."""
        deep = depth(geometry)
        added: Floats = np.interp(deep, DEPTHS, self.light) * (deep > DEPTHS[0])
        return added


def depth(geometry: Geometry) -> Floats:
    """Return (Y, X) px to the outline of the own object, smooth; 0 outside."""
    own = np.clip(np.minimum(geometry.signed, geometry.between), 0, DEPTHS[-1] + 4)
    smooth: Floats = ndimage.gaussian_filter(own.astype(np.float64), _SMOOTH)
    return smooth * (geometry.labels > 0)


def calibrated(
    paint: Callable[[NDArray[np.float32], int], Floats], examples: Sequence[Example], scale: Scale
) -> Calibration:
    """Measure a network on scenes of real images.

    Parameters
    ----------
    paint
        Gives what is seen (Y, X) of maps (C, Y, X) and a number that its noise follows from.
    examples
        Some of those that it learned from.
    scale
        What grey levels mean.
    """
    found = Calibration()
    if not examples:
        return found
    for _ in range(2):  # the second time at the outlines that the first one moved
        shifts = np.concatenate(
            [_shifts(paint, k, one, scale, found.inset) for k, one in enumerate(examples)]
        )
        shift = float(np.median(shifts)) if shifts.size else 0.0
        found = replace(found, inset=round(found.inset + float(np.clip(shift, -1, 1)), 4))
    totals, counts = np.zeros(len(DEPTHS)), np.zeros(len(DEPTHS))
    for _ in range(2):
        ends = np.concatenate(
            [_ends(paint, k, one, scale, found) for k, one in enumerate(examples)]
        )
        end = float(np.median(ends)) if ends.size > _FEWEST else 0.0
        found = replace(found, gap=round(float(np.clip(found.gap + end, -1, 1)), 4))
    limits = (np.array(DEPTHS)[1:] + np.array(DEPTHS)[:-1]) / 2
    for k, one in enumerate(examples):
        painted = paint(assembled(one.geometry, one.codes, one.ground, found.inset), k)
        deep = depth(one.geometry)
        inside = deep > DEPTHS[0]
        number = np.digitize(deep[inside], limits)
        away = np.clip((one.seen - painted)[inside], -0.2, 0.2)
        totals += np.bincount(number, away, minlength=len(DEPTHS))
        counts += np.bincount(number, minlength=len(DEPTHS))
    light = np.where(counts > 100, totals / np.maximum(counts, 1), 0.0)
    return replace(found, light=tuple(round(float(value), 5) for value in light))


def _ends(
    paint: Callable[[NDArray[np.float32], int], Floats],
    number: int,
    example: Example,
    scale: Scale,
    found: Calibration,
) -> Floats:
    """Return by how much light ends before borders in the painted picture of labels, px."""
    drawn = Geometry.of(example.geometry.labels)
    maps = assembled(found.closed(drawn), example.codes, example.ground, found.inset)
    dark = float(np.median(scale.grey(example.ground)))
    ends: Floats = retreat(scale.grey(paint(maps, number)), drawn, dark).astype(np.float64)
    known: Floats = ends[(drawn.between == 0) & (ends != 0)]
    return known


def _shifts(
    paint: Callable[[NDArray[np.float32], int], Floats],
    number: int,
    example: Example,
    scale: Scale,
    inset: float,
) -> Floats:
    """Return where edges lie in the painted picture of an example's labels, px."""
    drawn = Geometry.of(example.geometry.labels)
    seen: NDArray[Any] = paint(assembled(drawn, example.codes, example.ground, inset), number)
    return edges(scale.grey(seen), drawn).shifts
