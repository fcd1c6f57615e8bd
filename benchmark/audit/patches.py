"""Patches of images, as many of every set, in the three ways that a classifier sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from benchmark.audit.sources import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.audit.sources import Source

    Floats = NDArray[np.float32]

SIDE = 64
"""Side of a patch; px."""
BLUR = 2.0
"""Standard deviation of the Gaussian that divides low from high frequencies; px."""
VIEWS = ("raw", "blurred", "high-pass")
MARGIN = 8
"""What is cut off a patch's border after filtering, so that what lies beyond plays no part; px."""


@dataclass(frozen=True)
class Patches:
    """Patches of one set.

    Attributes
    ----------
    values
        (N, SIDE, SIDE) float32, raw.
    image
        (N,) which image of the set each comes from, counted from 0.
    samples
        The ids of those images.
    corners
        (N, 2) their upper left corners, (y, x).
    """

    values: Floats
    image: NDArray[np.int64]
    samples: tuple[str, ...]
    corners: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)


def drawn(source: Source, images: int, each: int, seed: int) -> Patches:
    """Draw patches that hold a part of an object.

    Parameters
    ----------
    source
        Where from. Images without objects or smaller than a patch are passed over.
    images
        From at most so many images, spread evenly.
    each
        How many from each.
    seed
        Which; it does not matter in which order sets are drawn from.
    """
    values: list[Floats] = []
    image: list[int] = []
    samples: list[str] = []
    corners: list[tuple[int, int]] = []
    for sample in spread(source.ids, images):
        plane, labels = source.read(sample)
        inside = np.argwhere(labels > 0)
        if not len(inside) or min(plane.shape) < SIDE:
            continue
        rng = np.random.default_rng([seed, *sample.encode()])
        middles = inside[rng.integers(len(inside), size=each)]
        shifted = middles - SIDE // 2 + rng.integers(-SIDE // 4, SIDE // 4 + 1, (each, 2))
        for y, x in np.clip(shifted, 0, np.array(plane.shape) - SIDE):
            values.append(plane[y : y + SIDE, x : x + SIDE].astype(np.float32))
            corners.append((y, x))
            image.append(len(samples))
        samples.append(sample)
    return Patches(
        np.array(values, np.float32).reshape(-1, SIDE, SIDE),
        np.array(image, np.int64),
        tuple(samples),
        np.array(corners, np.int64).reshape(-1, 2),
    )


def view(values: Floats, name: str) -> Floats:
    """Return patches (N, SIDE, SIDE) as one of `VIEWS`, each of mean 0 and variance 1.

    Brightness and contrast are taken off, since the gain of a camera says nothing about cells.
    """
    standard = _standard(values)
    if name == "raw":
        seen = standard
    else:
        low = ndimage.gaussian_filter(standard, (0, BLUR, BLUR), mode="nearest")
        seen = low if name == "blurred" else standard - low
    inner = slice(MARGIN, -MARGIN)
    return _standard(seen[:, inner, inner])


def _standard(values: Floats) -> Floats:
    mean = values.mean(axis=(1, 2), keepdims=True)
    deviation = values.std(axis=(1, 2), keepdims=True)
    standard: Floats = ((values - mean) / np.maximum(deviation, 1e-6)).astype(np.float32)
    return standard


def levels(patch: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a patch as grey levels for a picture, from its 1st to its 99.7th percentile."""
    low, high = np.percentile(patch, [1, 99.7])
    stretched = np.clip((patch - low) / max(high - low, 1e-6), 0, 1)
    grey: NDArray[np.uint8] = (255 * stretched).round().astype(np.uint8)
    return grey
