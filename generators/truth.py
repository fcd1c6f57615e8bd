"""What is true of a scene: labels, and the tables of its objects and spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from generators import cells as cell_layer
from generators.polygons import area, centroid, contains, distance, window_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.cells import Grown
    from generators.polygons import Floats
    from generators.render import Settings
    from generators.scene import Canvas
    from generators.spots import SpotList

FAR = 50.0
"""Gaps in px beyond this are not measured."""


class Light(NamedTuple):
    """Of each object of a target: grey levels above the background (N,), and SNR (N,)."""

    contrast: Floats
    snr: Floats


@dataclass(frozen=True)
class Truth:
    """The objects that are seen in a frame.

    Attributes
    ----------
    labels
        By target, (Y, X) uint16, numbered from 1 in the order of placement.
    numbers
        By target, (N,) for each label the position of its nucleus on the canvas.
    outlines
        By target, for each label the whole outline, hidden parts included.
    heights, condensed
        (N,) of the nuclei: who is on top, and which are condensed.
    """

    labels: Mapping[str, NDArray[np.uint16]]
    numbers: Mapping[str, NDArray[np.intp]]
    outlines: Mapping[str, list[Floats]]
    heights: Floats
    condensed: NDArray[np.bool_]

    @classmethod
    def of(cls, canvas: Canvas, grown: Grown | None) -> Truth:
        """Return the truth of a canvas and of the cells grown on it."""
        layers = {"nuclei": canvas.top[canvas.frame]}
        if grown is not None:
            layers["cells"] = grown.labels[canvas.frame]
        labels, numbers = {}, {}
        for target, layer in layers.items():
            present = np.unique(layer[layer > 0])
            renumber = np.zeros(len(canvas.nuclei) + 1, np.uint16)
            renumber[present] = np.arange(1, present.size + 1)
            labels[target] = renumber[layer]
            numbers[target] = present.astype(np.intp) - 1
        outlines = {"nuclei": [canvas.nuclei[k].outline for k in numbers["nuclei"]]}
        if grown is not None:
            outlines["cells"] = [
                cell_layer.outline(grown, k + 1, canvas.pad) for k in numbers["cells"]
            ]
        seen = [canvas.nuclei[k] for k in numbers["nuclei"]]
        return cls(
            labels,
            numbers,
            outlines,
            np.array([nucleus.height for nucleus in seen]),
            np.array([nucleus.condensed for nucleus in seen], dtype=bool),
        )

    def mean(self, image: Floats, target: str) -> Floats:
        """Return the mean of an image over the visible pixels of each object."""
        labels = self.labels[target]
        count = len(self.outlines[target])
        total = np.bincount(labels.ravel(), image.ravel(), count + 1)[1:]
        means: Floats = total / np.bincount(labels.ravel(), minlength=count + 1)[1:]
        return means


def touching(labels: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Return which objects have a pixel that is 8-adjacent to another object's.

    Examples
    --------
    >>> touching(np.array([[1, 0, 3], [0, 2, 0]], np.uint16)).tolist()
    [True, True, True]
    """
    touched = np.zeros(int(labels.max(initial=0)) + 1, dtype=bool)
    height, width = labels.shape
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = labels[: height - dy, max(-dx, 0) : width - max(dx, 0)]
        b = labels[dy:, max(dx, 0) : width + min(dx, 0)]
        meet = (a != b) & (a > 0) & (b > 0)
        touched[a[meet]] = True
        touched[b[meet]] = True
    return touched[1:]


def gaps(outlines: list[Floats]) -> Floats:
    """Return for each outline the distance in px to the nearest other; NaN if beyond `FAR`."""
    centres = np.array([outline.mean(axis=0) for outline in outlines]).reshape(-1, 2)
    radii = np.array(
        [np.sqrt(np.max(np.sum((o - c) ** 2, 1))) for o, c in zip(outlines, centres, strict=True)]
    )
    smallest = np.full(len(outlines), np.inf)
    for i in range(len(outlines)):
        apart = np.sqrt(np.sum((centres[i + 1 :] - centres[i]) ** 2, axis=1))
        free = apart - radii[i + 1 :] - radii[i]
        for j in i + 1 + np.argsort(free, kind="stable"):
            bound = free[j - i - 1]
            if bound > FAR or bound > max(smallest[i], smallest[j]):
                break
            between = distance(outlines[i], outlines[j])
            smallest[[i, j]] = np.minimum(smallest[[i, j]], between)
    return np.where(smallest > FAR, np.nan, smallest)


