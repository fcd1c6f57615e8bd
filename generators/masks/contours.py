"""What a picture shows: objects as labels, and as sub-pixel outlines with their holes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage import measure

from generators.polygons import Floats, area

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from generators.masks.tools import Picture

AXES = "x to the right, y down, in pixels; the centre of the first pixel is (0, 0)"


@dataclass(frozen=True)
class Region:
    """One object of a picture.

    Attributes
    ----------
    label
        Its number in the label image, from 1.
    outline
        (V, 2) vertices (y, x) in pixels, pixel centres at integers, closed implicitly,
        counter-clockwise as `generators.shapes.geometry` has it.
    holes
        Outlines of its holes, clockwise.
    cut
        Whether the border of the picture cuts it.
    """

    label: int
    outline: Floats
    holes: tuple[Floats, ...]
    cut: bool

    @property
    def area(self) -> float:
        """Area in px², without holes."""
        return area(self.outline) + sum(area(hole) for hole in self.holes)


def labelled(plane: NDArray[np.floating], level: float, smallest: float = 0.0) -> NDArray[Any]:
    """Return the objects of a plane as labels, 1 … n in reading order.

    What is above the level and joined by the sides of pixels is one object.

    Parameters
    ----------
    plane
        (Y, X); NaN counts as background.
    level
        Where inside begins.
    smallest
        Objects of fewer pixels are left out.

    Returns
    -------
    ndarray
        (Y, X) uint16, or uint32 where there are more than 65,535.

    Examples
    --------
    >>> labelled(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), 0.5).tolist()
    [[1, 0, 2], [0, 2, 2]]
    """
    labels, count = ndimage.label(plane > level)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    kept = sizes >= smallest
    kept[0] = False
    numbers = np.where(kept, np.cumsum(kept), 0)
    return numbers[labels].astype(np.uint16 if kept.sum() < 2**16 else np.uint32)


def regions(plane: NDArray[np.floating], level: float, labels: NDArray[Any]) -> list[Region]:
    """Return the outlines of labelled objects, where the plane, taken as linear, has the level.

    At the border of the picture an object ends half a pixel beyond the last centre.

    Parameters
    ----------
    plane
        (Y, X), as given to `labelled`.
    level
        As given to `labelled`.
    labels
        What `labelled` returned.

    Examples
    --------
    >>> plane = np.array([[-1.0, -1.0, -1.0], [-1.0, 3.0, -1.0], [-1.0, -1.0, -1.0]])
    >>> found = regions(plane, 0.0, labelled(plane, 0.0))[0]
    >>> sorted(found.outline.tolist()), found.area
    ([[0.25, 1.0], [1.0, 0.25], [1.0, 1.75], [1.75, 1.0]], 1.125)
    """
    found = []
    height, width = labels.shape
    above = np.nan_to_num(plane.astype(np.float64), nan=-np.inf) - level
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = where
        mask = np.pad(labels[where] == number, 1)
        window = slice(rows.start, rows.stop + 2), slice(columns.start, columns.stop + 2)
        padded = np.pad(above, 1, mode="edge")[window]
        # What belongs to others is as far below the level as it is above it, and so is what lies
        # beyond the border. Infinities would make no crossing.
        padded = np.where(mask, padded, -np.abs(padded)).clip(-1e6, 1e6)
        rings = _rings(padded)
        corner = np.array([rows.start - 1, columns.start - 1])
        outer = max(range(len(rings)), key=lambda k: abs(area(rings[k])))
        sign = math.copysign(1, area(rings[outer]))
        found.append(
            Region(
                label=number,
                outline=rings[outer][:: int(sign)] + corner,
                holes=tuple(r[:: int(sign)] + corner for k, r in enumerate(rings) if k != outer),
                cut=bool(
                    rows.start == 0
                    or columns.start == 0
                    or rows.stop == height
                    or columns.stop == width
                ),
            )
        )
    return found


def _rings(plane: Floats) -> list[Floats]:
    """Return the closed contours of a plane at 0, inside joined by the sides of pixels."""
    closed = np.pad(plane, 1, constant_values=-1e6)
    found: list[Floats] = measure.find_contours(closed, 0.0)  # type: ignore[no-untyped-call]
    return [contour[:-1] - 1 for contour in found]


def collection(rows: Iterable[tuple[Region, dict[str, Any]]]) -> dict[str, Any]:
    """Return objects as a GeoJSON FeatureCollection (RFC 7946), in pixels.

    Coordinates are (x, y); rings are closed, outlines counter-clockwise and holes clockwise where
    y is taken upwards.

    Parameters
    ----------
    rows
        Objects, each with what stands among its properties.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])
    >>> made = collection([(Region(1, square, (), False), {"seed": 7})])
    >>> made["features"][0]["geometry"]["coordinates"]
    [[[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [0.0, 0.0]]]
    """
    return {
        "type": "FeatureCollection",
        "axes": AXES,
        "features": [
            {
                "type": "Feature",
                "id": region.label,
                "properties": {
                    **about,
                    "label": region.label,
                    "area": round(region.area, 4),
                    "cut": region.cut,
                },
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [_ring(ring) for ring in (region.outline, *region.holes)],
                },
            }
            for region, about in rows
        ],
    }


def _ring(outline: Floats) -> list[list[float]]:
    closed = np.concatenate([outline, outline[:1]])[:, ::-1]
    return [[round(float(x), 4), round(float(y), 4)] for x, y in closed]


def grey(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture (C, H, W) as (H, W) or (H, W, 3) bytes; NaN is black.

    Examples
    --------
    >>> grey(np.array([[[-1.0, 0.0, 1.0, 7.0]]], np.float32)).tolist()
    [[0, 128, 255, 255]]
    """
    scaled = np.nan_to_num((picture + 1) * 127.5, nan=0.0, posinf=255, neginf=0)
    levels = np.rint(scaled).clip(0, 255).astype(np.uint8)
    return levels[0] if len(levels) == 1 else np.moveaxis(levels[:3], 0, 2)


def sheet(tiles: Sequence[NDArray[np.uint8]], columns: int, gap: int = 2) -> NDArray[np.uint8]:
    """Return pictures of one size in rows, on grey.

    Examples
    --------
    >>> sheet([np.zeros((4, 4), np.uint8)] * 5, columns=3).shape
    (14, 20)
    """
    height, width = tiles[0].shape[:2]
    rows = math.ceil(len(tiles) / columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, *tiles[0].shape[2:])
    canvas = np.full(shape, 96, np.uint8)
    for k, tile in enumerate(tiles):
        y, x = (
            gap + at * (side + gap)
            for at, side in zip(divmod(k, columns), (height, width), strict=True)
        )
        canvas[y : y + height, x : x + width] = tile
    return canvas
