"""Whole fields of objects as pictures: signed distances in which touching objects stay apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field
from scipy import ndimage

from benchmark.errors import BenchError
from generators.masks import statistics, tools
from generators.shapes.cutting import FEWEST, SMALLEST, cut
from generators.shapes.geometry import moments, stacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from generators.polygons import Floats

LINE = 1.001
"""Pixels of background that are kept between two objects, however close they are; a little over
one, so that of pixels half a pixel to either side neither counts as inside by rounding."""


@dataclass(frozen=True)
class FieldOptions:
    """Which fields are taken, and how they are laid out.

    Parameters
    ----------
    split, target
        Of which images, and which of their labels; default: all, and the first target.
    layout
        `crops`: squares of the resolution, neighbours overlapping by half or more. `whole`:
        the square in the middle of each image, made smaller.
    map
        `distance`: signed distance to the nearest outline, clipped. `binary`: black and white, as
        CellGen has it.
    pixel_diameter
        Size that the median object of an image is brought to, in pixels; default: as it is.
        Images with too few objects take the median of all. Only for crops.
    reach
        Pixels to either side of an outline after which distances are clipped.
    fewest
        Fields with fewer objects are dropped.
    fill
        Fill the holes of objects first.
    flip, turn
        Variants to learn from as well; see `generators.masks.tools.augmented`.
    """

    split: str | None = None
    target: str | None = None
    layout: Literal["crops", "whole"] = "crops"
    map: Literal["distance", "binary"] = "distance"
    pixel_diameter: Annotated[float, Field(ge=2, le=1000)] | None = None
    reach: Annotated[float, Field(ge=0.5, le=1000)] = 3.0
    fewest: Annotated[int, Field(ge=0)] = 1
    fill: bool = False
    flip: bool = False
    turn: Annotated[float, Field(ge=0, le=180)] = 0.0


def field_map(labels: NDArray[Any], factor: float, reach: float) -> Floats:
    """Return the signed distances of a label image's pixels to the nearest outline, at a scale.

    With d₁ the signed distance to the nearest object, negative inside, and d₂ that to the second
    nearest, the map is min(-d₁, (d₂ - d₁)/2 - LINE/2). The second term is how far a pixel is from
    the line halfway between the two: objects that touch are divided by a line of one pixel, and
    those further apart are as they were.

    Parameters
    ----------
    labels
        (Y, X) integers, 0 is background. Objects go on beyond the border.
    factor
        Pixels of the map a pixel of the labels.
    reach
        In pixels of the map, where distances are clipped.

    Returns
    -------
    ndarray
        (⌊Y·factor⌋, ⌊X·factor⌋), positive inside, in pixels of the map, within ±reach.

    Examples
    --------
    >>> labels = np.zeros((5, 6), int)
    >>> labels[1:4, 1:3], labels[1:4, 3:5] = 1, 2
    >>> field_map(labels, 1.0, 2.0)[2].round(2).tolist()
    [-0.5, 0.5, -0.0, -0.0, 0.5, -0.5]
    """
    margin = int(np.ceil((reach + LINE) / factor)) + 1
    first = np.full(labels.shape, margin, np.float64)
    second = first.copy()
    _, dense = np.unique(labels, return_inverse=True)
    dense = dense.reshape(labels.shape) + int(labels.min() != 0)
    for number, where in enumerate(ndimage.find_objects(dense), start=1):
        window = tuple(
            slice(max(side.start - margin, 0), min(side.stop + margin, length))
            for side, length in zip(where, labels.shape, strict=True)
        )
        distance = _signed(dense[window] == number)
        nearest, other = first[window], second[window]
        second[window] = np.minimum(other, np.maximum(nearest, distance))
        first[window] = np.minimum(nearest, distance)
    height, width = (max(int(length * factor + 1e-9), 1) for length in labels.shape)
    first, second = (_sampled(d * factor, factor, height, width) for d in (first, second))
    return np.minimum(-first, (second - first - LINE) / 2).clip(-reach, reach)


def _signed(mask: NDArray[np.bool_]) -> Floats:
    """Return distances to the edges of a mask's pixels, negative inside."""
    if mask.all():  # all of the window is one object, which goes on beyond it
        return np.full(mask.shape, -float(sum(mask.shape)))
    outside = ndimage.distance_transform_edt(~mask)
    inside = ndimage.distance_transform_edt(mask)
    distance: Floats = np.where(mask, 0.5 - inside, outside - 0.5)
    return distance


