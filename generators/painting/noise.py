"""The camera's noise in real images: a variance that grows with the light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_KERNEL = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]]) / 6
_BINS = 24
_FEWEST = 200
"""Pixels from which a bin is measured."""
_BENT = 0.15
"""Share of the variance of the brightest below which no unevenness is told from a straight line."""


@dataclass(frozen=True)
class Noise:
    """Variance of grey levels: `gain * above + (uneven * above)²`, no less than `floor`.

    `above` is how far the level is above `black`.

    Parameters
    ----------
    gain
        Grey levels an electron.
    black
        Grey level at which there would be no noise; read noise lowers it below that of no light.
    floor
        Variance in the dark.
    uneven
        Standard deviation of the gain from pixel to pixel, or of what is as fine in the sample.
    """

    gain: float
    black: float
    floor: float = 0.0
    uneven: float = 0.0

    @classmethod
    def fit(cls, images: Iterable[NDArray[Any]]) -> Noise:
        """Measure images.

        Immerkær's filter (1996, Computer Vision and Image Understanding 64, 300) lets smooth light
        vanish. Medians over pixels of like brightness leave out edges.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> light = np.linspace(20, 900, 400) * np.ones((400, 1))
        >>> found = Noise.fit([100 + 0.5 * rng.poisson(light / 0.5)])
        >>> round(found.gain, 2), abs(found.black - 100) < 10
        (0.5, True)
        """
        levels, residuals = [], []
        for image in images:
            light = image.astype(np.float64)
            levels.append(ndimage.uniform_filter(light, 5)[2:-2, 2:-2].ravel())
            residuals.append(np.abs(ndimage.convolve(light, _KERNEL)[2:-2, 2:-2]).ravel())
        level, residual = np.concatenate(levels), np.concatenate(residuals)
        # Even steps of brightness to the power of a half: dim light has most pixels.
        low, high = np.quantile(level, [0.01, 0.998])
        bins = np.sqrt(np.clip((level - low) / max(high - low, 1e-9), 0, 1)) * (_BINS - 1e-9)
        number = bins.astype(int)
        x, v = [], []
        for k in range(_BINS):
            those = number == k
            if np.count_nonzero(those) >= _FEWEST:
                x.append(float(np.median(level[those])))
                v.append((1.4826 * float(np.median(residual[those]))) ** 2)
        x_, v_ = np.array(x), np.maximum(np.array(v), 1e-6)
        if len(x_) < 2:
            return cls(0.0, 0.0, float(v_[0]) if len(v_) else 0.0)
        gain, start = np.polyfit(x_, v_, 1, w=1 / v_)
        if gain <= 0:
            return cls(0.0, 0.0, float(np.median(v_)))
        floor = float(v_.min()) / 4
        if len(x_) > _BINS // 2:
            bend, slope, start_ = np.polyfit(x_, v_, 2, w=1 / v_)
            inside = slope**2 - 4 * bend * start_
            bent = bend * (x_[-1] - x_[0]) ** 2 > _BENT * v_[-1]
            if bent and inside > 0 and slope > 0:
                black = (np.sqrt(inside) - slope) / (2 * bend)
                return cls(float(np.sqrt(inside)), float(black), floor, float(np.sqrt(bend)))
        return cls(float(gain), float(-start / gain), floor)

    def variance(self, grey: NDArray[Any]) -> NDArray[Any]:
        """Return the variance of grey levels."""
        above = np.maximum(grey - self.black, 0)
        return (self.gain * above + (self.uneven * above) ** 2).clip(min=self.floor)
