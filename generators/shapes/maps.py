"""Outlines as maps that a network can learn, and back.

A map of the kind `distance` is the signed distance to an outline, cut off away from it. One of the
kind `residual` is what is left of it when position, size, direction and elongation are taken out:
the outline is laid with its major axis along x and pressed until its second moments are those of a
disc; what that disc itself would show is taken away. A network then learns nothing but dents.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from skimage import measure

from generators.polygons import area
from generators.shapes.distances import signed_distances
from generators.shapes.frames import Frames
from generators.shapes.geometry import (
    aligned,
    counter_clockwise,
    moments,
    posed,
    resampled,
    stacked,
    stretched,
    turned,
)
from generators.shapes.styles import restyled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from generators.polygons import Floats

__all__ = ["Frames", "MapSettings", "fitted", "maps_of", "outlines_of"]

Kind = Literal["residual", "distance"]

VERTICES = 128
"""Vertices of the outlines of maps."""
LEAST = 4.0
"""Area in px² of the smallest contour of a distance map that is a shape."""
ASTRAY = 1.5
"""Factor by which the area of a residual's contour may differ from that of its disc."""
_TOP = 0.999  # the share of a training set's values that its scale leaves within [-1, 1]


@dataclass(frozen=True)
class MapSettings:
    """What a map shows, and how.

    Parameters
    ----------
    kind
        `residual` or `distance`.
    resolution
        Height and width in px, from 8 to 512.
    radius
        Of a residual: radius of the disc that an outline is pressed to, in widths of the map ...
    width
        ... and the distance to the outline, likewise, at which it fades: tanh(distance / width).
    whitening, corner
        Of a residual: its Fourier coefficients are multiplied by (1 + (f / corner)²)^(whitening/2),
        f in cycles a map.
    knee, scale
        Of a residual q: a map holds asinh(q / knee) / scale, so that small dents and large ones
        both show. `fitted` finds both; the defaults are those of nuclei without whitening.
    span
        Of a distance map: its width in median diameters ...
    clip
        ... and the distance in median diameters that is shown as 1.

    Raises
    ------
    ValueError
        A number is out of its limits.

    Examples
    --------
    >>> settings = MapSettings("distance", resolution=32)
    >>> MapSettings.from_json(settings.to_json()) == settings
    True
    """

    kind: Kind = "residual"
    resolution: int = 24
    radius: float = 0.3125
    width: float = 1 / 12
    whitening: float = 0.0
    corner: float = 1.6
    knee: float = 0.114
    scale: float = 2.77
    span: float = 2.6
    clip: float = 0.25

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"a map of the kind {self.kind!r} is none of {get_args(Kind)}")
        if not isinstance(self.resolution, int) or not 8 <= self.resolution <= 512:
            raise ValueError(f"a resolution of {self.resolution!r} is not between 8 and 512")
        limits = {"radius": (0.05, 0.5), "whitening": (0.0, 4.0), "span": (1.0, 20.0)}
        for field in fields(self)[2:]:
            low, high = limits.get(field.name, (1e-4, 1e3))
            value = getattr(self, field.name)
            if not isinstance(value, (int, float)) or not low <= value <= high:
                raise ValueError(f"{field.name} = {value!r} is not between {low:g} and {high:g}")

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> MapSettings:
        """Read what `to_json` wrote; a ValueError or TypeError says what is wrong with it."""
        return cls(**json.loads(text))


def fitted(settings: MapSettings, outlines: Iterable[Floats]) -> MapSettings:
    """Return settings whose knee and scale suit a training set; those of distances as they are.

    The knee is the standard deviation of its residuals, and the scale leaves 99.9 % of their values
    within [-1, 1].
    """
    if settings.kind == "distance":
        return settings
    residuals = _residuals(stacked(outlines), settings)
    # Of perfect ellipses nothing is left.
    knee = max(float(residuals.std()), 1e-3)
    scale = max(float(np.quantile(np.abs(np.arcsinh(residuals / knee)), _TOP)), 1e-3)
    return replace(settings, knee=knee, scale=scale)


def maps_of(
    outlines: Iterable[Floats], settings: MapSettings
) -> tuple[NDArray[np.float32], Floats]:
    """Turn outlines into maps.

    Parameters
    ----------
    outlines
        (V, 2) each, simple, in median diameters.
    settings
        What the maps show.

    Returns
    -------
    maps
        (N, 1, S, S) float32 within [-1, 1], positive inside (of a residual: outside the disc).
    frames
        (N, 2): size and elongation of each, as `generators.shapes.styles` defines them.

    Examples
    --------
    >>> angle = np.arange(256) * (2 * np.pi / 256)
    >>> ellipse = np.stack([np.sin(angle), 2 * np.cos(angle)], axis=1) / 2
    >>> maps, frames = maps_of([ellipse], MapSettings())
    >>> maps.shape, round(float(abs(maps).max()), 2), frames.round(2).tolist()
    ((1, 1, 24, 24), 0.0, [[1.41, 2.0]])
    """
    stack = stacked(outlines)
    about = moments(stack)
    if settings.kind == "residual":
        squashed = np.arcsinh(_residuals(stack, settings) / settings.knee) / settings.scale
    else:
        centred = (stack - about.centroid[:, None]) * (settings.resolution / settings.span)
        pixels = settings.clip * settings.resolution / settings.span
        squashed = signed_distances(centred, settings.resolution) / pixels
    maps = np.clip(squashed, -1, 1).astype(np.float32)[:, None]
    return maps, np.stack([about.diameter, about.elongation], axis=1)