def hidden(outlines: list[Floats], labels: NDArray[np.uint16]) -> Floats:
    """Return the share of each object's pixels in the frame that others hide."""
    visible = np.bincount(labels.ravel(), minlength=len(outlines) + 1)[1:]
    windows = [window_of(o).clipped(labels.shape[0], labels.shape[1]) for o in outlines]
    whole = np.array([contains(o, w).sum() for o, w in zip(outlines, windows, strict=True)])
    shares: Floats = 1 - visible / np.maximum(whole, 1)
    return shares


def object_table(truth: Truth, lights: Mapping[str, Light]) -> pd.DataFrame:
    """Return the table of objects, but for what a data set's writer measures on the labels.

    Lengths are in px of the frame, areas in px², contrast in grey levels. `outline`, `outline_area`
    and `outline_y`, `outline_x` (its centroid) are of the whole object, hidden parts and parts out
    of the frame included; all else is of what is seen. The larger `height` is on top.
    """
    tables = []
    for target, labels in truth.labels.items():
        count = len(truth.outlines[target])
        blank = Light(np.full(count, np.nan), np.full(count, np.nan))
        light = lights.get(target, blank)
        columns = {
            # Types are said because a frame without objects has no values to tell them from.
            "target": pd.Series([target] * count, dtype="str"),
            "label": np.arange(1, count + 1),
            "contrast": np.round(light.contrast, 4),
            "snr": np.round(light.snr, 6),
            "touching": touching(labels),
            "parent": _parents(truth, target),
            **_from_outlines(truth.outlines[target], labels.shape),
            **(_of_nuclei(truth) if target == "nuclei" else {"hidden": np.zeros(count)}),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _from_outlines(outlines: list[Floats], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the columns that follow from the outlines of any target."""
    centres = np.array([centroid(outline) for outline in outlines]).reshape(-1, 2)
    low = np.array([outline.min(axis=0) for outline in outlines]).reshape(-1, 2)
    high = np.array([outline.max(axis=0) for outline in outlines]).reshape(-1, 2)
    crossing = (low < -0.5) | (high > np.array(shape) - 0.5)
    return {
        "border": crossing.any(axis=1),
        "outline_area": np.round(np.array([abs(area(o)) for o in outlines], dtype=float), 4),
        "outline_y": np.round(centres[:, 0], 4),
        "outline_x": np.round(centres[:, 1], 4),
        "outline": pd.Series([outline.ravel() for outline in outlines], dtype=object),
    }


def _of_nuclei(truth: Truth) -> dict[str, Any]:
    """Return the columns that only nuclei have a value in."""
    outlines = truth.outlines["nuclei"]
    return {
        "gap": np.round(gaps(outlines), 4),
        "hidden": np.round(hidden(outlines, truth.labels["nuclei"]), 6),
        "height": np.round(truth.heights, 6),
        "condensed": truth.condensed,
    }


def _parents(truth: Truth, target: str) -> pd.Series:
    """Return the label of the cell that each nucleus lies in; missing where there is none."""
    count = len(truth.outlines[target])
    if target != "nuclei" or "cells" not in truth.numbers:
        return pd.Series([None] * count, dtype="Int64")
    label_of = {number: k + 1 for k, number in enumerate(truth.numbers["cells"])}
    return pd.Series([label_of.get(n) for n in truth.numbers["nuclei"]], dtype="Int64")


def spot_table(spots: SpotList | None, truth: Truth, settings: Settings) -> pd.DataFrame:
    """Return the table of spots in the frame; `object` is the label that lies under a spot."""
    if spots is None or settings.spots is None:
        return pd.DataFrame()
    channel = next((name for name, layers in settings.channels.items() if "spots" in layers), None)
    pixel = np.floor(spots.positions + 0.5).astype(int)
    inside = np.all((pixel >= 0) & (pixel < settings.shape), axis=1)
    target = "cells" if settings.spots.inside in {"cells", "cytoplasm"} else "nuclei"
    under = truth.labels[target][pixel[inside, 0], pixel[inside, 1]]
    return pd.DataFrame(
        {
            "channel": pd.Series([channel] * int(inside.sum()), dtype="str"),
            "y": np.round(spots.positions[inside, 0], 4),
            "x": np.round(spots.positions[inside, 1], 4),
            "photons": np.round(spots.photons[inside], 3),
            "sigma": np.round(spots.sigmas[inside], 5),
            "object": under.astype(np.int64),
        }
    )
