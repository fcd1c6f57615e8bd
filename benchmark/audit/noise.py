"""The noise of an image, by its Laplacian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FAR = 5
"""Background is more than so many steps to one of the four neighbours away from any object."""
MAD = 1.4826
"""A Gaussian's standard deviation over its median absolute deviation."""


def laplacian(image: NDArray[Any]) -> Floats:
    """Return the (Y - 2, X - 2) response of Immerkær's mask, over 6: noise of deviation 1 gives 1.

    Immerkær, Computer Vision and Image Understanding 64:300, 1996. Slow changes cancel in it.
    """
    values = image.astype(np.float64)
    response: Floats = np.diff(np.diff(values, 2, axis=0), 2, axis=1) / 6
    return response


def far_background(labels: NDArray[Any], steps: int = FAR) -> NDArray[np.bool_]:
    """Return which pixels are more than so many steps from any object."""
    if not labels.any():
        return np.ones(labels.shape, bool)
    near: NDArray[np.bool_] = ndimage.binary_dilation(labels > 0, iterations=steps)
    return ~near


def background_response(image: NDArray[Any], labels: NDArray[Any]) -> Floats:
    """Return the Laplacian's response, (n,), where all that it rests on is background."""
    return laplacian(image)[far_background(labels, FAR + 1)[1:-1, 1:-1]]


def noise_level(image: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the noise at the edges of objects: the mean variance of inside and background.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 3, (200, 200))
    >>> round(noise_level(noise, np.zeros((200, 200), int)), 1)
    3.0
    """
    response = laplacian(image)
    inside = response[ndimage.binary_erosion(labels > 0, iterations=2)[1:-1, 1:-1]]
    places = (background_response(image, labels), inside)
    found = [MAD * float(np.median(np.abs(one))) for one in places if one.size >= 50]
    if not found:
        return MAD * float(np.median(np.abs(response)))
    return float(np.sqrt(np.mean(np.square(found))))
