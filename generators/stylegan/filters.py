"""Low-pass filters of alias-free networks, designed from the paper's formulas.

Karras et al., "Alias-Free Generative Adversarial Networks", arXiv 2106.12423, appendix C; the
window's parameters after Kaiser (1974).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import i0, j1

if TYPE_CHECKING:
    from numpy.typing import NDArray

Taps: TypeAlias = tuple[float, ...]

_NEGLIGIBLE = 2.0**-26  # a quarter of the rounding error of float32


@dataclass(frozen=True)
class Filter:
    """A two-dimensional FIR filter as a sum of separable ones.

    Plain numbers, so that it can be compared, hashed and written down.

    Parameters
    ----------
    terms
        Pairs (taps along y, taps along x). The filter is the sum of their outer products.

    Examples
    --------
    >>> box = Filter((((0.5, 0.5), (0.5, 0.5)),))
    >>> box.taps, box.plane.tolist()
    (2, [[0.25, 0.25], [0.25, 0.25]])
    """

    terms: tuple[tuple[Taps, Taps], ...]

    @cached_property
    def plane(self) -> NDArray[np.float64]:
        """The filter as an array (taps, taps), rows along y."""
        total: NDArray[np.float64] = sum(
            (np.outer(along_y, along_x) for along_y, along_x in self.terms),
            start=np.zeros((self.taps, self.taps)),
        )
        return total

    @property
    def taps(self) -> int:
        """Number of taps along each axis."""
        return len(self.terms[0][0])

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.terms)


def separable(taps: Taps) -> Filter:
    """Return the filter that has the same taps along both axes.

    Examples
    --------
    >>> separable((1.0,)).terms
    (((1.0,), (1.0,)),)
    """
    return Filter(((taps, taps),))


IDENTITY = separable((1.0,))

BINOMIAL = separable((0.125, 0.375, 0.375, 0.125))
"""The [1, 3, 3, 1] filter of StyleGAN2 (arXiv 1912.04958)."""


def kaiser_beta(taps: int, width: float, rate: float) -> float:
    """Return the shape of the Kaiser window that makes the most of a number of taps.

    Parameters
    ----------
    taps
        Length of the filter.
    width
        Half-width of the transition band, `f_h`, in the units of `rate`.
    rate
        Sampling rate.

    Notes
    -----
    Attenuation in dB that is within reach, then β from it: arXiv 2106.12423, appendix C,

        A = 2.285 (n - 1) π Δf + 7.95,   Δf = 2 f_h / (s / 2)
        β = 0.1102 (A - 8.7)                            if A > 50
            0.5842 (A - 21)^0.4 + 0.07886 (A - 21)      if 21 ≤ A ≤ 50
            0                                           otherwise

    Examples
    --------
    >>> round(kaiser_beta(12, width=1.1, rate=8), 3)
    4.703
    >>> kaiser_beta(2, width=0.1, rate=8)
    0.0
    """
    attenuation = 2.285 * (taps - 1) * np.pi * (2 * width / (rate / 2)) + 7.95
    if attenuation > 50:
        return float(0.1102 * (attenuation - 8.7))
    if attenuation >= 21:
        return float(0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21))
    return 0.0


@cache
def kaiser_filter(taps: int, cutoff: float, width: float, rate: float) -> Filter:
    """Design a separable low-pass filter: a sinc under a Kaiser window.

    Parameters
    ----------
    taps
        Length. One tap is the identity.
    cutoff
        Where the amplitude is a half, `f_c`, in the units of `rate`.
    width
        Half-width of the transition band, `f_h`: the passband ends at `cutoff - width`, the
        stopband begins at `cutoff + width`.
    rate
        Sampling rate, `s`.

    Returns
    -------
    Filter
        One term; its taps add up to 1.

    Notes
    -----
    arXiv 2106.12423, appendix C: h(x) = 2 f_c sinc(2 f_c x) w(x), with the window
    w(x) = I₀(β √(1 - (2 x / L)²)) / I₀(β) of length L = (n - 1) / s.

    Examples
    --------
    >>> taps, _ = kaiser_filter(6, cutoff=2.0, width=2.0, rate=8).terms[0]
    >>> [round(tap, 4) for tap in taps]
    [-0.0093, 0.0803, 0.429, 0.429, 0.0803, -0.0093]
    """
    if taps == 1:
        return IDENTITY
    x = _positions(taps, rate)
    impulse = np.sinc(2 * cutoff * x) * _window(taps, kaiser_beta(taps, width, rate))
    return separable(tuple((impulse / impulse.sum()).tolist()))


@cache
def jinc_filter(taps: int, cutoff: float, width: float, rate: float) -> Filter:
    """Design a low-pass filter whose cutoff is the same in all directions.

    Parameters
    ----------
    taps, cutoff, width, rate
        As for `kaiser_filter`.

    Returns
    -------
    Filter
        A sum of separable terms, equal to the filter to float32; its taps add up to 1.

    Notes
    -----
    arXiv 2106.12423, appendix C: h(x) = (2 f_c)² jinc(2 f_c ‖x‖) w(x₀) w(x₁), where
    jinc(x) = 2 J₁(π x) / (π x) is to the disc what sinc is to the interval.

    Examples
    --------
    >>> disc = jinc_filter(12, cutoff=2.0, width=2.3, rate=16)
    >>> len(disc.terms), round(float(disc.plane.sum()), 6)
    (4, 1.0)
    """
    if taps == 1:
        return IDENTITY
    x = _positions(taps, rate)
    window = _window(taps, kaiser_beta(taps, width, rate))
    phase = np.pi * 2 * cutoff * np.hypot(x[:, None], x)
    away = np.where(phase > 0, phase, 1.0)
    impulse = np.where(phase > 0, 2 * j1(away) / away, 1.0) * np.outer(window, window)
    return decompose(impulse / impulse.sum())


def decompose(plane: NDArray[np.float64]) -> Filter:
    """Write a symmetric filter as the shortest sum of separable ones, to float32.

    Parameters
    ----------
    plane
        The filter (n, n), equal to its transpose.

    Notes
    -----
    `plane = Σ λₖ uₖ uₖᵀ`. For a symmetric array that is its singular value decomposition, but for
    signs. Terms go from the largest |λₖ| until what is left is below a quarter of float32's
    rounding error of the largest tap.

    Examples
    --------
    >>> len(decompose(np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0])).terms)
    1
    """
    values, vectors = np.linalg.eigh(plane)
    left = plane.copy()
    terms: list[tuple[Taps, Taps]] = []
    for k in np.argsort(-np.abs(values)).tolist():
        if terms and np.abs(left).max() <= _NEGLIGIBLE * np.abs(plane).max():
            break
        size = np.sqrt(np.abs(values[k]))
        along_y, along_x = np.sign(values[k]) * size * vectors[:, k], size * vectors[:, k]
        left -= np.outer(along_y, along_x)
        terms.append((tuple(along_y.tolist()), tuple(along_x.tolist())))
    return Filter(tuple(terms))


def _positions(taps: int, rate: float) -> NDArray[np.float64]:
    """Return where the taps lie, the middle of the filter at 0."""
    return (np.arange(taps, dtype=np.float64) - (taps - 1) / 2) / rate


def _window(taps: int, beta: float) -> NDArray[np.float64]:
    """Return the Kaiser window, its first and last tap at the ends of its support."""
    inside = np.sqrt(1 - np.linspace(-1, 1, taps) ** 2)
    weights: NDArray[np.float64] = (i0(beta * inside) / i0(beta)).astype(np.float64)
    return weights
