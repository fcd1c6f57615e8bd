"""Principal components of aligned distance maps: the baseline that any learned source has to beat.

Never shipped: it keeps every shape that it was fitted to. For the table of `evaluation` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.sparse.linalg import svds
from skimage import measure

from generators.polygons import Floats, Window, area, contains
from generators.shapes.geometry import aligned, counter_clockwise, moments, posed
from generators.shapes.styles import styled

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike

HEIGHT, WIDTH, DIAMETER = 48, 72, 28.0
"""The lattice in px, and the diameter that shapes have on it; the major axis is its width."""


class PcaSource:
    """Distance maps drawn by a kernel density estimate of their principal components.

    Parameters
    ----------
    stack
        (N, V, 2) real outlines in even steps, in units of their median diameter.
    components
        How many principal components are kept.
    bandwidth
        Of the Gaussian kernel, in standard deviations of each component.
    """

    styles: tuple[str, ...] = ("size",)

    def __init__(self, stack: Floats, components: int, bandwidth: float = 0.2) -> None:
        self.name = f"pca-{components}"
        self.bandwidth = bandwidth
        self.sizes = np.log(moments(stack).diameter)
        maps = np.array([_distance_map(outline) for outline in aligned(stack)], np.float32)
        self.mean = maps.mean(axis=0)
        maps -= self.mean
        # Begun at a fixed vector, the iteration gives the same axes every time.
        _, _, axes = svds(maps, components, v0=np.ones(min(maps.shape), np.float32))
        self.axes = axes.T
        self.scores = (maps @ self.axes).astype(np.float64)
        self.deviations = self.scores.std(axis=0)

    def sample(self, n: int, rng: Generator, **style: ArrayLike) -> list[Floats]:
        """Draw outlines; see `ShapeSource.sample`."""
        given = styled(n, style, self.styles)
        chosen = rng.integers(len(self.scores), size=n)
        noise = rng.standard_normal((n, self.deviations.size)) * self.bandwidth
        # Shrunk so that the kernel does not widen the spread.
        scores = (self.scores[chosen] + noise * self.deviations) / np.hypot(1, self.bandwidth)
        maps = (self.mean + scores @ self.axes.T).reshape(n, HEIGHT, WIDTH)
        size = given.get("size", np.exp(self.sizes[rng.integers(self.sizes.size, size=n)]))
        turns = rng.uniform(0, 2 * np.pi, n)
        return [
            posed(_zero_contour(field)[None], size[k], turns[k : k + 1])[0]
            for k, field in enumerate(maps)
        ]


def _distance_map(outline: Floats) -> Floats:
    """Return the signed distance in px to an aligned outline, flattened; positive inside."""
    window = Window(-HEIGHT // 2, -WIDTH // 2, HEIGHT, WIDTH)
    mask = contains(outline * DIAMETER - 0.5, window)
    inside, outside = (ndimage.distance_transform_edt(m) for m in (mask, ~mask))
    signed: Floats = np.where(mask, inside - 0.5, 0.5 - outside).ravel()
    return signed


def _zero_contour(field: Floats) -> Floats:
    """Return the longest contour of a map at zero, about its middle."""
    closed = np.pad(field, 1, constant_values=-1.0)
    contours = measure.find_contours(closed, 0.0)  # type: ignore[no-untyped-call]
    largest: Floats = max(contours, key=lambda contour: abs(area(contour[:-1])))[:-1]
    return counter_clockwise(largest - np.array([HEIGHT, WIDTH]) / 2)
