"""Single objects to learn from, cut from the labels of any data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from benchmark.errors import DatasetError
from generators.polygons import Floats, area
from generators.shapes.cutting import FEWEST, FRAGMENT, SMALLEST, cut
from generators.shapes.geometry import moments, posed, stacked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class ObjectOptions:
    """Which objects are cut, and how they are laid out.

    Parameters
    ----------
    split, target
        Of which images, and which of their labels; default: all, and the first target.
    map
        What a picture shows: `residual` to its ellipse, or signed `distance`; see
        `generators.shapes.maps`.
    scale
        What a size is measured by: the median diameter of the objects in the same `image`, for
        images of many magnifications, or of the whole `dataset`: pixels as they are.
    rotation
        `keep`, or `align` major axes with the rows. A residual is always aligned.
    border
        What becomes of objects that the border of their image cuts: `drop`, or `keep` as they are.
    smallest
        Diameter in px of the image below which objects are dropped: their outlines are stairs.
    fragment
        Diameter, in the unit of `scale`, below which objects are dropped as debris.
    flip
        With mirror images; of residuals, along both axes.
    """

    split: str | None = None
    target: str | None = None
    map: Literal["residual", "distance"] = "residual"
    scale: Literal["image", "dataset"] = "image"
    rotation: Literal["keep", "align"] = "keep"
    border: Literal["drop", "keep"] = "drop"
    smallest: Annotated[float, Field(ge=1)] = SMALLEST
    fragment: Annotated[float, Field(ge=0)] = FRAGMENT
    flip: bool = False


def outlines_in(
    label_images: Iterable[NDArray[np.integer]], options: ObjectOptions
) -> tuple[list[Floats], dict[str, int]]:
    """Cut objects out of label images.

    Parameters
    ----------
    label_images
        (Y, X) each, 0 is background.
    options
        Which, and how.

    Returns
    -------
    list of (V, 2)
        Outlines in median diameters, centred, as `generators.shapes.source` has them.
    dict
        How many were dropped, and why: cut by the `border`, `small`, `fragments`, in images of too
        `few` others to tell a scale from.

    Raises
    ------
    DatasetError
        If no object is left.
    """
    dropped = dict.fromkeys(("border", "small", "few", "fragments"), 0)
    images = []
    for labels in label_images:
        found = cut(np.pad(labels, 1) if options.border == "keep" else labels)
        dropped["border"] += found.at_border
        diameters = np.array([2 * np.sqrt(area(outline) / np.pi) for outline in found.outlines])
        large = np.flatnonzero(diameters >= options.smallest)
        dropped["small"] += len(diameters) - len(large)
        images.append(([found.outlines[k] for k in large], diameters[large]))
    every = np.concatenate([np.zeros(0), *(diameters for _, diameters in images)])
    kept = []
    for outlines, diameters in images:
        if options.scale == "image" and len(outlines) < FEWEST:
            dropped["few"] += len(outlines)
            continue
        unit = float(np.median(diameters if options.scale == "image" else every))
        whole = np.flatnonzero(diameters >= options.fragment * unit)
        dropped["fragments"] += len(outlines) - len(whole)
        kept += [outlines[k] / unit for k in whole]
    if not kept:
        raise DatasetError(
            "there is no object whose shape could be learned: "
            + ", ".join(f"{n} {why}" for why, n in dropped.items()),
            mend="lower --smallest, keep objects at the border, or take one scale for all images",
        )
    return _laid(kept, options.rotation), dropped


def _laid(outlines: list[Floats], rotation: str) -> list[Floats]:
    stack = stacked(outlines)
    about = moments(stack)
    angles = -about.angle if rotation == "align" else np.zeros(len(stack))
    return list(posed(stack, about.diameter, angles))
