"""Where real spots are to a fraction of a pixel, and what they are like: fitted Gaussians."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage, optimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.polygons import Floats

HALF = 5
"""Px about a spot's pixel that are fitted."""
PIXEL = 1 / 12
"""Variance of a pixel in px²: light that is summed over pixels is wider by it."""
_ROUNDS = 3
_START = 1.3  # px
_LEAST = 0.3  # px, of a width
_AWAY = 2.5  # px: further off than this a fit has gone to another spot
_NEAR = 3.0  # px from a known spot within which no other one is looked for
_DIM = 0.1
"""Quantile of the known spots' response to a Laplacian of Gaussian that further ones must reach."""


class Fitted(NamedTuple):
    """Gaussians of N spots.

    Attributes
    ----------
    positions
        (N, 2) in px, rows and columns.
    light
        (N,) grey levels in all.
    sigmas
        (N,) px, the geometric mean of both axes; the pixel is taken out.
    stretch
        (N, 2): the covariance is sigma² times the exponential of [[a, b], [b, -a]].
    misfit
        (N,) standard deviation of what the Gaussian leaves, in its peaks.
    """

    positions: Floats
    light: Floats
    sigmas: Floats
    stretch: Floats
    misfit: Floats

    def some(self, which: NDArray[np.bool_]) -> Fitted:
        """Return some of the spots."""
        return Fitted(*(part[which] for part in self))

    @property
    def peaks(self) -> Floats:
        """(N,) grey levels above the ground in the middle."""
        heights: Floats = self.light / (2 * np.pi * (self.sigmas**2 + PIXEL))
        return heights

    @property
    def clean(self) -> NDArray[np.bool_]:
        """(N,) which of them are spots that a Gaussian says enough of."""
        if not len(self.sigmas):
            return np.zeros(0, dtype=bool)
        typical = float(np.median(self.sigmas))
        good: NDArray[np.bool_] = (
            (self.misfit < 0.15)
            & (self.light > 0)
            & (self.sigmas > 0.6 * typical)
            & (self.sigmas < 1.8 * typical)
            & (np.hypot(*self.stretch.T) < 1.0)
        )
        return good


def gaussian(shape: tuple[int, int], position: Floats, sigma: float, stretch: Floats) -> Floats:
    """Return a Gaussian of unit light, sampled.

    Examples
    --------
    >>> one = gaussian((21, 21), np.array([10.2, 9.7]), 1.5, np.array([0.2, 0.1]))
    >>> round(float(one.sum()), 4), (np.indices((21, 21)) * one).sum((1, 2)).round(3).tolist()
    (1.0, [10.2, 9.7])
    """
    y, x = (np.arange(n) - p for n, p in zip(shape, position, strict=True))
    size = float(np.hypot(*stretch))
    even, skew = np.cosh(size), np.sinh(size) / size if size else 1.0
    a, b = stretch
    squared = (even - skew * a) * (y * y)[:, None] + (even + skew * a) * (x * x)
    squared = squared - 2 * skew * b * y[:, None] * x
    light: Floats = np.exp(-squared / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    return light


def fit(image: Floats, points: Floats) -> Fitted:
    """Fit a Gaussian on even ground to each point, the others' taken away.

    Points at which there is no spot to fit, or whose windows leave the image, are left out.

    Parameters
    ----------
    image
        (Y, X) grey levels.
    points
        (N, 2) where spots are, to two pixels or so.
    """
    pixel = np.rint(points).astype(int)
    inside = np.all((pixel >= HALF) & (pixel < np.array(image.shape) - HALF), axis=1)
    pixel = pixel[inside]
    found = [np.zeros(6)] * len(pixel)
    models = np.zeros((len(pixel), 2 * HALF + 1, 2 * HALF + 1))
    misfit = np.full(len(pixel), np.inf)
    total = np.zeros(image.shape)
    for number in range(_ROUNDS):
        for k, (y, x) in enumerate(pixel):
            box = slice(y - HALF, y + HALF + 1), slice(x - HALF, x + HALF + 1)
            window = image[box] - total[box] + models[k]
            solved = _fitted(window, found[k] if number else None)
            if solved is None:
                continue
            found[k], own, misfit[k] = solved
            total[box] += own - models[k]
            models[k] = own
    values = np.array(found).reshape(-1, 6)
    good = np.isfinite(misfit) & (np.hypot(values[:, 0], values[:, 1]) < _AWAY)
    fitted = Fitted(
        pixel + values[:, :2],
        np.exp(values[:, 2]),
        np.sqrt(np.maximum(np.exp(2 * values[:, 3]) - PIXEL, _LEAST**2)),
        values[:, 4:],
        misfit,
    )
    return fitted.some(good)


def _fitted(window: Floats, start: Floats | None) -> tuple[Floats, Floats, float] | None:
    """Return the six numbers of a window's Gaussian, its picture, and what it leaves."""
    ground, top = float(np.quantile(window, 0.2)), float(window[HALF - 1 : HALF + 2].max())
    peak = max(top - ground, 1e-6)
    if start is None:
        start = np.array([0, 0, np.log(peak * 2 * np.pi * _START**2), np.log(_START), 0, 0])
    shape = (2 * HALF + 1, 2 * HALF + 1)

    def picture(values: Floats) -> Floats:
        sigma = float(np.exp(np.clip(values[3], -2, 3)))
        light = float(np.exp(np.clip(values[2], -20, 30)))
        return light * gaussian(shape, HALF + values[:2], sigma, np.clip(values[4:6], -3, 3))

    def left(values: Floats) -> Floats:
        away: Floats = ((picture(values) + values[6] * peak - window) / peak).ravel()
        return away

    solved = optimize.least_squares(left, [*start, ground / peak], method="lm", max_nfev=400)
    if not np.all(np.isfinite(solved.x)):
        return None
    own = picture(solved.x)
    height = float(own.max())
    if height < 1e-3 * peak:
        return None
    return solved.x[:6], own, float(np.std(solved.fun)) * peak / height


def further(image: Floats, known: Fitted) -> Floats:
    """Return (M, 2) places of spots that are none of the known ones, as bright as most of them.

    Peaks of the negative Laplacian of Gaussian of the known spots' width.
    """
    sigma = float(np.median(known.sigmas))
    response = -ndimage.gaussian_laplace(image, sigma)
    least = np.quantile(ndimage.map_coordinates(response, known.positions.T, order=1), _DIM)
    peaks = np.argwhere(
        (response == ndimage.maximum_filter(response, 2 * round(sigma) + 3)) & (response > least)
    )
    away = np.array([np.hypot(*(known.positions - peak).T).min() for peak in peaks])
    return peaks[away > _NEAR].astype(np.float64).reshape(-1, 2)
