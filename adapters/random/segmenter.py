"""The control for chance: discs that know nothing of the image but its size."""

from __future__ import annotations

import zlib
from typing import Any, Dict

import numpy as np

# Radius of a nucleus in pixels at common magnifications, and the share of the image covered.
_RADIUS = (6.0, 16.0)
_COVERED = (0.05, 0.3)


class Segmenter:
    """Draws discs; the image decides only the seed, so the same image gets the same discs."""

    def __init__(self, model: str, parameters: Dict[str, Any], device: str) -> None:
        pass

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return labels (Y, X) of random discs; later ones lie on top."""
        rng = np.random.default_rng(zlib.crc32(np.ascontiguousarray(image).data))
        height, width = image.shape[1:]
        labels = np.zeros((height, width), np.uint32)
        wanted = rng.uniform(*_COVERED) * height * width
        covered = 0.0
        while covered < wanted:
            radius = rng.uniform(*_RADIUS)
            y, x = rng.uniform(0, height), rng.uniform(0, width)
            top, left = max(0, int(y - radius)), max(0, int(x - radius))
            window = labels[top : int(y + radius) + 1, left : int(x + radius) + 1]
            rows, columns = np.ogrid[: window.shape[0], : window.shape[1]]
            window[(rows + top - y) ** 2 + (columns + left - x) ** 2 <= radius**2] = (
                labels.max() + 1
            )
            covered += np.pi * radius**2
        return labels
