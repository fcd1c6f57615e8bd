"""From expected electrons to grey levels: shot noise, read noise, gain, offset, bit depth.

Units: electrons (e-) at the sensor, grey levels (ADU) in the file. Photons become electrons by the
quantum efficiency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from generators.dials import dial

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from generators.polygons import Floats

FEW = 12.0
"""Below this many expected electrons the Poisson quantile is summed up, not expanded."""


@dataclass(frozen=True)
class Camera:
    """The sensor and its electronics."""

    quantum_efficiency: float = dial(
        0.8, low=0.01, high=1, unit="e-/photon", says="electrons for each photon that arrives"
    )
    read_noise: float = dial(
        1.6, low=0, high=200, unit="e-", says="standard deviation of the noise of reading a pixel"
    )
    gain: float | None = dial(
        None, low=1e-4, high=1e4, unit="ADU/e-", says="grey levels per electron; if unset, by fill"
    )
    fill: float = dial(
        0.2, low=0.001, high=2, unit="1", says="grey level of the median nucleus, of the range left"
    )
    offset: float = dial(100, low=0, high=60000, unit="ADU", says="grey level of no light")
    bit_depth: float = dial(
        12, low=4, high=16, unit="bit", says="the largest grey level is 2^n - 1"
    )
    hot_pixels: float = dial(
        0, low=0, high=1e5, unit="1/Mpx", says="pixels that leak charge into the dark", quiet=True
    )
    hot_level: float = dial(
        300, low=1, high=1e6, unit="e-", says="mean charge that such a pixel leaks", quiet=True
    )

    @property
    def white(self) -> int:
        """The largest grey level; more light saturates."""
        return int(2 ** round(self.bit_depth) - 1)

    def gain_for(self, electrons: float) -> float:
        """Return the gain in ADU/e-, where needed such that `electrons` reach the fill level."""
        if self.gain is not None:
            return self.gain
        return self.fill * (self.white - self.offset) / max(electrons, 1e-9)


def poisson(mean: Floats, normal: Floats) -> Floats:
    """Return Poisson variates as a function of standard normal ones, increasing in both.

    The same normal variate at two means gives two coupled counts: renderings of one scene at two
    light levels stay comparable pixel by pixel. Rejection sampling has no such coupling.
    Large means use the expansion of the quantile of Giles (2016), Algorithm 955, ACM Transactions
    on Mathematical Software 42(1), article 7; small ones sum the distribution.

    Parameters
    ----------
    mean
        (Y, X) float64, expected counts, 0 or more.
    normal
        (Y, X) float64, standard normal variates.

    Returns
    -------
    (Y, X) float64
        Counts, whole numbers.

    Examples
    --------
    >>> poisson(np.array([0.0, 1.0, 100.0]), np.array([3.0, 0.0, 0.0]))
    array([  0.,   1., 100.])
    """
    m, w = np.maximum(mean, FEW), normal
    root, squared = np.sqrt(m), normal * normal
    quantile = m + root * w + (2 + squared) / 6 - w * (2 + squared) / (72 * root)
    quantile += (-16 / 810 + squared * (7 / 810 + squared / 270)) / m
    count: Floats = np.maximum(np.floor(quantile), 0)
    few = mean < FEW
    count[few] = _poisson_few(mean[few], special.ndtr(normal[few]))
    return count


def _poisson_few(mean: Floats, u: Floats) -> Floats:
    """Return the smallest counts whose distribution function reaches u."""
    count = np.zeros_like(mean)
    term = np.exp(-mean)
    total = term.copy()
    for k in range(1, 80):
        below = total < u
        if not below.any():
            break
        count[below] = k
        term = term * mean / k
        total = total + term
    return count


def hot(shape: tuple[int, int], camera: Camera, rng: Generator) -> Floats:
    """Return the mean charge in e- that leaks into each pixel, exponential among the hot ones.

    Parameters
    ----------
    shape
        Height and width in px.
    camera
        How many pixels are hot, and how hot.
    rng
        The stream of this sensor's defects. A pixel that is hot at one level of `hot_pixels` is as
        hot at every higher one.
    """
    where, level = rng.random(shape), rng.standard_exponential(shape)
    leaking: Floats = np.where(where < camera.hot_pixels / 1e6, camera.hot_level * level, 0.0)
    return leaking


def expose(
    electrons: Floats, camera: Camera, gain: float, rng: Generator, leak: Floats | float = 0.0
) -> tuple[NDArray[np.uint16], Floats]:
    """Take a picture.

    Parameters
    ----------
    electrons
        (Y, X) float64, expected electrons in each pixel.
    camera
        The sensor and its electronics.
    gain
        Grey levels an electron.
    rng
        The stream of this picture's noise.
    leak
        (Y, X) float64, expected electrons beside those of light; they are noise, not picture.

    Returns
    -------
    image : (Y, X) uint16
        Grey levels.
    expected : (Y, X) float64
        The same without noise, rounding and saturation.
    """
    shot, read = rng.standard_normal((2, *electrons.shape))
    # One variate for each kind of noise in every pixel keeps renderings of a scene comparable.
    collected = poisson(electrons + leak, shot) + camera.read_noise * read
    grey = np.rint(camera.offset + gain * collected)
    image = np.clip(grey, 0, camera.white).astype(np.uint16)
    return image, camera.offset + gain * electrons


def saturating_sum(image: NDArray[np.uint16], added: Floats, camera: Camera) -> NDArray[np.uint16]:
    """Return a picture plus another in grey levels, cut off at white, as CellGen combines them.

    Its `Combine.py` adds the pixels of two finished pictures and cuts off at 255: what is added
    has no noise of its own, and takes none from below.

    Examples
    --------
    >>> low = Camera(bit_depth=8)
    >>> saturating_sum(np.array([[10, 200]], np.uint16), np.array([[5.4, 99.0]]), low).tolist()
    [[15, 255]]
    """
    total = image + np.rint(added)
    return np.clip(total, 0, camera.white).astype(np.uint16)
