"""The light of one nucleus before any optics: level, dome, chromatin, nucleoli."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from generators.dials import dial, word

if TYPE_CHECKING:
    from numpy.random import Generator

    from generators.polygons import Floats


PARAMETRIC = "parametric"
LEARNED = ("nuclei", "nuclei-mixed")
"""Painters that are shipped: see `generators.painting`."""


@dataclass(frozen=True)
class Shading:
    """How bright nuclei are, and how evenly."""

    painter: str = word(
        PARAMETRIC,
        options=(PARAMETRIC, *LEARNED),
        files=".safetensors",
        says="whose light, see `docs/painting.md`; one that has learned it brings its background",
    )

    brightness_variation: float = dial(
        0.28, low=0, high=2, unit="1", says="standard deviation of ln(brightness)"
    )
    texture: float = dial(
        0.15, low=0, high=1.5, unit="1", says="standard deviation of ln(light) inside a nucleus"
    )
    texture_scale: float = dial(
        0.06, low=0.01, high=1, unit="diameter", says="standard deviation of its smoothing"
    )
    dome: float = dial(
        0.35, low=0, high=1, unit="1", says="0 is flat, 1 is a hemisphere, bright in the middle"
    )
    nucleoli: float = dial(
        0.6, low=0, high=20, unit="1", says="mean number of dark spots in a nucleus"
    )
    opacity: float = dial(
        0.6, low=0, high=1, unit="1", says="share of a lower nucleus's light that is hidden"
    )


def smooth_noise(shape: tuple[int, int], sigma: float, rng: Generator) -> Floats:
    """Return a smooth random field of zero mean and unit standard deviation, in expectation.

    Parameters
    ----------
    shape
        Height and width in px.
    sigma
        Standard deviation in px of the Gaussian that smooths white noise.
    rng
        The stream of this field.
    """
    # Drawn on a margin and cropped: reflecting at the edge would raise the variance there.
    margin = int(np.ceil(3 * sigma))
    white = rng.standard_normal((shape[0] + 2 * margin, shape[1] + 2 * margin))
    smooth = ndimage.gaussian_filter(white, sigma, truncate=3.0, mode="constant")
    impulse = np.zeros(2 * margin + 1)
    impulse[margin] = 1
    kernel = ndimage.gaussian_filter1d(impulse, sigma, truncate=3.0, mode="constant")
    scale = float(np.sum(kernel * kernel))  # standard deviation of the smoothed field, both axes
    field: Floats = smooth[margin : margin + shape[0], margin : margin + shape[1]] / scale
    return field


def shade(cover: Floats, shading: Shading, diameter: float, rng: Generator) -> Floats:
    """Return the light of one nucleus.

    Parameters
    ----------
    cover
        (Y, X) share of each pixel that the nucleus covers, on a window round it.
    shading
        How bright nuclei are, and how evenly.
    diameter
        Diameter in px that the texture's scale is measured by.
    rng
        The stream of this nucleus.

    Returns
    -------
    (Y, X) float64
        Light, 1 being the level of a median nucleus; 0 outside.
    """
    if not cover.any():
        return np.zeros_like(cover)
    level = np.exp(shading.brightness_variation * rng.standard_normal())
    depth = ndimage.distance_transform_edt(cover > 0.5 * cover.max())
    depth = depth / max(float(depth.max()), 1.0)
    light = 1 - shading.dome * (1 - np.sqrt(1 - (1 - depth) ** 2))
    sigma = max(shading.texture_scale * diameter, 0.5)
    chromatin = smooth_noise((cover.shape[0], cover.shape[1]), sigma, rng)
    light = light * np.exp(shading.texture * chromatin)
    y, x = np.indices(cover.shape, dtype=np.float64)
    for _ in range(rng.poisson(shading.nucleoli)):
        at = rng.uniform(0.25, 0.75, 2) * cover.shape
        radius, strength = rng.uniform(0.04, 0.1) * diameter, rng.uniform(0.2, 0.6)
        distance = ((y - at[0]) ** 2 + (x - at[1]) ** 2) / radius**2
        light = light * (1 - strength * np.exp(-(distance**2) / 2))
    shaded: Floats = level * light * cover * (np.sum(cover) / np.sum(light * cover))
    return shaded
