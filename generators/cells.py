"""Cells around nuclei: each takes the ground nearest to its nucleus, out to a smooth radius."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage import measure

from generators.dials import dial
from generators.outlines import HARMONICS
from generators.polygons import snapped
from generators.texture import smooth_noise

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from generators.polygons import Floats
    from generators.seeds import Seed


@dataclass(frozen=True)
class Cells:
    """What the cells round the nuclei are like."""

    reach: float = dial(
        0.45, low=0.05, high=2, unit="diameter", says="median width of the cytoplasm"
    )
    reach_variation: float = dial(
        0.2, low=0, high=1, unit="1", says="standard deviation of ln(width)"
    )
    cell_irregularity: float = dial(
        0.25, low=0, high=1, unit="1", says="relative deviation of that width round a cell"
    )
    cell_brightness_variation: float = dial(
        0.3, low=0, high=2, unit="1", says="standard deviation of ln(brightness)"
    )
    cell_texture: float = dial(
        0.25, low=0, high=1.5, unit="1", says="standard deviation of ln(light) inside a cell"
    )
    membrane: float = dial(
        0.5, low=0, high=10, unit="1", says="light of the rim, over that of the cytoplasm"
    )
    nucleus_shadow: float = dial(
        0.4, low=0, high=1, unit="1", says="share of the cytoplasm's light missing over the nucleus"
    )


@dataclass(frozen=True)
class Grown:
    """Cells on a canvas.

    Attributes
    ----------
    labels
        (Y, X) int32: the cell of each pixel, numbered as its nucleus is; 0 is none.
    edge
        (Y, X) float64: distance in px to the free rim of the nearest cell, negative inside.
    levels
        (N + 1,) float64: the brightness of each cell by its number.
    """

    labels: NDArray[np.int32]
    edge: Floats
    levels: Floats


def _reach(angle: Floats, width: float, cells: Cells, rng: Generator) -> Floats:
    """Return the width of one cell's cytoplasm in px at each angle."""
    level = np.exp(cells.reach_variation * rng.standard_normal())
    harmonics = np.concatenate([[1], HARMONICS[:4]])
    weights = rng.standard_normal((2, harmonics.size)) / harmonics
    weights *= cells.cell_irregularity / np.sqrt(np.sum(1 / harmonics**2))
    phases = harmonics[:, None] * angle
    wave = np.sum(weights[0][:, None] * np.cos(phases) + weights[1][:, None] * np.sin(phases), 0)
    widths: Floats = width * level * np.exp(wave)
    return widths


def grow(
    nuclei: NDArray[np.int32], centres: Floats, diameter: float, cells: Cells, seeds: list[Seed]
) -> Grown:
    """Grow a cell round each nucleus of a canvas.

    Parameters
    ----------
    nuclei
        (Y, X) int32, the nuclei that are seen, numbered from 1.
    centres
        (N, 2) the centre (y, x) of each nucleus in px of the canvas.
    diameter
        Median diameter of the nuclei in px.
    cells
        What the cells are like.
    seeds
        The stream of each cell.
    """
    edge, labels = np.full(nuclei.shape, np.inf), np.zeros_like(nuclei)
    levels = np.zeros(len(centres) + 1)
    if len(centres) == 0:
        return Grown(labels, edge, levels)
    distance, nearest = ndimage.distance_transform_edt(nuclei == 0, return_indices=True)
    owner = nuclei[nearest[0], nearest[1]]
    for number, where in enumerate(ndimage.find_objects(owner), start=1):
        rng = seeds[number - 1].generator()
        levels[number] = np.exp(cells.cell_brightness_variation * rng.standard_normal())
        mine = np.nonzero(owner[where] == number)
        y = mine[0] + where[0].start - centres[number - 1, 0]
        x = mine[1] + where[1].start - centres[number - 1, 1]
        width = _reach(np.arctan2(y, x), cells.reach * diameter, cells, rng)
        # The edge of a nucleus lies half a pixel before the centre of its first pixel.
        edge[where][mine] = distance[where][mine] - 0.5 - width
        inside = np.zeros(owner[where].shape, dtype=bool)
        inside[mine] = edge[where][mine] < 0
        # The rim may fold back on itself far out: only the piece that holds the nucleus is a cell.
        pieces, _ = ndimage.label(inside)
        piece = pieces[nuclei[where] == number]
        kept = inside & (pieces == piece[0])
        edge[where][inside & ~kept] = 1.0
        labels[where][kept] = number
    return Grown(labels, edge, levels)


def outline(grown: Grown, number: int, pad: int) -> Floats:
    """Return the outline of a cell in px of the frame: sub-pixel along free rims.

    Its rasterisation is the label exactly: the contour runs between the pixel centres inside and
    those outside.
    """
    rows, columns = np.nonzero(grown.labels == number)
    y0, x0 = max(rows.min() - 1, 0), max(columns.min() - 1, 0)
    block = (slice(y0, rows.max() + 2), slice(x0, columns.max() + 2))
    own = grown.labels[block] == number
    level = np.where(own, np.clip(grown.edge[block], -0.5, -0.02), 0.5)
    free = ~own & (grown.labels[block] == 0)
    level[free] = np.clip(grown.edge[block][free], 0.02, 0.5)
    contours: list[Floats] = measure.find_contours(np.pad(level, 1, constant_values=0.5), 0.0)  # type: ignore[no-untyped-call]
    # Kept 0.02 off the zero level above, the contour stays between pixel centres when snapped.
    longest = max(contours, key=len)[:-1]
    return snapped(longest + np.array([y0 - 1 - pad, x0 - 1 - pad]))


def light(
    grown: Grown, nuclei: NDArray[np.int32], diameter: float, cells: Cells, rng: Generator
) -> Floats:
    """Return the light of all cells, 1 being the level of a median cell's cytoplasm."""
    owner = grown.labels
    texture = smooth_noise((owner.shape[0], owner.shape[1]), max(0.08 * diameter, 0.7), rng)
    body = np.exp(cells.cell_texture * texture)
    body = body * np.where(nuclei > 0, 1 - cells.nucleus_shadow, 1.0)
    rim = ndimage.minimum_filter(owner, 3) != ndimage.maximum_filter(owner, 3)
    body = body + cells.membrane * rim
    cover = np.clip(0.5 - grown.edge, 0, 1) * (owner > 0)
    total: Floats = grown.levels[owner] * body * cover
    return total
