"""Real spots to learn from: crops with them, the same without, and what is known of each spot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmark.dataset.digest import array_digest, json_digest
from benchmark.errors import DatasetError
from generators.painting.noise import Noise
from generators.seeds import Seed
from generators.spottexture import ground
from generators.spottexture.fitting import Fitted, fit, further

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.polygons import Floats
    from generators.spottexture.reading import Field

SIZE = 32
"""Height and width of a crop in px."""
VARIANTS = 64
"""Places and turns of a crop that each spot gives."""
FEWEST = 20
"""Spots that an image must have to be learned from."""
_GROUNDS = 4  # drawn for each image
_JITTER = 5  # px from the middle of a crop to its spot
_OUT = 5.5  # spot widths from a crop beyond which spots do not matter
_STEEP = 8.0  # of the logarithm-like curve that shows dim light


@dataclass(frozen=True)
class Example:
    """A real image and its spots.

    Attributes
    ----------
    image
        (Y, X) float64 grey levels.
    spots
        Those that are learned from.
    clean, low
        (V, Y, X): the image without them, with other ground in their places; its smooth ground.
    peak
        Grey levels of the median spot's middle above the ground.
    noise
        Of its camera.
    """

    image: Floats
    spots: Fitted
    clean: Floats
    low: Floats
    peak: float
    noise: Noise


class Crops(NamedTuple):
    """Parts of real images, N of S by S pixels, with M spots in and near them.

    Attributes
    ----------
    real, clean
        (N, S, S) float32, in peaks above the ground: as it is, and without spots.
    lowest, gain
        (N, S, S) and (N,) float32: no light at all; variance of noise a unit of light, in peaks.
    crop, kind
        (M,) int64: which crop each spot belongs to, of which image it is.
    positions, light, sigmas, stretch
        (M, 2), (M,), (M,), (M, 2) float32, as in `Fitted`; light in peaks.
    """

    real: NDArray[np.float32]
    clean: NDArray[np.float32]
    lowest: NDArray[np.float32]
    gain: NDArray[np.float32]
    crop: NDArray[np.int64]
    kind: NDArray[np.int64]
    positions: NDArray[np.float32]
    light: NDArray[np.float32]
    sigmas: NDArray[np.float32]
    stretch: NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """Real images with spots.

    Attributes
    ----------
    names
        Of the images.
    images
        All of them.
    digest
        SHA-256 of images and points.
    """

    names: tuple[str, ...]
    images: tuple[Example, ...]
    digest: str

    @property
    def spots(self) -> int:
        """How many spots there are to learn from."""
        return sum(len(one.spots.light) for one in self.images)

    @property
    def count(self) -> int:
        """How many numbers there are of crops."""
        return self.spots * VARIANTS

    def crops(self, numbers: NDArray[np.intp]) -> Crops:
        """Return crops by number: round which spot, turned and mirrored how follow from it."""
        parts = [self._crop(k, int(number)) for k, number in enumerate(numbers)]
        pictures = [np.stack([part[k] for part in parts]) for k in range(4)]
        spots = [np.concatenate([part[k] for part in parts]) for k in range(4, 10)]
        crop, kind, *known = spots
        real, clean, lowest, gain = (part.astype(np.float32) for part in pictures)
        positions, light, sigmas, stretch = (part.astype(np.float32) for part in known)
        return Crops(
            real,
            clean,
            lowest,
            gain,
            crop.astype(np.int64),
            kind.astype(np.int64),
            positions,
            light,
            sigmas,
            stretch,
        )

    def _crop(self, crop: int, number: int) -> tuple[NDArray[Any], ...]:
        """Return what `Crops` has of one crop."""
        variant, spot = divmod(number, self.spots)
        kind = 0
        while spot >= len(self.images[kind].spots.light):
            spot -= len(self.images[kind].spots.light)
            kind += 1
        example = self.images[kind]
        rng = Seed.root(0).at("crop", number).generator()
        limits = np.array(example.image.shape) - SIZE
        jitter = rng.integers(-_JITTER, _JITTER + 1, 2)
        corner = np.rint(example.spots.positions[spot]).astype(int) - SIZE // 2 + jitter
        corner = np.clip(corner, 0, limits)
        box = slice(corner[0], corner[0] + SIZE), slice(corner[1], corner[1] + SIZE)
        turns, mirrored = variant % 4, variant // 4 % 2 == 1
        version = variant // 8 % len(example.clean)
        low = example.low[version][box]

        def taken(picture: Floats) -> Floats:
            part = np.rot90((picture - low) / example.peak, turns)
            return np.ascontiguousarray(part[:, ::-1] if mirrored else part)

        away = _OUT * example.spots.sigmas[:, None]
        at = example.spots.positions - corner
        there = np.all((at > -away) & (at < SIZE - 1 + away), axis=1)
        positions, stretch = _turned(
            at[there], example.spots.stretch[there], turns, mirrored=mirrored
        )
        return (
            taken(example.image[box]),
            taken(example.clean[version][box]),
            taken(np.full((SIZE, SIZE), example.image.min())),
            np.array(example.noise.gain / example.peak),
            np.full(len(positions), crop),
            np.full(len(positions), kind),
            positions,
            example.spots.light[there] / example.peak,
            example.spots.sigmas[there],
            stretch,
        )


def _turned(
    positions: Floats, stretch: Floats, turns: int, *, mirrored: bool
) -> tuple[Floats, Floats]:
    """Return positions in a crop, and stretches, as `np.rot90` turns pixels."""
    y, x, (a, b) = positions[:, 0], positions[:, 1], stretch.T
    for _ in range(turns):
        y, x, a, b = SIZE - 1 - x, y, -a, -b
    if mirrored:
        x, b = SIZE - 1 - x, -b
    return np.stack([y, x], axis=1), np.stack([a, b], axis=1)


def seen(peaks: Floats) -> Floats:
    """Return what networks see of light in peaks: straight near 0, a logarithm further up.

    Examples
    --------
    >>> seen(np.array([0.0, 0.05, 1.0])).round(3).tolist()
    [0.0, 0.14, 1.0]
    """
    curve: Floats = np.arcsinh(_STEEP * peaks) / np.arcsinh(_STEEP)
    return curve


def measure(field: Field, seed: Seed) -> Example | None:
    """Fit the spots of an image; None where too few are clear.

    Points are moved to where the light is. Spots that nobody marked, but as bright, count too:
    else some would come from nowhere.
    """
    image = field.image.astype(np.float64)
    first = fit(image, field.points)
    if first.clean.sum() < FEWEST or min(image.shape) < SIZE:
        return None
    more = further(image, first.some(first.clean))
    every = fit(image, np.concatenate([first.positions, more]))
    spots, others = every.some(every.clean), every.some(~every.clean)
    width = float(np.median(spots.sigmas))
    grounds = [
        ground.without(
            image, spots.positions, others.positions, width, seed.at("ground", k).generator()
        )
        for k in range(_GROUNDS)
    ]
    return Example(
        image,
        spots,
        np.stack([clean for clean, _ in grounds]),
        np.stack([low for _, low in grounds]),
        float(np.median(spots.peaks)),
        Noise.fit([image]),
    )


def examples_of(fields: Sequence[Field]) -> Examples:
    """Measure images.

    Raises
    ------
    DatasetError
        None has enough clear spots.
    """
    found = [(field, measure(field, Seed.root(0).at(field.name))) for field in fields]
    good = [(field.name, one) for field, one in found if one is not None]
    if not good:
        raise DatasetError(
            f"no image of {SIZE} px or more has {FEWEST} spots that stand out clearly",
            where=fields[0].name,
            mend="check that points are rows and columns in px of the images",
        )
    digest = json_digest(
        [[array_digest(field.image), array_digest(field.points)] for field, _ in found]
    )
    return Examples(tuple(name for name, _ in good), tuple(one for _, one in good), digest)
