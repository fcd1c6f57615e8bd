"""A rough segmentation by classical means: good enough for medians over many objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import regionprops
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.polygons import Floats

SMALLEST = 20
"""Objects of fewer pixels are noise."""
CLEAR = 6.0
"""Objects stand out of the background by so many standard deviations of the smoothed image."""


class Rough(NamedTuple):
    """What was found in an image.

    Attributes
    ----------
    labels
        (Y, X) int32, 0 background.
    ground
        Median grey level of the background.
    noise
        Standard deviation in grey levels of a background pixel's noise.
    """

    labels: NDArray[np.int32]
    ground: float
    noise: float


LEFT = 1 / np.sqrt(4 * np.pi)
"""Share of white noise that a Gaussian of 1 px leaves."""
LAPLACE = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])


def noise_in(image: Floats, where: NDArray[np.bool_]) -> float:
    """Return the standard deviation of the noise of a pixel in part of an image.

    By a mask that is blind to planes and edges: J. Immerkaer, Fast noise variance estimation,
    Computer Vision and Image Understanding 64 (1996) 300; the standard deviation, clipped at 3.5
    times itself, in place of a mean of moduli, so that edges do not count.

    Examples
    --------
    >>> image = 7.0 + np.random.default_rng(0).normal(0, 3, (200, 200))
    >>> round(noise_in(image, np.ones((200, 200), bool)), 1)
    3.0
    """
    filtered = ndimage.convolve(image, LAPLACE)[where]
    if filtered.size < 16:
        return float("nan")
    for _ in range(3):
        spread = filtered.std()
        filtered = filtered[np.abs(filtered) <= 3.5 * spread] if spread > 0 else filtered
    return float(filtered.std() / 6)


def roughly(image: Floats) -> Rough:
    """Find the bright objects of an image.

    Objects stand out by Otsu's threshold, lowered to half its height over the background, are
    divided at the waists of their shape, and end at half of their own height. Where all is noise,
    there are none.

    Parameters
    ----------
    image
        (Y, X) grey levels.
    """
    smooth = ndimage.gaussian_filter(image, 1.0)
    everywhere = np.ones(image.shape, dtype=bool)
    threshold = _threshold(smooth, noise_in(image, everywhere))
    below = smooth <= threshold
    ground = float(np.median(smooth[below]))
    far = ndimage.binary_erosion(
        smooth <= (ground + min(threshold, smooth.max())) / 2, iterations=3, border_value=1
    )
    if far.sum() > 400:
        ground, below = float(np.median(smooth[far])), far
    noise = noise_in(image, below)
    spread = 1.4826 * float(np.median(np.abs(smooth[below] - ground)))
    low = max((ground + threshold) / 2, ground + CLEAR * max(spread, noise * LEFT))
    mask = ndimage.binary_fill_holes(ndimage.binary_opening(smooth > low))
    return Rough(_at_half_height(smooth, _divided(mask), ground), ground, noise)


def _threshold(smooth: Floats, noise: float) -> float:
    """Return Otsu's threshold; infinity where noise alone would have it."""
    if np.ptp(smooth) == 0:
        return float("inf")
    threshold = float(threshold_otsu(smooth))  # type: ignore[no-untyped-call]
    ground = float(np.median(smooth[smooth <= threshold]))
    return threshold if threshold - ground > 3 * LEFT * noise else float("inf")


def _divided(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the regions of a mask, divided where they have waists."""
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 1.0) * mask
    # A neck counts if it is narrower than the bodies by this share of their typical depth.
    typical = float(np.median(depth[mask])) if mask.any() else 1.0
    peaks = ndimage.label(h_maxima(depth, max(0.35 * typical, 0.75)))[0]  # type: ignore[no-untyped-call]
    divided: NDArray[np.int32] = watershed(-depth, peaks, mask=mask)  # type: ignore[no-untyped-call]
    return divided


def _at_half_height(smooth: Floats, labels: NDArray[np.int32], ground: float) -> NDArray[np.int32]:
    """Return each region as the pixels near it that exceed half of its median's height."""
    apart = ndimage.distance_transform_edt(labels == 0)
    basins = watershed(apart, labels, mask=apart <= 4)  # type: ignore[no-untyped-call]
    found = np.zeros_like(labels)
    number = 0
    for region in regionprops(basins):  # type: ignore[no-untyped-call]
        own = region.slice
        core = labels[own] == region.label
        height = np.median(smooth[own][core]) - ground
        inside = (basins[own] == region.label) & (smooth[own] > ground + height / 2)
        inside = ndimage.binary_fill_holes(inside)
        if inside.sum() >= SMALLEST:
            number += 1
            found[own][inside] = number
    return found
