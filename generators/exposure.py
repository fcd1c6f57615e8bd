"""Signal to noise as a dial: how much light a scene needs so that its median object reaches it.

SNR of an object, by the CCD equation, with all means over its visible pixels and in electrons:

    SNR = S / sqrt(S + B + r²)

S is the light above the background, B the background, r the read noise. It is the signal to noise
of one pixel, not of the whole object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from generators.polygons import Floats


def snr_of(signal: Floats, background: Floats, read_noise: float) -> Floats:
    """Return the SNR of objects from their mean signal and background in electrons a pixel.

    Examples
    --------
    >>> snr_of(np.array([400.0]), np.array([41.0]), 3.0).round(3).tolist()
    [18.856]
    """
    ratio: Floats = signal / np.sqrt(np.maximum(signal + background + read_noise**2, 1e-12))
    return ratio


def electrons_for(snr: float, signal: Floats, background: Floats, read_noise: float) -> float:
    """Return the factor from relative light to electrons that gives the median object an SNR.

    Parameters
    ----------
    snr
        What the median object is to reach.
    signal, background
        (N,) mean relative light of each object above the background, and of the background.
    read_noise
        Electrons.

    Examples
    --------
    >>> k = electrons_for(10, np.array([1.0]), np.array([0.2]), 2.0)
    >>> snr_of(k * np.array([1.0]), k * np.array([0.2]), 2.0).round(6).tolist()
    [10.0]
    """
    bright = signal > 1e-6
    if not bright.any():
        signal, background = np.ones(1), np.full(1, np.mean(background) if background.size else 0.0)
        bright = np.ones(1, dtype=bool)
    m, both = signal[bright], (signal + background)[bright]
    # SNR = k·m / sqrt(k·both + r²), solved for k. SNR grows with k, so the median of the factors
    # that the objects need is the factor that the median object needs.
    root = np.sqrt((snr**2 * both) ** 2 + (2 * m * snr * read_noise) ** 2)
    return float(np.median((snr**2 * both + root) / (2 * m * m)))
