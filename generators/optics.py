"""From the light of a scene to what falls on the sensor: blur, haze, illumination, background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from generators import psf as psf_models
from generators.dials import dial, word
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
    psf: str = word(
        "gaussian",
        options=psf_models.MODELS,
        says="model of the PSF; all but `gaussian` need `pixel_size_um`",
    )
    blur: float = dial(
        1.2, low=0, high=20, unit="px", says="standard deviation of the Gaussian PSF"
    )
    numerical_aperture: float = dial(
        0.75, low=0.05, high=1.49, unit="1", says="of the objective", quiet=True
    )
    refractive_index: float = dial(
        1.0, low=1, high=1.6, unit="1", says="of the immersion medium; 1 is air", quiet=True
    )
    wavelength: float = dial(
        461, low=300, high=1100, unit="nm", says="of the emitted light, in vacuum", quiet=True
    )
    defocus: float = dial(
        0, low=0, high=50, unit="um", says="distance of the nuclei from focus", quiet=True
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
    background_structure: float = dial(
        0, low=0, high=2, unit="1", says="standard deviation of ln(background), blotchy", quiet=True
    )
    structure_scale: float = dial(
        6, low=0.5, high=200, unit="px", says="standard deviation of its smoothing", quiet=True
    )
    illumination: float = dial(
        0.15, low=0, high=0.95, unit="1", says="drop of the illumination from brightest to darkest"
    )
    debris: float = dial(
        60, low=0, high=5000, unit="1/Mpx", says="faint specks that are no nuclei, unlabelled"
    )
    bleaching: float = dial(
        0, low=0, high=0.99, unit="1", says="share of the light lost with each exposure", quiet=True
    )
    exposures: float = dial(
        0, low=0, high=1e5, unit="1", says="exposures before that of the first channel", quiet=True
    )


def blurred(light: Floats, optics: Optics, pixel_size_um: float | None = None) -> Floats:
    """Return light through the PSF: a core, and a wide Gaussian of out-of-focus light.

    Light is conserved, but for what leaves the array. `generators.psf` has the models of the core;
    defocus, and all models but the Gaussian, need the size of a pixel.
    """
    sharp = light
    if optics.psf != "gaussian":
        assert pixel_size_um is not None
        sharp = psf_models.convolved(
            light, psf_models.kernel(optics.psf, _aim(optics, pixel_size_um))
        )
    elif optics.defocus > 0:
        assert pixel_size_um is not None
        sigma = psf_models.defocused(optics.blur, _aim(optics, pixel_size_um))
        sharp = ndimage.gaussian_filter(light, sigma, mode="constant")
    elif optics.blur > 0:
        sharp = ndimage.gaussian_filter(light, optics.blur, mode="constant")
    if optics.haze == 0:
        return sharp
    wide = ndimage.gaussian_filter(light, optics.haze_radius, truncate=3.0, mode="constant")
    return (1 - optics.haze) * sharp + optics.haze * wide


def _aim(optics: Optics, pixel_size_um: float) -> psf_models.Aim:
    return psf_models.Aim(
        numerical_aperture=optics.numerical_aperture,
        refractive_index=optics.refractive_index,
        wavelength_um=optics.wavelength / 1000,
        pixel_um=pixel_size_um,
        defocus_um=optics.defocus,
    )


def bleached(optics: Optics, channel: int) -> float:
    """Return the share of its light that fluorescence still gives, after the exposures so far.

    Each exposure takes the same share of the fluorophores that are left: first-order kinetics, as
    in L. Song et al., Biophysical Journal 68 (1995) 2588, at one dose an exposure.

    Parameters
    ----------
    optics
        With the share lost in an exposure, and how many there were before the first channel's.
    channel
        Position of the channel; channels are exposed in turn.

    Examples
    --------
    >>> bleached(Optics(bleaching=0.1, exposures=2), 1).__round__(6)
    0.729
    """
    return float((1 - optics.bleaching) ** (optics.exposures + channel))


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
    spread = optics.background_variation * zoomed[: shape[0], : shape[1]]
    if optics.background_structure > 0:
        rng = seed.at("structure").generator()
        spread += optics.background_structure * smooth_noise(shape, optics.structure_scale, rng)
    field = np.exp(spread)
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
