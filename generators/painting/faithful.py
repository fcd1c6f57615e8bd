"""Where the light of each object ends in painted scenes, against where its label does.

One picture does not tell between objects that touch: a nucleus's texture is as strong as the step
to the next one, and the border seems to lie half a pixel off though it does not (docs/painting.md).
A painter tells: painted again with some objects a little brighter, all else alike, what differs is
their own light, and it ends where the label should.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from benchmark.audit.contours import contours
from benchmark.audit.edges import FROM_EDGE, WINDOW
from benchmark.audit.profiles import AT, Profiles, crossing, level, profiles
from generators.generate import plan, settle
from generators.optics import blurred
from generators.painting.scenes import painting
from generators.render import CONDENSED, compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.polygons import Floats
    from generators.recipe import Recipe

_BRIGHTER = 0.04
"""Added to the first code: a tenth more light."""
_APART = 9
"""Px that objects which are made brighter together are apart."""
_USUAL = 1.5  # px: width of edges, until it is known
_QUARTILES = 1.3490  # distance of a Gaussian's quartiles, in standard deviations
_LEAST = 4  # samples of a level


class Ends(NamedTuple):
    """Signed distances in px from labels to where the own light ends, positive outside.

    `isolated` where only ground is near, `touching` at borders with another object; NaN where the
    light does not pass half its height once.
    """

    isolated: Floats
    touching: Floats


def faithfulness(recipe: Recipe, seed: int = 0) -> dict[str, float | int]:
    """Return figures on the scenes of a recipe that has a painter.

    Returns
    -------
    dict
        For `isolated` and `touching` the points, the share of them that was found, the signed
        median, and median and 95 % of the distance from it: `touching`, `touching found`, `touching
        median`, `touching spread`, `touching spread 95`.
    """
    found = [_of_scene(recipe, number, seed) for number in range(len(plan(recipe, seed)))]
    figures: dict[str, float | int] = {}
    for kind in Ends._fields:
        every = np.concatenate([np.zeros(0), *(getattr(one, kind) for one in found)])
        known = every[~np.isnan(every)]
        figures[kind] = int(every.size)
        if known.size:
            middle = float(np.median(known))
            half, most = np.quantile(np.abs(known - middle), [0.5, 0.95])
            figures |= {
                f"{kind} found": known.size / every.size,
                f"{kind} median": middle,
                f"{kind} spread": float(half),
                f"{kind} spread 95": float(most),
            }
    return figures


def _of_scene(recipe: Recipe, number: int, seed: int) -> Ends:
    task = plan(recipe, seed)[number]
    settings, _ = settle(recipe, task)
    world = compose(settings, task.seed)
    canvas = world.canvas
    work = painting(canvas, settings.shading, world.seed, condensed=CONDENSED)
    before = work.light().signal

    def turned(some: NDArray[np.intp]) -> Floats:
        codes = work.codes.copy()
        codes[some, 0] += _BRIGHTER
        own = work._replace(codes=codes).light().signal - before
        return blurred(own, settings.optics, settings.pixel_size_um)[canvas.frame]

    labels = canvas.top[canvas.frame]
    parts = [ends(turned(some), labels, some) for some in groups(labels)]
    return Ends(
        np.concatenate([np.zeros(0), *(part.isolated for part in parts)]),
        np.concatenate([np.zeros(0), *(part.touching for part in parts)]),
    )


def groups(labels: NDArray[np.integer]) -> list[NDArray[np.intp]]:
    """Return the objects in groups, those of each some way apart from one another.

    Examples
    --------
    >>> labels = np.zeros((4, 60), np.uint8)
    >>> labels[:, 2:10], labels[:, 10:20], labels[:, 40:50] = 1, 2, 3
    >>> [group.tolist() for group in groups(labels)]
    [[1, 3], [2]]
    """
    chosen: dict[int, int] = {}
    boxes = ndimage.find_objects(labels.astype(np.int64))
    for number in np.unique(labels[labels > 0]).tolist():
        box = boxes[number - 1]
        near = tuple(slice(max(part.start - _APART, 0), part.stop + _APART) for part in box)
        away = ndimage.distance_transform_edt(labels[near] != number)
        others = {chosen.get(int(one)) for one in np.unique(labels[near][away < _APART])}
        chosen[number] = next(k for k in range(len(chosen) + 1) if k not in others)
    numbers, kinds = np.array(list(chosen), np.intp), np.array(list(chosen.values()), np.intp)
    return [numbers[kinds == k] for k in range(int(kinds.max(initial=-1)) + 1)]


def ends(
    light: Floats, labels: NDArray[np.integer], some: Sequence[int] | NDArray[np.intp]
) -> Ends:
    """Return where the light of some objects ends, at half its height along normals.

    As in `benchmark.audit.edges` that is the height inside on the same normal, and what blur does
    to a disc is taken out; but nothing else has light here.

    Parameters
    ----------
    light
        (Y, X) their own light alone.
    labels
        (Y, X) of all objects.
    some
        Theirs, all of them well apart.
    """
    mine = np.where(np.isin(labels, some), labels, 0)
    outlines = list(contours(mine))
    if not outlines:
        return Ends(np.zeros(0), np.zeros(0))
    own, all_ = profiles(light, mine, outlines), profiles(light, labels, outlines)
    width = _USUAL
    for _ in range(2):
        height = _height(own, width)
        quarter, three = crossing(own.values, height / 4)[1], crossing(own.values, height * 0.75)[0]
        widths = (quarter - three) / _QUARTILES
        if np.isnan(widths).all():  # no light, or none that ends
            break
        width = float(np.nanmedian(widths))
    height = _height(own, width)
    first, last = crossing(own.values, height / 2)
    shift = np.square(width) * own.curvature / 2  # blur draws a disc in by that
    found = np.where((first == last) & (height > 0), first + shift, np.nan)
    alone = all_.background[:, (AT >= 1) & (FROM_EDGE * width + WINDOW >= AT)].all(axis=1)
    return Ends(found[alone], found[all_.inmost])


def _height(own: Profiles, width: float) -> Floats:
    start = FROM_EDGE * width
    return level(own.values, own.own & (np.abs(AT + start + WINDOW / 2) <= WINDOW / 2), _LEAST)
