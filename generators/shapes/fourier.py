"""Elliptic Fourier coefficients of outlines, in a pose of their own.

Kuhl and Giardina (1982), Elliptic Fourier features of a closed contour, Computer Graphics and Image
Processing 18, in complex form: along the arc, z(s) = x + iy = Σ c_k exp(iks), k = -H … H. The first
two, c_1 and c_-1, are an ellipse of semi-axes |c_1| + |c_-1| and |c_1| - |c_-1|. Turned and started
so that both are real and positive, that ellipse lies along x and begins at its tip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from generators.polygons import Floats

Coefficients = NDArray[np.complex128]


def orders(harmonics: int) -> NDArray[np.int64]:
    """Return the k of each column of coefficients: 1, -1, 2, -2, … ; c_0 is a place, not a shape.

    Examples
    --------
    >>> orders(2).tolist()
    [1, -1, 2, -2]
    """
    k = np.arange(1, harmonics + 1)
    return np.stack([k, -k], axis=1).ravel()


def analysed(stack: Floats, harmonics: int) -> Coefficients:
    """Return the (N, 2 H) coefficients of a stack of outlines in even steps, in their own pose.

    Examples
    --------
    >>> s = np.arange(64) * (2 * np.pi / 64)
    >>> ellipse = np.stack([np.sin(s), 3 * np.cos(s)], axis=1)
    >>> abs(analysed(ellipse[None], 2)).round(6).tolist()
    [[2.0, 1.0, 0.0, 0.0]]
    """
    count = stack.shape[1]
    series = np.fft.fft(stack[..., 1] + 1j * stack[..., 0], axis=1) / count
    k = orders(harmonics)
    raw = series[:, k]
    # A turn by t and a start at s make c_k into c_k exp(i (t + k s)).
    start = (np.angle(raw[:, 1]) - np.angle(raw[:, 0])) / 2
    turn = -(np.angle(raw[:, 1]) + np.angle(raw[:, 0])) / 2
    posed: Coefficients = raw * np.exp(1j * (turn[:, None] + k * start[:, None]))
    return posed


def synthesised(coefficients: Coefficients, count: int) -> Floats:
    """Return the (N, count, 2) outlines (y, x) of coefficients, about the origin."""
    n, width = coefficients.shape
    series = np.zeros((n, count), np.complex128)
    series[:, orders(width // 2)] = coefficients
    curve = np.fft.ifft(series, axis=1) * count
    return np.stack([curve.imag, curve.real], axis=2)


def ellipse_coefficients(elongation: Floats) -> Coefficients:
    """Return the (N, 2) coefficients of ellipses of diameter 1 and given ratios of the axes.

    Examples
    --------
    >>> ellipse_coefficients(np.array([4.0])).real.tolist()
    [[0.625, 0.375]]
    """
    long = np.sqrt(elongation) / 2
    short = 1 / (4 * long)
    return np.stack([(long + short) / 2, (long - short) / 2], axis=1).astype(np.complex128)


def mirrored(coefficients: Coefficients) -> Coefficients:
    """Return the coefficients of the mirror images (y to -y), in their own pose.

    Run backwards, to stay counter-clockwise, the curve is z*(-s): its c_k are the conjugates.
    """
    return coefficients.conj()


def half_turned(coefficients: Coefficients) -> Coefficients:
    """Return the coefficients of the outlines turned by half a circle, in their own pose.

    Turned by π and begun at the other tip, c_k becomes c_k (-1)^(k + 1).
    """
    k = orders(coefficients.shape[1] // 2)
    return coefficients * (-1.0) ** (k + 1)
