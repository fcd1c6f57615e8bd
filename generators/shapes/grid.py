"""Outlines side by side, as a picture to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from generators.polygons import Window, coverage
from generators.shapes.geometry import moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.polygons import Floats

CELL, DIAMETER, TITLE = 44, 22.0, 15
"""Side of the square that a shape stands in, its median diameter, and height of a title, in px."""


def grid(stacks: Mapping[str, Floats], columns: int = 24) -> Image.Image:
    """Draw the first outlines of each source under its name.

    Parameters
    ----------
    stacks
        By name, (N, V, 2) outlines in units of their median diameter.
    columns
        How many shapes stand in a row; as many rows as there are shapes for.

    Examples
    --------
    >>> square = np.array([[[-0.4, -0.4], [-0.4, 0.4], [0.4, 0.4], [0.4, -0.4]]])
    >>> grid({"squares": np.repeat(square, 4, axis=0)}, columns=2).size
    (88, 103)
    """
    panels = [_panel(name, stack, columns) for name, stack in stacks.items()]
    return Image.fromarray(np.concatenate(panels))


def _panel(name: str, stack: Floats, columns: int) -> NDArray[np.uint8]:
    """Return one source's shapes, dark on white, as (Y, X) uint8."""
    rows = len(stack) // columns
    canvas = Image.new("L", (columns * CELL, TITLE), 255)
    ImageDraw.Draw(canvas).text((3, 1), name, fill=0)
    window = Window(-CELL // 2, -CELL // 2, CELL, CELL)
    centred = stack - moments(stack).centroid[:, None]
    cells = [255 * (1 - 0.75 * coverage(o * DIAMETER - 0.5, window)) for o in centred]
    tiles = np.array(cells[: rows * columns]).reshape(rows, columns, CELL, CELL)
    picture = tiles.transpose(0, 2, 1, 3).reshape(rows * CELL, columns * CELL)
    return np.concatenate([np.asarray(canvas), picture.astype(np.uint8)])
