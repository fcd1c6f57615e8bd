"""Where the rendered edge lies, against the boundary of the label: to a fraction of a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.audit.contours import contours
from benchmark.audit.noise import noise_level
from benchmark.audit.profiles import AT, AVERAGED, SPACING, Profiles, crossing, level, profiles
from benchmark.audit.touching import fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

WINDOW = 3.0
"""Length of the stretch of a profile whose median is the level of a side; px."""
FROM_EDGE = 2.2
"""That stretch begins so many edge widths from the boundary: less than 2 % of the step is left."""
CERTAIN = 0.15
"""Edges that noise alone would move by more than this (standard deviation) are not counted; px."""
_LEAST = round(1 / SPACING)
_WIDTHS = (0.5, 4.0)
_QUARTILES = 1.3490
"""Distance of the quartiles of a Gaussian, in standard deviations."""


@dataclass(frozen=True)
class Edges:
    """The edges of an image.

    Attributes
    ----------
    isolated
        Signed distances of rendered edges from the label's boundary where nothing is near: half
        way between the inside, on the same normal, and the outside of the object; positive is
        outside the label; px.
    whole
        The same with the level of the inside of the whole object.
    touching
        The same of the object's own edge where another touches it, with the light of both and a
        gap between them taken into account.
    n_isolated, n_touching, n_points
        How many points of contours are of either kind, used or not, and of any.
    width
        Standard deviation of the Gaussian blur that the edges look like; px, NaN if unknown.
    """

    isolated: Floats
    whole: Floats
    touching: Floats
    n_isolated: int
    n_touching: int
    n_points: int
    width: float


def edges(image: NDArray[Any], labels: NDArray[Any]) -> Edges:
    """Measure the edges of an image.

    A Gaussian blur of standard deviation s shifts the half-height contour of a disc of radius R
    inwards by s² / 2R. That is taken out, with s from the edges' own steepness.

    Parameters
    ----------
    image
        (Y, X), any unit.
    labels
        (Y, X) integers, 0 background.

    Examples
    --------
    A disc of radius 12.3 px, labelled as one of 11.5.

    >>> y, x = np.indices((48, 48)) - 23.5
    >>> image = np.clip(12.3 - np.hypot(y, x) + 0.5, 0, 1)
    >>> found = edges(image, np.hypot(y, x) < 11.5)
    >>> round(float(np.median(found.isolated)), 1)
    0.8
    """
    outlines = list(contours(labels))
    if not outlines:
        nothing = np.zeros(0)
        return Edges(nothing, nothing, nothing, 0, 0, 0, float("nan"))
    sampled = profiles(image, labels, outlines)
    noise = noise_level(image, labels)
    width = _width(sampled, noise)
    alone, inside, outside = _sides(sampled, width)
    shift = np.square(width) * sampled.curvature / 2
    isolated, whole = (
        _half_way(sampled.values, alone, one, outside, noise=noise, width=width) + shift
        for one in (inside, _whole(sampled, width))
    )
    between, touching = _touching(sampled, noise, width, _background(image, labels))
    return Edges(
        isolated=isolated[~np.isnan(isolated)],
        whole=whole[~np.isnan(whole)],
        touching=touching[~np.isnan(touching)],
        n_isolated=int(alone.sum()),
        n_touching=int(between.sum()),
        n_points=len(sampled.label),
        width=width,
    )


def _background(image: NDArray[Any], labels: NDArray[Any]) -> float:
    ground = image[labels == 0]
    return float(np.median(ground)) if ground.size else float(image.min())


def _stretches(width: float) -> tuple[Mask, Mask]:
    """Return which samples are the inside and the outside of an edge of this width."""
    start, at = max(2.0, FROM_EDGE * width), AT
    return (
        (at <= -start) & (at >= -start - WINDOW),
        (at >= start) & (at <= start + WINDOW),
    )


def _sides(sampled: Profiles, width: float) -> tuple[Mask, Floats, Floats]:
    """Return which profiles are isolated, and the levels of their insides and outsides."""
    inner, outer = _stretches(width)
    outermost = np.flatnonzero(outer)[-1]
    inside = level(sampled.values, sampled.own & inner, _LEAST)
    beyond = np.flatnonzero(AT >= 1.0)[0]
    alone = np.asarray(sampled.background[:, beyond : outermost + 1].all(axis=1))
    outside = level(sampled.values, sampled.background & outer, int(np.count_nonzero(outer)))
    return alone, inside, outside


def _width(sampled: Profiles, noise: float) -> float:
    """Return the width of the edges of an image: what is measured with it depends on it little."""
    width = 1.2
    for _ in range(2):
        alone, inside, outside = _sides(sampled, width)
        step = inside - outside
        with np.errstate(invalid="ignore"):
            clear = alone & (step > 8 * noise / np.sqrt(AVERAGED)) & (step > 0)
        quarter = crossing(sampled.values[clear], outside[clear] + step[clear] / 4)[1]
        three = crossing(sampled.values[clear], outside[clear] + step[clear] * 3 / 4)[0]
        widths = (quarter - three) / _QUARTILES
        widths = widths[widths > 0]
        if widths.size == 0:
            return width
        width = float(np.clip(np.median(widths), *_WIDTHS))
    return width


def _whole(sampled: Profiles, width: float) -> Floats:
    """Return for each profile the level of the whole inside of its object."""
    depth = -AT
    deep = sampled.own & (depth >= max(2.0, FROM_EDGE * width))
    found = np.full(len(sampled.label), np.nan)
    for label in np.unique(sampled.label):
        rows = sampled.label == label
        known = sampled.values[rows][deep[rows]]
        known = known[~np.isnan(known)]
        if known.size >= _LEAST:
            found[rows] = np.median(known)
    return found


def _half_way(
    values: Floats, alone: Mask, inside: Floats, outside: Floats, *, noise: float, width: float
) -> Floats:
    """Return where isolated profiles pass half way between their sides; NaN where not used."""
    step = inside - outside
    first, last = crossing(values, (inside + outside) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        certain = (step > 0) & (_uncertainty(step, noise, width) <= CERTAIN)
    return np.where(alone & certain & (first == last), first, np.nan)


def _uncertainty(step: Floats, noise: float, width: float) -> Floats:
    """Return by how much noise moves an edge: noise over the steepness of a blurred step."""
    steepness = step / (width * np.sqrt(2 * np.pi))
    uncertain: Floats = noise / np.sqrt(AVERAGED) / steepness
    return uncertain


def _touching(
    sampled: Profiles, noise: float, width: float, background: float
) -> tuple[Mask, Floats]:
    """Return which profiles cross the border of two objects, and where the edge is; NaN if unsure.

    Where one object shines through another, two steps do not explain the profile: it is not used.
    """
    inner, outer = _stretches(width)
    rows = np.flatnonzero(sampled.inmost)
    values = sampled.values[rows]
    place, uncertainty = fitted(
        values,
        level(values, sampled.own[rows] & inner, _LEAST),
        level(values, sampled.other[rows] & outer, _LEAST),
        background=background,
        noise=noise / float(np.sqrt(AVERAGED)),
        width=width,
    )
    return sampled.inmost, np.where(uncertainty <= CERTAIN, place, np.nan)
