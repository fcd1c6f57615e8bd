"""Outlines of labels as smooth curves with normals, free of the stairs of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.measure import find_contours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEP = 1.0
"""Distance of neighbouring points along a contour; px."""
SMOOTHING = 2.0
"""Standard deviation, along the contour, of the low-pass that takes the stairs off; px."""
MIN_AREA = 30
"""Smaller objects are nearly all stairs; px²."""


@dataclass(frozen=True)
class Contour:
    """A closed contour.

    Attributes
    ----------
    label
        Whose contour it is.
    points
        (V, 2) as (y, x), pixel centres at integers, in even steps of about `STEP`.
    normals
        (V, 2) unit vectors that point out of the object.
    length
        In px.
    """

    label: int
    points: Floats
    normals: Floats
    length: float


def contours(labels: NDArray[Any]) -> Iterator[Contour]:
    """Yield the outer contour of every object of at least `MIN_AREA` px², ordered by label.

    Parameters
    ----------
    labels
        (Y, X) integers, 0 background. Of an object in pieces the longest contour is taken.
    """
    ids, dense = np.unique(np.append(0, labels), return_inverse=True)
    dense = dense[1:].reshape(labels.shape)
    for label, box in zip(ids[1:], ndimage.find_objects(dense), strict=True):
        mask = dense[box] == np.searchsorted(ids, label)
        if np.count_nonzero(mask) >= MIN_AREA:
            corner = np.array([axis.start for axis in box], np.float64)
            yield _contour(int(label), mask, corner)


def _contour(label: int, mask: NDArray[np.bool_], corner: Floats) -> Contour:
    found: list[Floats] = find_contours(np.pad(mask, 1).astype(float), 0.5)  # type: ignore[no-untyped-call]
    longest = max(found, key=lambda curve: float(_steps(curve).sum()))
    points = smoothed(longest[:-1], SMOOTHING) + corner - 1
    along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    normals = np.stack([along[:, 1], -along[:, 0]], axis=1)
    normals = normals / np.maximum(np.hypot(*normals.T), 1e-12)[:, None]
    y, x = points.T
    clockwise = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0
    length = float(_steps(np.vstack([points, points[:1]])).sum())
    return Contour(label, points, normals if clockwise else -normals, length)


def _steps(curve: Floats) -> Floats:
    lengths: Floats = np.hypot(*np.diff(curve, axis=0).T)
    return lengths


def smoothed(points: Floats, width: float) -> Floats:
    """Return a closed curve in even steps of about `STEP`, low-passed without shrinking it.

    A Gaussian of standard deviation s draws a circle of radius R in by s² / 2R, which at a nucleus
    is .1 px or more. Applied to what it took away once more (transfer 1 - (1 - g)²), it draws it in
    by s⁴ / 8R³, which is nothing.

    Parameters
    ----------
    points
        (V, 2), the last joined to the first.
    width
        Standard deviation of the Gaussian along the curve; px.

    Examples
    --------
    >>> angle = np.arange(400) * (2 * np.pi / 400)
    >>> circle = 10 * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    >>> round(float(np.hypot(*smoothed(circle, 2.0).T).mean()), 2)
    10.0
    """
    closed = np.vstack([points, points[:1]])
    at = np.concatenate([[0.0], np.cumsum(_steps(closed))])
    count = max(8, round(at[-1] / STEP))
    # Steps are finer than the result's, so that even steps along the stairs alias nothing.
    fine = np.arange(4 * count) * (at[-1] / (4 * count))
    curve = np.stack([np.interp(fine, at, axis) for axis in closed.T], axis=1)
    frequency = np.fft.rfftfreq(4 * count, at[-1] / (4 * count))
    gaussian = np.exp(-0.5 * np.square(2 * np.pi * frequency * width))
    passed = 1 - np.square(1 - gaussian)
    spectrum = np.fft.rfft(curve, axis=0) * passed[:, None]
    low: Floats = np.fft.irfft(spectrum, n=4 * count, axis=0)[::4]
    return low
