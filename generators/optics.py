"""From the light of a scene to what falls on the sensor: blur, haze, illumination, background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from generators.dials import dial
from generators.texture import smooth_noise

if TYPE_CHECKING:
    from generators.polygons import Floats
    from generators.seeds import Seed


@dataclass(frozen=True)
class Optics:
    """The microscope, and what lies under the nuclei."""

    snr: float = dial(
        20, low=0.1, high=500, unit="1", says="signal to noise of the median nucleus, see SNR"
    )
    blur: float = dial(
        1.2, low=0, high=20, unit="px", says="standard deviation of the Gaussian PSF"
    )
    haze: float = dial(
        0.12, low=0, high=0.9, unit="1", says="share of the light that comes from out of focus"
    )
    haze_radius: float = dial(
        8, low=1, high=60, unit="px", says="standard deviation of the out-of-focus light's blur"
    )
    background: float = dial(
        0.2, low=0, high=20, unit="signal", says="background light, in units of the median nucleus"
    )
    background_variation: float = dial(
        0.1, low=0, high=2, unit="1", says="standard deviation of ln(background), smooth in space"
    )
    illumination: float = dial(
        0.15, low=0, high=0.95, unit="1", says="drop of the illumination from brightest to darkest"
    )
    debris: float = dial(
        60, low=0, high=5000, unit="1/Mpx", says="faint specks that are no nuclei, unlabelled"
    )


def blurred(light: Floats, optics: Optics) -> Floats:
    """Return light through the PSF: a Gaussian core and a wide Gaussian of out-of-focus light.

    Light is conserved, but for what leaves the array.
    """
    sharp = light
    if optics.blur > 0:
        sharp = ndimage.gaussian_filter(light, optics.blur, mode="constant")
    if optics.haze == 0:
        return sharp
    wide = ndimage.gaussian_filter(light, optics.haze_radius, truncate=3.0, mode="constant")
    return (1 - optics.haze) * sharp + optics.haze * wide


def illumination(shape: tuple[int, int], optics: Optics, seed: Seed) -> Floats:
    """Return an uneven illumination of mean 1: a paraboloid about a random centre.

    The darkest pixel gets `1 - optics.illumination` of what the brightest one gets.
    """
    centre = seed.generator().uniform(0.0, 1.0, 2)
    y = (np.arange(shape[0]) + 0.5) / shape[0] - centre[0]
    x = (np.arange(shape[1]) + 0.5) / shape[1] - centre[1]
    squared = y[:, None] ** 2 + x[None, :] ** 2
    low, high = squared.min(), squared.max()
    field: Floats = 1 - optics.illumination * (squared - low) / max(high - low, 1e-12)
    even: Floats = field / field.mean()
    return even


def background(shape: tuple[int, int], optics: Optics, seed: Seed) -> Floats:
    """Return the background light, in units of the median nucleus, smooth in space."""
    sigma = max(shape) / 8
    coarse = smooth_noise((shape[0] // 8 + 2, shape[1] // 8 + 2), sigma / 8, seed.generator())
    zoomed = ndimage.zoom(coarse, 8, order=1, mode="nearest", grid_mode=True)
    field = np.exp(optics.background_variation * zoomed[: shape[0], : shape[1]])
    scaled: Floats = optics.background * field / field.mean()
    return scaled


def debris(shape: tuple[int, int], optics: Optics, seed: Seed) -> Floats:
    """Return the light of specks smaller than any nucleus, in units of the median nucleus."""
    rng = seed.generator()
    light = np.zeros(shape)
    for _ in range(rng.poisson(optics.debris * shape[0] * shape[1] / 1e6)):
        at, sigma = rng.random(2) * shape, rng.uniform(0.5, 1.4)
        y = np.exp(-(((np.arange(shape[0]) - at[0]) / sigma) ** 2) / 2)
        x = np.exp(-(((np.arange(shape[1]) - at[1]) / sigma) ** 2) / 2)
        light += rng.uniform(0.1, 0.7) * y[:, None] * x[None, :]
    return light
