"""Objects cut out of images and laid over each other: centroid, axis and size taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from benchmark.audit.sources import Source

    Floats = NDArray[np.float32]

HEIGHT, WIDTH = 32, 48
"""The lattice; the major axis lies along its width; px."""
DIAMETER = 24.0
"""Diameter, on the lattice, of a disc of the area that every object is scaled to; px."""
MIN_AREA = 100
"""Smaller objects are all alike; px²."""


@dataclass(frozen=True)
class Cutouts:
    """Aligned objects.

    Attributes
    ----------
    masks
        (N, HEIGHT, WIDTH) float32, 0 or 1.
    textures
        (N, HEIGHT, WIDTH) float32, intensity of mean 0 and norm 1 inside the mask, 0 outside.
    """

    masks: Floats
    textures: Floats

    def __len__(self) -> int:
        return len(self.masks)

    def some(self, count: int) -> Cutouts:
        """Return so many of them, spread evenly."""
        chosen = np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(int)
        return Cutouts(self.masks[chosen], self.textures[chosen])


def cutouts(source: Source, limit: int | None = None) -> Cutouts:
    """Cut out and align every object that is large enough and touches no border."""
    found = [one for _, *pair in source.images(limit) for one in _aligned(*pair)]
    stack = np.array(found, np.float32).reshape(-1, 2, HEIGHT, WIDTH)
    return Cutouts(stack[:, 0], stack[:, 1])


def _aligned(image: NDArray[Any], labels: NDArray[Any]) -> Iterator[Floats]:
    """Yield mask and texture, (2, HEIGHT, WIDTH), of the objects of an image."""
    ids, dense = np.unique(np.append(0, labels), return_inverse=True)
    dense = dense[1:].reshape(labels.shape)
    if ids.size == 1:
        return
    for label, (rows, columns) in enumerate(ndimage.find_objects(dense), start=1):
        inside = rows.start > 0 and columns.start > 0
        height, width = labels.shape
        if not inside or rows.stop >= height or columns.stop >= width:
            continue
        mask = dense[rows, columns] == label
        if np.count_nonzero(mask) >= MIN_AREA:
            yield _on_lattice(image[rows, columns], mask)


def _on_lattice(image: NDArray[Any], mask: NDArray[np.bool_]) -> Floats:
    points = np.argwhere(mask).astype(np.float64)
    centroid = points.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov((points - centroid).T))
    # From the lattice to the object: rows along the minor axis, columns along the major one.
    scale = np.sqrt(4 * len(points) / np.pi) / DIAMETER
    matrix = scale * axes
    middle = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    offset = centroid - matrix @ middle
    shape = (HEIGHT, WIDTH)
    covered = ndimage.affine_transform(
        mask.astype(np.float64), matrix, offset, shape, order=1, prefilter=False
    )
    light = ndimage.affine_transform(
        image.astype(np.float64), matrix, offset, shape, order=1, mode="nearest", prefilter=False
    )
    inside = covered > 0.5
    level = light[inside].mean() if inside.any() else 0.0
    texture = np.where(inside, light - level, 0.0)
    norm = np.sqrt(np.square(texture).sum())
    return np.stack([inside, texture / max(norm, 1e-9)]).astype(np.float32)
