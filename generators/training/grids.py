"""Pictures side by side, as one picture to look at."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmark.files import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_WIDTH = 768  # px, about, of a grid


def layout(resolution: int) -> tuple[int, int]:
    """Return how many rows and columns of pictures a grid has.

    Examples
    --------
    >>> layout(32), layout(100), layout(256)
    ((8, 16), (3, 6), (2, 4))
    """
    rows = min(max(_WIDTH // resolution // 2, 2), 8)
    return rows, 2 * rows


def grid(pictures: NDArray[np.float32], columns: int) -> Image.Image:
    """Lay pictures out in rows.

    Parameters
    ----------
    pictures
        (N, C, S, S), of 1 or 3 channels, black at -1 and white at 1; beyond is cut.
    columns
        Pictures in a row; what does not fill a row is left out.

    Examples
    --------
    >>> grid(np.zeros((8, 1, 16, 16), np.float32), columns=4).size
    (64, 32)
    """
    n, channels, height, width = pictures.shape
    rows = n // columns
    tiles = pictures[: rows * columns].reshape(rows, columns, channels, height, width)
    plane = tiles.transpose(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
    grey = np.clip(np.rint((plane + 1) * 127.5), 0, 255).astype(np.uint8)
    return Image.fromarray(grey[..., 0] if channels == 1 else grey)


def write(path: Path, pictures: NDArray[np.float32]) -> None:
    """Write the grid of pictures (N, C, S, S) as a PNG file."""
    _, columns = layout(pictures.shape[-1])
    file = io.BytesIO()
    grid(pictures, min(columns, len(pictures))).save(file, format="png")
    write_bytes(path, file.getvalue())
