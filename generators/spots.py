"""Fluorescent spots: sub-pixel Gaussians, integrated over each pixel, counted in photons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from generators.dials import dial, word

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from generators.polygons import Floats
    from generators.seeds import Seed

REACH = 5.0
"""A spot is drawn to this many sigmas: what is left out is 6e-7 of its photons."""
ANALYTIC = "analytic"
LEARNED = ("spots",)
"""Painters of spots that are shipped: see `generators.spottexture`."""


@dataclass(frozen=True)
class Spots:
    """How many spots there are, where, how bright and how wide."""

    painter: str = word(
        ANALYTIC,
        options=(ANALYTIC, *LEARNED),
        files=".safetensors",
        says="Gaussians, or the light of real spots, see `docs/painting-spots.md`",
    )

    inside: str = word(
        "nuclei",
        options=("nuclei", "cells", "cytoplasm", "anywhere"),
        says="what the spots lie in; cytoplasm is cells without their nuclei",
    )
    counts: str = word(
        "poisson",
        options=("poisson", "fixed", "geometric"),
        says="distribution of the number in an object about its mean",
    )
    cloud_form: str = word(
        "turned",
        options=("turned", "cellgen-round", "cellgen-stretched"),
        says="turned at random, or one of the two forms of CellGen",
    )
    cloud_centres: str = word(
        "drawn",
        options=("drawn", "fixed"),
        says="anew in every scene, or the same in all, as in CellGen, wherever objects lie",
    )
    combine: str = word(
        "photons",
        options=("photons", "saturating"),
        says="add light before the camera, or grey levels after it as CellGen does",
    )
    spots_per_object: float = dial(
        6, low=0, high=2000, unit="1", says="mean number of spots or clouds in an object"
    )
    spots_per_megapixel: float = dial(
        500, low=0, high=1e5, unit="1/Mpx", says="mean number of spots or clouds, where anywhere"
    )
    spot_photons: float = dial(
        400, low=1, high=1e7, unit="photons", says="median number of photons from a spot"
    )
    spot_photons_variation: float = dial(
        0.3, low=0, high=2, unit="1", says="standard deviation of ln(photons)"
    )
    spot_sigma: float = dial(
        1.2, low=0.2, high=20, unit="px", says="median standard deviation of a spot's Gaussian"
    )
    spot_sigma_variation: float = dial(
        0.05, low=0, high=1, unit="1", says="standard deviation of ln(width)"
    )
    clouds: float = dial(
        0, low=0, high=1, unit="1", says="share of positions that hold a cloud, not a single spot"
    )
    cloud_spots: float = dial(12, low=1, high=500, unit="1", says="mean number of spots in a cloud")
    cloud_radius: float = dial(
        3, low=0, high=100, unit="px", says="standard deviation of a round cloud's spots"
    )
    cloud_elongation: float = dial(
        1, low=1, high=20, unit="1", says="ratio of a cloud's long to its short axis; 1 is round"
    )


class SpotList(NamedTuple):
    """Spots of a scene: positions (N, 2) in px, photons (N,), sigmas (N,) in px."""

    positions: Floats
    photons: Floats
    sigmas: Floats


CELLGEN_STRETCH = np.array([[-5.0, 2.0], [5.0, 0.0]])
"""The matrix by which CellGen's `Points.py` stretches rows (x, y) of standard normal variates: one
direction, of covariance [[50, -10], [-10, 4]]."""


def _counts(spots: Spots, objects: int, rng: Generator) -> NDArray[np.int64]:
    mean = spots.spots_per_object
    match spots.counts:
        case "fixed":
            return np.full(objects, round(mean), dtype=np.int64)
        case "geometric":
            return rng.geometric(1 / (1 + mean), objects) - 1
        case _:
            return rng.poisson(mean, objects)


def _centres(spots: Spots, labels: NDArray[np.integer], rng: Generator) -> Floats:
    """Return where spots and clouds sit: anywhere within the pixels chosen."""
    if spots.inside == "anywhere":
        number = rng.poisson(spots.spots_per_megapixel * labels.size / 1e6)
        return rng.random((number, 2)) * labels.shape - 0.5
    order = np.argsort(labels, axis=None, kind="stable")
    ids, starts, sizes = np.unique(labels.ravel()[order], return_index=True, return_counts=True)
    starts, sizes = starts[ids > 0], sizes[ids > 0]
    owner = np.repeat(np.arange(sizes.size), _counts(spots, sizes.size, rng))
    pick = starts[owner] + np.floor(rng.random(owner.size) * sizes[owner]).astype(np.intp)
    pixels = np.stack(np.unravel_index(order[pick], labels.shape), axis=1)
    return pixels + rng.random((owner.size, 2)) - 0.5


def _as_cloud(centre: Floats, spots: Spots, rng: Generator) -> Floats:
    """Return the positions of a cloud, a Gaussian: turned at random, or in a form of CellGen.

    CellGen's round form has the identity for covariance, its stretched form is standard normal
    variates times `CELLGEN_STRETCH`; the units of both are multiplied by `cloud_radius`.
    """
    members = rng.standard_normal((1 + rng.poisson(spots.cloud_spots - 1), 2))
    if spots.cloud_form != "turned":
        if spots.cloud_form == "cellgen-stretched":
            members = (members @ CELLGEN_STRETCH)[:, ::-1]
        moved: Floats = centre + spots.cloud_radius * members
        return moved
    stretch = np.sqrt(spots.cloud_elongation)
    members = members * spots.cloud_radius * np.array([1 / stretch, stretch])
    turn = rng.uniform(0, np.pi)
    along = np.array([np.sin(turn), np.cos(turn)])
    across = np.array([np.cos(turn), -np.sin(turn)])
    placed: Floats = centre + members[:, :1] * across + members[:, 1:] * along
    return placed


def fixed_centres(spots: Spots, shape: tuple[int, int], seed: Seed) -> Floats:
    """Return centres that every scene of one size and recipe shares.

    Parameters
    ----------
    spots
        Their number is what `spots_per_megapixel` comes to.
    shape
        Height and width of the frame in px.
    seed
        A stream that all scenes share.
    """
    number = round(spots.spots_per_megapixel * shape[0] * shape[1] / 1e6)
    return seed.generator().random((number, 2)) * shape - 0.5


def scatter(
    spots: Spots, labels: NDArray[np.integer], rng: Generator, centres: Floats | None = None
) -> SpotList:
    """Draw the spots of a scene.

    Parameters
    ----------
    spots
        How many there are, where, how bright and how wide.
    labels
        (Y, X) the objects that they lie in; 0 is none.
    rng
        The stream of this scene's spots.
    centres
        (N, 2) where spots and clouds sit, if not to be drawn.
    """
    places = []
    for centre in _centres(spots, labels, rng) if centres is None else centres:
        cloud = rng.random() < spots.clouds
        places.append(_as_cloud(centre, spots, rng) if cloud else centre[None])
    positions = np.concatenate([np.zeros((0, 2)), *places])
    spread = rng.standard_normal((2, len(positions)))
    photons = spots.spot_photons * np.exp(spots.spot_photons_variation * spread[0])
    sigmas = spots.spot_sigma * np.exp(spots.spot_sigma_variation * spread[1])
    return SpotList(positions, photons, sigmas)


def _profile(centre: float, sigma: float, low: int, high: int) -> Floats:
    """Return the share of a 1-D Gaussian in each of the pixels low to high - 1."""
    edges = (np.arange(low, high + 1) - 0.5 - centre) / (sigma * np.sqrt(2.0))
    shares: Floats = np.diff(special.erf(edges)) / 2
    return shares


def draw(spots: SpotList, shape: tuple[int, int]) -> Floats:
    """Return the expected photons in each pixel: the Gaussians integrated over it, not sampled.

    Examples
    --------
    >>> one = SpotList(np.array([[8.0, 8.0]]), np.array([1000.0]), np.array([1.0]))
    >>> image = draw(one, (17, 17))
    >>> round(float(image.sum()), 2), round(float(image[8, 8]), 2)
    (1000.0, 146.63)
    """
    image = np.zeros(shape)
    for (y, x), photons, sigma in zip(*spots, strict=True):
        reach = REACH * sigma + 0.5
        y0, y1 = max(int(np.floor(y - reach)), 0), min(int(np.ceil(y + reach)) + 1, shape[0])
        x0, x1 = max(int(np.floor(x - reach)), 0), min(int(np.ceil(x + reach)) + 1, shape[1])
        if y0 < y1 and x0 < x1:
            rows, columns = _profile(y, sigma, y0, y1), _profile(x, sigma, x0, x1)
            image[y0:y1, x0:x1] += photons * rows[:, None] * columns[None, :]
    return image