def outlines_of(
    maps: NDArray[np.floating], frames: Floats | None, settings: MapSettings
) -> list[Floats | None]:
    """Turn maps into outlines, with sizes and elongations exactly those given.

    Parameters
    ----------
    maps
        (N, 1, S, S).
    frames
        (N, 2): the size and elongation of each outline. None leaves those that a distance map
        shows; a residual shows none.
    settings
        What the maps show.

    Returns
    -------
    list of (VERTICES, 2), or None
        Simple outlines, counter-clockwise, centroids at the origin, in median diameters; of
        residuals with the major axis along x. None where a map shows nothing, more than one piece,
        a hole, something that touches its border, or something far too small or too large.

    Raises
    ------
    ValueError
        Residuals are given no frames.

    Examples
    --------
    >>> frame = np.array([[1.0, 1.5]])
    >>> disc, nothing = outlines_of(
    ...     np.stack([np.zeros((1, 24, 24)), -np.ones((1, 24, 24))]),
    ...     np.repeat(frame, 2, axis=0),
    ...     MapSettings(),
    ... )
    >>> found = moments(disc[None])
    >>> round(float(found.diameter[0]), 6), round(float(found.elongation[0]), 6), nothing
    (1.0, 1.5, None)
    """
    if settings.kind == "residual" and frames is None:
        raise ValueError("residuals show neither size nor elongation: give frames")
    limits = (LEAST, np.inf)
    if settings.kind == "residual":
        disc = np.pi * (settings.radius * settings.resolution) ** 2
        limits = (disc / ASTRAY, disc * ASTRAY)
    contours = [_contour(plane, limits) for plane in _fields(maps, settings)]
    kept = [k for k, contour in enumerate(contours) if contour is not None]
    outlines: list[Floats | None] = [None] * len(contours)
    if not kept:
        return outlines
    stack = np.stack([contour for contour in contours if contour is not None])
    for k, outline in zip(
        kept, _framed(stack, None if frames is None else frames[kept], settings), strict=True
    ):
        outlines[k] = outline
    return outlines


def _framed(stack: Floats, frames: Floats | None, settings: MapSettings) -> Floats:
    """Return contours in px as outlines of these sizes and elongations."""
    if settings.kind == "residual":
        assert frames is not None
        lying = stretched(_rounded(stack), frames[:, 1])
        return posed(lying, frames[:, 0], np.zeros(len(stack)))
    stack = stack * (settings.span / settings.resolution)
    style = {} if frames is None else {"size": frames[:, 0], "elongation": frames[:, 1]}
    return restyled(stack, style)


def _rounded(stack: Floats) -> Floats:
    """Return outlines as long as wide, pressed along their major axes, which stay where they are.

    What is nearly round has its major axis anywhere; it may not be turned for that.
    """
    about = moments(stack)
    lying = turned(stack - about.centroid[:, None], -about.angle)
    return turned(stretched(lying, 1 / about.elongation), about.angle)


def _contour(plane: Floats, limits: tuple[float, float]) -> Floats | None:
    """Return the one contour of a plane at 0 about its middle; None if it has none, or others.

    It encloses so many px², within limits, and nothing at the border of the plane.
    """
    border = max(plane[0].max(), plane[-1].max(), plane[:, 0].max(), plane[:, -1].max())
    if not np.isfinite(plane).all() or border >= 0:
        return None
    contours = measure.find_contours(plane, 0.0)  # type: ignore[no-untyped-call]
    if len(contours) != 1:
        return None
    outline = counter_clockwise(contours[0][:-1] - (np.array(plane.shape) - 1) / 2)
    return resampled(outline, VERTICES) if limits[0] <= area(outline) <= limits[1] else None


def _fields(maps: NDArray[np.floating], settings: MapSettings) -> Floats:
    """Return what (N, 1, S, S) maps say is inside: (N, S, S), where it is positive."""
    planes = maps[:, 0].astype(np.float64)
    if settings.kind == "distance":
        return planes
    # Beyond what maps hold there is no sense in an exponential.
    residuals = settings.knee * np.sinh(np.clip(planes, -1.1, 1.1) * settings.scale)
    found: Floats = _disc(settings) + _filtered(residuals, settings, -1)
    return found


def _residuals(stack: Floats, settings: MapSettings) -> Floats:
    """Return the (N, S, S) residuals of outlines."""
    lying = aligned(stack)
    flat = stretched(lying, 1 / moments(lying).elongation)
    size = settings.resolution
    distances = signed_distances(flat * (2 * settings.radius * size), size)
    return _filtered(np.tanh(distances / (settings.width * size)) - _disc(settings), settings, 1)


@cache
def _disc(settings: MapSettings) -> Floats:
    """Return what a disc shows, which is no part of a residual."""
    at = np.arange(settings.resolution) - (settings.resolution - 1) / 2
    radius, width = (settings.resolution * part for part in (settings.radius, settings.width))
    shown: Floats = np.tanh((radius - np.hypot(at[:, None], at)) / width)
    return shown


def _filtered(planes: Floats, settings: MapSettings, sign: int) -> Floats:
    """Return planes whitened (1), or as they were before (-1)."""
    if settings.whitening == 0:
        return planes
    size = settings.resolution
    cycles = np.hypot(np.fft.fftfreq(size, 1 / size)[:, None], np.fft.rfftfreq(size, 1 / size))
    gain = (1 + (cycles / settings.corner) ** 2) ** (sign * settings.whitening / 2)
    made: Floats = np.fft.irfft2(np.fft.rfft2(planes) * gain, s=(size, size))
    return made