def _sampled(plane: Floats, factor: float, height: int, width: int) -> Floats:
    """Return a plane at the pixel centres of another scale; both begin at the same corner."""
    if factor == 1:
        return plane
    y, x = ((np.arange(n) + 0.5) / factor - 0.5 for n in (height, width))
    grid = np.meshgrid(y, x, indexing="ij")
    sampled: Floats = ndimage.map_coordinates(plane, grid, order=1, mode="nearest")
    return sampled


def crops(plane: Floats, size: int) -> list[Floats]:
    """Return square crops of a plane that cover it evenly, neighbours overlapping by half or more.

    Examples
    --------
    >>> [crop.shape for crop in crops(np.zeros((8, 15)), 8)]
    [(8, 8), (8, 8), (8, 8)]
    """
    starts = [_starts(length, size) for length in plane.shape]
    return [plane[y : y + size, x : x + size] for y in starts[0] for x in starts[1]]


def _starts(length: int, size: int) -> list[int]:
    if length < size:
        return []
    count = int(np.ceil((length - size) / (size / 2))) + 1
    return [round(at) for at in np.linspace(0, length - size, count)]


@dataclass(frozen=True)
class Fields:
    """Fields as pictures.

    Attributes
    ----------
    images
        (N, 1, S, S) float32 within [-1, 1].
    diameter
        Median diameter of the objects, in pixels of the pictures: as asked for, or as it is.
    summary
        Figures of the objects, in pixels of the pictures, and of how many there are in one.
    dropped
        How many fields were dropped, and why: with `few` objects, or as images too `small`.
    """

    images: NDArray[np.float32]
    diameter: float
    summary: dict[str, Any]
    dropped: dict[str, int]


def pictures_of(
    label_images: Iterable[NDArray[Any]], resolution: int, options: FieldOptions
) -> Fields:
    """Make pictures of label images.

    Parameters
    ----------
    label_images
        (Y, X) each, 0 is background.
    resolution
        Height and width of the pictures.
    options
        Which fields, and how.

    Raises
    ------
    BenchError
        If there is no object to tell a scale from.
    """
    images = [_whole_objects(labels) if options.fill else labels for labels in label_images]
    outlines = [cut(labels).outlines for labels in images]
    factors = _factors(images, outlines, resolution, options)
    dropped = {"small": 0, "few": 0}
    rows, counts = [], []
    for labels, factor in zip(images, factors, strict=True):
        square = labels if options.layout == "crops" else tools.squared(labels[None])[0]
        parts = crops(field_map(square, factor, options.reach), resolution)
        dropped["small"] += int(not parts)
        for part in parts:
            count = ndimage.label(part > 0)[1]
            if count < options.fewest:
                dropped["few"] += 1
                continue
            shown = part / options.reach if options.map == "distance" else np.sign(part - 1e-9)
            every = tools.augmented(
                shown[None].astype(np.float32), flip=options.flip, turn=options.turn
            )
            rows += list(every)
            counts.append(count)
    sized = [o * factor for some, factor in zip(outlines, factors, strict=True) for o in some]
    figures = statistics.of_outlines(sized)
    return Fields(
        np.stack(rows) if rows else np.zeros((0, 1, resolution, resolution), np.float32),
        options.pixel_diameter or figures.get("diameter", {}).get("p50", 0.0),
        {**figures, "images": len(images), "objects_per_field": statistics.quantiles(counts)},
        dropped,
    )


def _whole_objects(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels whose objects have no holes; what lies in a hole stays."""
    whole = labels.copy()
    for number in np.unique(labels[labels > 0]):
        hole = ndimage.binary_fill_holes(labels == number) & (labels == 0)
        whole[hole] = number
    return whole


def _factors(
    images: Sequence[NDArray[Any]],
    outlines: Sequence[Sequence[Floats]],
    resolution: int,
    options: FieldOptions,
) -> list[float]:
    """Return for each image how many pixels of the picture one of it is."""
    if options.layout == "whole":
        return [resolution / min(labels.shape) for labels in images]
    if options.pixel_diameter is None:
        return [1.0] * len(images)
    sizes = [moments(stacked(some)).diameter for some in outlines]
    sizes = [size[size >= SMALLEST] for size in sizes]
    every = np.concatenate([np.zeros(0), *sizes])
    if not every.size:
        raise BenchError(
            f"no object is as large as {SMALLEST:g} px, so there is no scale",
            mend="leave out the diameter, which takes pixels as they are",
        )
    medians = [np.median(size if len(size) >= FEWEST else every) for size in sizes]
    return [float(options.pixel_diameter / median) for median in medians]
