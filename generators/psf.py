"""Point spread functions: the image of a point, as a kernel of pixels whose sum is 1.

- `gaussian`: by its standard deviation in px, the dial `blur`.
- `airy`: scalar diffraction by a circular pupil, in focus the Airy pattern; out of focus with the
  exact phase of defocus. M. Born and E. Wolf, Principles of Optics, 8.8; S. F. Gibson and F. Lanni,
  J. Opt. Soc. Am. A 9 (1992) 154, without aberrations.
- `vectorial`: with the polarisation of light, which counts from a numerical aperture of about 1;
  F. Aguet et al., Opt. Express 17 (2009) 6829, by the package psfmodels (the extra `optics`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import signal, special

from generators.errors import RecipeError

if TYPE_CHECKING:
    from generators.polygons import Floats

MODELS = ("gaussian", "airy", "vectorial")
FINE = 5
"""Points along each side of a pixel that a kernel is averaged over."""
RINGS = 8.0
"""Wavelengths over the numerical aperture to which a kernel reaches: 1.3 % of the light of an Airy
pattern falls further out, and is put back in proportion."""
LARGEST = 100
"""Largest reach of a kernel in px."""


@dataclass(frozen=True)
class Aim:
    """What an objective looks at.

    Attributes
    ----------
    numerical_aperture, refractive_index
        Of the objective, and of what lies between it and the sample.
    wavelength_um, pixel_um, defocus_um
        Wavelength in vacuum, side of a pixel in the sample, distance from focus, in micrometres.
    """

    numerical_aperture: float
    refractive_index: float
    wavelength_um: float
    pixel_um: float
    defocus_um: float = 0.0

    @property
    def spread_um(self) -> float:
        """Radius in µm of the disc of light of a point out of focus, by geometry."""
        sine = self.numerical_aperture / self.refractive_index
        return float(self.defocus_um * sine / np.sqrt(1 - sine * sine))

    @property
    def reach(self) -> int:
        """How many pixels a kernel reaches from its middle."""
        reach = RINGS * self.wavelength_um / self.numerical_aperture + 1.5 * self.spread_um
        return int(np.clip(np.ceil(reach / self.pixel_um), 2, LARGEST))


def defocused(blur: float, aim: Aim) -> float:
    """Return the standard deviation in px of a Gaussian as wide as blur and defocus together.

    A disc of light of radius R has a standard deviation of R / 2 along each axis.

    Examples
    --------
    >>> defocused(3.0, Aim(0.6, 1.0, 0.5, 0.1, defocus_um=0.0))
    3.0
    >>> round(defocused(3.0, Aim(0.6, 1.0, 0.5, 0.1, defocus_um=1.0)), 6)  # R = 0.75 µm = 7.5 px
    4.802343
    """
    return float(np.hypot(blur, aim.spread_um / aim.pixel_um / 2))


@lru_cache(maxsize=64)
def kernel(model: str, aim: Aim) -> Floats:
    """Return the image of a point in the middle of a pixel.

    Parameters
    ----------
    model
        `airy` or `vectorial`.
    aim
        What the objective looks at.

    Returns
    -------
    (K, K) float64
        Shares of the light, K odd.

    Raises
    ------
    RecipeError
        For the vectorial model without psfmodels.

    Examples
    --------
    >>> airy = kernel("airy", Aim(0.75, 1.0, 0.461, 0.1))
    >>> airy.shape, round(float(airy.sum()), 9)
    ((101, 101), 1.0)
    """
    shares = _airy(aim) if model == "airy" else _vectorial(aim)
    scaled: Floats = shares / shares.sum()
    scaled.setflags(write=False)  # kept for the next scene
    return scaled


def profile(radius_um: Floats, aim: Aim) -> Floats:
    """Return the intensity at distances from the axis, 1 in the middle of one in focus.

    With k = 2π/λ and the pupil's radius as unit, the square of the modulus of
    2 ∫₀¹ J₀(k NA r t) exp(i k z √(n² - NA² t²)) t dt.

    Parameters
    ----------
    radius_um
        (N,) distances in µm.
    aim
        What the objective looks at.

    Examples
    --------
    >>> aim = Aim(0.5, 1.0, 0.5, 0.1)
    >>> profile(np.array([0.0, 0.5, 0.609835]), aim).round(5).tolist()  # 0.61 λ/NA: the first ring
    [1.0, 0.03283, 0.0]
    """
    k, aperture = 2 * np.pi / aim.wavelength_um, aim.numerical_aperture
    across = k * aperture * float(np.max(radius_um, initial=0.0))
    along = k * aim.defocus_um * aim.refractive_index
    nodes, weights = np.polynomial.legendre.leggauss(48 + int((across + along) / 2))
    rho, weights = (nodes + 1) / 2, weights / 2
    depth = np.sqrt(aim.refractive_index**2 - (aperture * rho) ** 2) - aim.refractive_index
    pupil = 2 * weights * rho * np.exp(1j * k * aim.defocus_um * depth)
    field = special.j0(k * aperture * radius_um[:, None] * rho) @ pupil
    intensity: Floats = np.abs(field) ** 2
    return intensity


def _airy(aim: Aim) -> Floats:
    width = 2 * aim.reach + 1
    fine = (np.arange(width * FINE) - (width * FINE - 1) / 2) / FINE * aim.pixel_um
    radius = np.hypot(fine[:, None], fine[None, :])
    # A ring is 0.5 λ/NA wide; 40 points to a ring leave nothing for an interpolation to miss.
    step = aim.wavelength_um / aim.numerical_aperture / 80
    at = np.arange(0, radius.max() + 2 * step, step)
    values = np.interp(radius, at, profile(at, aim))
    pixels: Floats = values.reshape(width, FINE, width, FINE).mean(axis=(1, 3))
    return pixels


def _vectorial(aim: Aim) -> Floats:
    try:
        import psfmodels  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise RecipeError(
            'psf = "vectorial" needs the package psfmodels',
            where="optics.psf",
            mend='pip install "cellgen-bench[optics]", or psf = "airy"',
        ) from None
    n = aim.refractive_index
    planes: Floats = psfmodels.make_psf(
        [aim.defocus_um],
        2 * aim.reach + 1,
        dxy=aim.pixel_um,
        NA=aim.numerical_aperture,
        wvl=aim.wavelength_um,
        ns=n,
        ni=n,
        ni0=n,
        oversample_factor=FINE,
        model="vectorial",
    )
    image: Floats = planes[0]
    return image


def convolved(light: Floats, shares: Floats) -> Floats:
    """Return light through a kernel, the same size; beyond its borders there is none."""
    through: Floats = signal.fftconvolve(light, shares, mode="same")
    return np.maximum(through, 0.0)  # rounding of the transform
