"""Real outlines: every whole object of a label image, cut out as a sub-pixel outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage import measure

from benchmark.label_files import LABEL_SUFFIXES, looks_binary, read_labels, regions
from generators.errors import ShapeError
from generators.polygons import Floats, area
from generators.shapes.geometry import counter_clockwise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmark.dataset import Dataset

SMALLEST = 16.0
"""Diameter in px below which a shape is not resolved: half of its outline is stairs."""
FRAGMENT = 0.4
"""Diameter, in medians of its image, below which an object is debris or a micronucleus."""
FEWEST = 5
"""Objects that an image needs so that their median diameter is a scale."""


@dataclass(frozen=True)
class Cut:
    """The whole objects of one label image.

    Attributes
    ----------
    outlines
        Their outlines in px of the image, pixel centres at integers.
    at_border
        How many objects were left out because they touch the border of the image.
    holes, torn
        How many objects had holes, which were filled; or were in pieces: the largest stands here.
    """

    outlines: list[Floats]
    at_border: int
    holes: int
    torn: int


def cut(labels: NDArray[Any]) -> Cut:
    """Cut every whole object out of a label image.

    An outline runs halfway between the centres of the pixels inside and outside, so it stays within
    half a pixel of the pixels' edges and its rasterisation is the object.

    Parameters
    ----------
    labels
        (Y, X) integers, 0 is background.

    Examples
    --------
    >>> labels = np.zeros((6, 6), int)
    >>> labels[1:4, 1:4] = 7
    >>> found = cut(labels)
    >>> found.outlines[0].shape, found.at_border
    ((12, 2), 0)
    """
    ids, dense = np.unique(labels, return_inverse=True)
    dense = dense.reshape(labels.shape) + int(ids[0] != 0)
    outlines, at_border, holes, torn = [], 0, 0, 0
    for number, where in enumerate(ndimage.find_objects(dense), start=1):
        edges = zip(where, labels.shape, strict=True)
        if any(side.start == 0 or side.stop == length for side, length in edges):
            at_border += 1
            continue
        mask = np.pad(dense[where] == number, 1)
        whole = ndimage.binary_fill_holes(mask)
        holes += int(np.count_nonzero(whole) > np.count_nonzero(mask))
        torn += int(ndimage.label(whole)[1] > 1)
        corner = np.array([where[0].start - 1, where[1].start - 1])
        outlines.append(outline_of(whole) + corner)
    return Cut(outlines, at_border, holes, torn)


def outline_of(mask: NDArray[np.bool_]) -> Floats:
    """Return the outer outline of the largest 4-connected piece of a mask that is off its border.

    Examples
    --------
    >>> mask = np.zeros((3, 3), bool)
    >>> mask[1, 1] = True
    >>> float(area(outline_of(mask)))
    0.5
    """
    contours = measure.find_contours(mask.astype(np.float64), 0.5)  # type: ignore[no-untyped-call]
    largest: Floats = max(contours, key=lambda contour: abs(area(contour[:-1])))[:-1]
    return counter_clockwise(largest)


@dataclass(frozen=True)
class RealShapes:
    """Real outlines in units of the median diameter of the objects in their image.

    Attributes
    ----------
    outlines
        The outlines, each with its centroid where it was in the image.
    images
        (N,) for each the image that it came from.
    counts
        What became of the objects: kept, at_border, small, fragments, few (in images with too
        few), and of those kept or left out later, holes (filled) and torn (largest piece kept).
    """

    outlines: list[Floats]
    images: NDArray[np.str_]
    counts: dict[str, int]


def real_shapes(
    datasets: Sequence[Dataset], split: str | None = None, target: str | None = None
) -> RealShapes:
    """Return the outlines of all resolved, whole objects of data sets.

    An image's scale is the median diameter of its objects of at least `SMALLEST` px. What is
    smaller than `FRAGMENT` of it, and images with fewer than `FEWEST` such objects, are left out.

    Parameters
    ----------
    datasets
        As `benchmark.dataset.open_any` gives them.
    split
        Of which images; default: all. Shapes of one image thus never stand on both sides.
    target
        Of which labels; default: the first that a data set has.

    Raises
    ------
    ShapeError
        If not one object is left.
    """
    outlines: list[Floats] = []
    images: list[str] = []
    counts = dict.fromkeys(("at_border", "holes", "torn", "small", "few", "fragments"), 0)
    for data in datasets:
        for sample in data.ids(split=split):
            found = cut(data.read_labels(sample, target or data.manifest.targets[0]))
            for key in ("at_border", "holes", "torn"):
                counts[key] += getattr(found, key)
            kept = _scaled(found.outlines, counts)
            outlines += kept
            images += [f"{data.name}/{sample}"] * len(kept)
    if not outlines:
        raise ShapeError(
            "there is no object whose shape could be learned",
            where=", ".join(str(data.path) for data in datasets),
            mend=f"it takes images with at least {FEWEST} whole objects of {SMALLEST:g} px",
        )
    return RealShapes(outlines, np.array(images), {"kept": len(outlines), **counts})


def folder_shapes(folder: Path) -> list[Floats]:
    """Return the outlines of all resolved, whole objects of a folder of masks or label images.

    In a binary mask each connected region is an object. The scale is the median diameter of an
    image's objects, as in `real_shapes`; images with fewer than `FEWEST` of them, such as pictures
    of one nucleus each, share the median of all of those.

    Parameters
    ----------
    folder
        Where TIFF, PNG, NPY or NPZ files lie, at any depth.

    Raises
    ------
    ShapeError
        If there are no such files, or not one object that could be measured.
    DatasetError, LabelError
        If a file cannot be read as labels.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in LABEL_SUFFIXES)
    full: list[Floats] = []
    sparse: list[Floats] = []
    counts = dict.fromkeys(("small", "few", "fragments"), 0)
    for path in files:
        labels = read_labels(path, binary=False)
        if labels.ndim != 2:
            raise ShapeError("outlines are measured in two dimensions", where=path)
        found = cut(regions(labels, path) if looks_binary(labels) else labels).outlines
        full += _scaled(found, counts)
        if np.count_nonzero(_diameters(found) >= SMALLEST) < FEWEST:
            sparse += found
    outlines = full + _scaled(sparse, counts)
    if not outlines:
        raise ShapeError(
            "there is no mask whose shape could be measured",
            where=folder,
            mend=f"it takes a folder with at least {FEWEST} whole objects of {SMALLEST:g} px "
            f"in files called {', '.join(LABEL_SUFFIXES)}",
        )
    return outlines


def held_back(images: NDArray[np.str_], every: int = 3) -> NDArray[np.bool_]:
    """Tell which shapes are of every third image: those to hold back where no split says it.

    Examples
    --------
    >>> held_back(np.array(["a", "a", "c", "b"])).tolist()
    [False, False, True, False]
    """
    _, number = np.unique(images, return_inverse=True)
    return np.asarray(number % every == every - 1)


def _scaled(outlines: list[Floats], counts: dict[str, int]) -> list[Floats]:
    """Return the outlines of one image that can be used, in units of their median diameter."""
    diameters = _diameters(outlines)
    resolved = diameters >= SMALLEST
    counts["small"] += int(np.count_nonzero(~resolved))
    if np.count_nonzero(resolved) < FEWEST:
        counts["few"] += int(np.count_nonzero(resolved))
        return []
    scale = float(np.median(diameters[resolved]))
    fragments = resolved & (diameters < FRAGMENT * scale)
    counts["fragments"] += int(np.count_nonzero(fragments))
    return [outlines[k] / scale for k in np.nonzero(resolved & ~fragments)[0]]


def _diameters(outlines: Sequence[Floats]) -> Floats:
    return np.array([np.sqrt(4 * area(outline) / np.pi) for outline in outlines])
