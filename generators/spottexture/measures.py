"""Painted spots beside real ones: width, brightness, form, place, and power by frequency."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from generators.seeds import Seed
from generators.spots import SpotList, draw
from generators.spottexture.fitting import fit
from generators.spottexture.painter import SpotPainter

if TYPE_CHECKING:
    from generators.polygons import Floats
    from generators.spottexture.examples import Example
    from generators.spottexture.files import StoredSpots
    from generators.spottexture.fitting import Fitted

BANDS = np.array([1, 2, 3, 4, 6, 8, 11, 14, 16.5])
"""Limits of bands of frequency, in cycles over a crop of 32 px."""
APART = 32
"""Px between spots that are painted to be measured by themselves."""


def spectrum(crops: Floats) -> Floats:
    """Return the mean power of crops (N, S, S) in bands of frequency, by `BANDS`.

    A Hann window takes the border out; the mean of each crop counts for nothing.

    Examples
    --------
    >>> waves = np.cos(2 * np.pi * 5 * np.arange(32) / 32) * np.ones((1, 32, 32))
    >>> int(np.argmax(spectrum(waves)))  # 5 cycles lie between 4 and 6
    3
    """
    size = crops.shape[-1]
    window = np.hanning(size)
    flat = (crops - crops.mean(axis=(1, 2), keepdims=True)) * window[:, None] * window
    power = (np.abs(np.fft.fft2(flat)) ** 2).mean(axis=0)
    at = np.fft.fftfreq(size) * size
    band = np.digitize(np.hypot(at[:, None], at), BANDS) - 1
    means = [power[band == k].mean() for k in range(len(BANDS) - 1)]
    return np.array(means)


class Alone(NamedTuple):
    """Painted spots far from each other, in the dark, without noise.

    Attributes
    ----------
    asked, found
        What was asked for, and Gaussians fitted to what was painted; spot by spot.
    centroids
        (N, 2) px, of the light about each.
    light
        (N,) sum of the light about each.
    """

    asked: SpotList
    found: Fitted
    centroids: Floats
    light: Floats


def alone(painter: SpotPainter, kind: int, sigma: float, seed: Seed, count: int = 64) -> Alone:
    """Paint spots by themselves and measure them.

    Parameters
    ----------
    painter
        Who paints them.
    kind
        Like the spots of which of its images.
    sigma
        Their width in px.
    seed
        Of their places, and of what they look like.
    count
        How many, at most: those that a Gaussian cannot be fitted to are left out.
    """
    apart = max(APART, int(np.ceil(20 * sigma)))
    side = int(np.ceil(np.sqrt(count)))
    tiles = np.argwhere(np.ones((side, side)))[:count] * apart
    away = seed.at("places").generator().random((count, 2)) - 0.5
    positions = tiles + apart // 2 + away
    asked = SpotList(positions, np.full(count, 1000.0), np.full(count, sigma))
    picture = painter.paint(asked, (side * apart, side * apart), seed, kind=kind)
    found = fit(picture, positions)
    owner = (found.positions // apart).astype(int) @ np.array([side, 1])
    centroids, light = np.zeros((count, 2)), np.zeros(count)
    at = np.arange(apart)
    for k, (y, x) in enumerate(tiles):
        own = picture[y : y + apart, x : x + apart]
        light[k] = own.sum()
        centroids[k] = y + own.sum(axis=1) @ at / light[k], x + own.sum(axis=0) @ at / light[k]
    return Alone(SpotList(*(p[owner] for p in asked)), found, centroids[owner], light[owner])


def about(example: Example) -> dict[str, float]:
    """Return what a recipe may want to know of real spots: medians and deviations, plain values."""
    spots = example.spots
    return {
        "spots": len(spots.light),
        "sigma (px)": round(float(np.median(spots.sigmas)), 4),
        "deviation of ln(sigma)": round(_spread(np.log(spots.sigmas)), 4),
        "deviation of ln(light)": round(_spread(np.log(spots.light)), 4),
        "misfit": round(float(np.median(spots.misfit)), 4),
    }


def _spread(values: Floats) -> float:
    """Return a standard deviation that the few far away do not matter to."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def put_right(stored: StoredSpots) -> StoredSpots:
    """Return a painter whose spots are as wide as asked, on the median of fitted Gaussians."""
    for _ in range(2):  # what a pixel and a halo do to a fit is no matter of scale alone
        kinds = []
        for number, kind in enumerate(stored.kinds):
            seed = Seed.root(0).at("calibration", number)
            made = alone(SpotPainter(stored), number, kind.about["sigma (px)"], seed)
            width = kind.width * float(np.median(made.found.sigmas / made.asked.sigmas))
            share = float(np.median(made.found.light / made.light))
            kinds.append(replace(kind, width=round(width, 4), share=round(share, 4)))
        stored = replace(stored, kinds=tuple(kinds))
    return stored


def looks(painter: SpotPainter, kind: int, example: Example) -> dict[str, float]:
    """Measure painted spots by themselves against the real ones of an image.

    Returns
    -------
    dict
        `width`: how far the median fitted width is from what was asked, as a share. `place`: median
        px from the position asked for to the middle of the fitted Gaussian. `misfit`: what a
        Gaussian leaves, over the same of the real spots, less 1; without sign.
    """
    sigma = float(np.median(example.spots.sigmas))
    made = alone(painter, kind, sigma, Seed.root(1).at("looks", kind))
    away = np.hypot(*(made.found.positions - made.asked.positions).T)
    misfit = float(np.median(made.found.misfit) / np.median(example.spots.misfit))
    return {
        "width": abs(float(np.median(made.found.sigmas)) / sigma - 1),
        "place": float(np.median(away)),
        "misfit": abs(misfit - 1),
    }


def repainted(painter: SpotPainter | None, kind: int, example: Example, seed: Seed) -> Floats:
    """Return an image (Y, X) whose spots are painted anew, at the same places and as bright.

    Parameters
    ----------
    painter
        Who paints them; None: Gaussians.
    kind, example
        The image, and its number in the painter.
    seed
        Of what the spots look like, and of the camera's noise in their light.
    """
    found, shape = example.spots, (example.image.shape[0], example.image.shape[1])
    asked = SpotList(found.positions, found.light, found.sigmas)
    if painter is None:
        light = draw(asked, shape)
    else:
        whole = asked._replace(photons=asked.photons / painter.share(kind))
        light = painter.paint(whole, shape, seed, kind=kind)
    deviation = np.sqrt(np.maximum(example.noise.gain * light, 0))
    noise = deviation * seed.at("camera").generator().standard_normal(shape)
    image: Floats = np.maximum(example.clean[0] + light + noise, example.image.min())
    return image
