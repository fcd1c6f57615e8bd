"""Real images to learn from: what is seen, where the objects are, what they are like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from benchmark.dataset.digest import array_digest, json_digest
from benchmark.errors import BenchError
from generators.painting import codes as code
from generators.painting.conditioning import Geometry, assembled
from generators.painting.edges import Edges, displacement, edges, retreat
from generators.painting.noise import Noise
from generators.painting.scale import Scale
from generators.seeds import Seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.dataset import Dataset
    from generators.polygons import Floats

VARIANTS = 4096
"""Places and turns of a crop that each image gives, drawn from all."""


_INSIDE = 3.5
"""Px from the outline from which on texture is compared: there the edge is all but over."""


@dataclass(frozen=True)
class Example:
    """A real image.

    Attributes
    ----------
    seen
        (Y, X) float32, as networks see it.
    geometry
        Of its labels, outlines moved to the light's edges.
    ground
        (Y, X) float32, smooth.
    codes
        (N + 1, K) by label.
    edges
        Where the light's edges were found, against the labels.
    noise
        Of its camera.
    """

    seen: NDArray[np.float32]
    geometry: Geometry
    ground: NDArray[np.float32]
    codes: Floats
    edges: Edges
    noise: Noise


@dataclass(frozen=True)
class Crops:
    """Parts of real images, N of S by S pixels.

    Attributes
    ----------
    seen
        (N, 1, S, S) float32.
    maps
        (N, C, S, S) float32.
    objects
        (N, S, S) int64, numbered through all of the crops: pixels well inside; 0 elsewhere.
    noise
        (4, N, 1, 1, 1) float32: gain, black, floor and unevenness.
    """

    seen: NDArray[np.float32]
    maps: NDArray[np.float32]
    objects: NDArray[np.int64]
    noise: NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """Real images.

    Attributes
    ----------
    images
        All of them.
    scale, noise
        What is common to them.
    step
        Between grey levels, where that is as much as some of the noise; else 0.
    digest
        SHA-256 of images and labels.
    """

    images: list[Example]
    scale: Scale
    noise: Noise
    step: float
    digest: str

    @property
    def count(self) -> int:
        """How many numbers there are of crops."""
        return len(self.images) * VARIANTS

    @cached_property
    def bank(self) -> code.Bank:
        """Codes of the objects of each image."""
        return code.Bank.of(
            [one.geometry.labels for one in self.images],
            [one.ground for one in self.images],
            [one.codes for one in self.images],
        )

    @property
    def bias(self) -> float:
        """Px by which annotators drew too large: the median over all edges."""
        shifts = np.concatenate([np.zeros(0), *(one.edges.shifts for one in self.images)])
        return -float(np.median(shifts)) if shifts.size else 0.0

    def crops(self, numbers: NDArray[np.intp], size: int) -> Crops:
        """Return crops by number: of which image, where, turned and mirrored how follow from it."""
        parts = [self._crop(int(number), size) for number in numbers]
        objects, seen = [], 0
        for _, _, own in parts:
            _, again = np.unique(own, return_inverse=True)
            again = again.reshape(own.shape) + (0 if (own == 0).any() else 1)
            objects.append(np.where(again > 0, again + seen, 0))
            seen += int(again.max())
        return Crops(
            np.stack([part[0] for part in parts])[:, None],
            np.stack([part[1] for part in parts]),
            np.stack(objects).astype(np.int64),
            self._noise(numbers),
        )

    def _noise(self, numbers: NDArray[np.intp]) -> NDArray[np.float32]:
        own = [self.images[int(number) % len(self.images)].noise for number in numbers]
        rows = [[noise.gain, noise.black, noise.floor, noise.uneven] for noise in own]
        return np.array(rows, np.float32).T.reshape(4, -1, 1, 1, 1)

    def _crop(
        self, number: int, size: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        example = self.images[number % len(self.images)]
        rng = Seed.root(0).at("crop", number).generator()
        height, width = example.seen.shape
        y, x = (int(rng.random() * (n - size + 1)) for n in (height, width))
        turns, mirrored = int(rng.integers(4)), rng.random() < 0.5

        def taken(array: NDArray[np.float32]) -> NDArray[np.float32]:
            part = np.rot90(array[y : y + size, x : x + size], turns)
            return np.ascontiguousarray(part[:, ::-1] if mirrored else part)

        geometry = Geometry(
            taken(example.geometry.labels),
            taken(example.geometry.signed),
            taken(example.geometry.between),
            taken(np.broadcast_to(np.float32(example.geometry.retreat), example.seen.shape)),
        )
        own = np.minimum(geometry.signed, geometry.between)
        objects = np.where(own > _INSIDE, geometry.labels, 0).astype(np.int64)
        maps = assembled(geometry, example.codes, taken(example.ground))
        return taken(example.seen), maps, objects


def read(
    dataset: Dataset, split: str | None, target: str | None, size: int, *, own: bool = False
) -> Examples:
    """Read the images of a split.

    Parameters
    ----------
    dataset
        Whose first channel is learned.
    split
        None: all images.
    target
        Which labels; None: the first.
    size
        Px of the crops that are wanted; smaller images are left out.
    own
        Whether each image has its own noise and sharpness.

    Raises
    ------
    BenchError
        No image is large enough, or none has an object.
    """
    target = target or dataset.manifest.targets[0]
    ids = dataset.ids(split)
    raw = [(dataset.read_image(one)[0], dataset.read_labels(one, target)) for one in ids]
    raw = [(image, labels) for image, labels in raw if min(image.shape) >= size]
    if not any(labels.any() for _, labels in raw):
        raise BenchError(
            f"no image of {size} px or more has an object to learn from",
            where=dataset.path,
            mend="choose another --split, or a smaller --crop",
        )
    scale = Scale.of(*_levels(raw))
    noise = Noise.fit(image for image, _ in raw)
    return Examples(
        [_example(image, labels, scale, noise, own=own) for image, labels in raw],
        scale,
        noise,
        1.0 if raw[0][0].dtype.itemsize == 1 else 0.0,
        json_digest([[array_digest(image), array_digest(labels)] for image, labels in raw]),
    )


def _levels(raw: list[tuple[NDArray[np.uint16], NDArray[np.uint16]]]) -> tuple[float, float]:
    """Return typical grey levels of ground and objects: medians over images of their medians."""
    with_both = [(i, lab > 0) for i, lab in raw if 0 < np.count_nonzero(lab) < lab.size]
    return (
        float(np.median([np.median(image[~inside]) for image, inside in with_both])),
        float(np.median([np.median(image[inside]) for image, inside in with_both])),
    )


def _example(
    image: NDArray[np.uint16], labels: NDArray[np.uint16], scale: Scale, noise: Noise, *, own: bool
) -> Example:
    """Measure an image."""
    drawn = Geometry.of(labels)
    found = edges(image, drawn)
    moved = drawn.signed - displacement(found, (image.shape[0], image.shape[1]))
    dark = float(np.median(image[labels == 0])) if (labels == 0).any() else float(image.min())
    ends = retreat(image, drawn, dark)
    geometry = Geometry(labels, moved.astype(np.float32), drawn.between, ends)
    seen = scale.seen(image)
    codes = code.measured(seen, geometry)
    if own:
        noise, codes = Noise.fit([image]), code.with_sharpness(codes, found.width)
    return Example(
        seen.astype(np.float32),
        geometry,
        code.ground(seen, geometry).astype(np.float32),
        codes,
        found,
        noise,
    )
