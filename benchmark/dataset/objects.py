"""Measure the objects of a label image: what makes each of them easy or hard to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

# Annotators draw outlines a little outside or inside the edge, and the blur of the lens reaches
# further than the object: the background beside an object begins some pixels away from it.
RING = (3.0, 8.0)
FAR = 5.0
"""Background that is farther than this from any object shows noise and nothing else; px."""

MAX_PAIRS = 1_000_000
"""Up to here all pairs of points are compared at once, which is faster than a tree."""


def measure_objects(image: NDArray[Any], labels: NDArray[Any]) -> pd.DataFrame:
    """Measure the objects of a label image, one row each, ordered by label.

    Parameters
    ----------
    image
        Shape (C, Y, X), any number type.
    labels
        Shape (Y, X), any integer type, 0 background.

    Returns
    -------
    pd.DataFrame
        `label`; `area` in px; `centroid_y`, `centroid_x`, with pixel centres at integers;
        `box_y0`, `box_x0`, `box_y1`, `box_x1`, half open;
        `contrast`: mean of the object less the mean of the background 3 to 8 px away from it and
        nearer to it than to any other object, in the channel where this is greatest;
        `snr`: that contrast over the noise of the channel's background (Immerkær, Computer
        Vision and Image Understanding 64:300, 1996);
        `gap`: background pixels between the object and the nearest other one, which is the
        distance of their nearest pixel centres less one;
        `touching`: whether the nearest other object is a neighbour, corners included;
        `hidden`: NaN, for how much lies under others cannot be seen; `parent`: 0, none.
        NaN where there is nothing to measure: no background, no noise, no other object.

    Examples
    --------
    >>> labels = np.zeros((9, 16), int)
    >>> labels[4:6, 3:5] = 7
    >>> labels[4:6, 8:10] = 9
    >>> image = np.where(labels > 0, 50, 10)[np.newaxis]
    >>> table = measure_objects(image, labels)
    >>> table[["label", "area", "centroid_x", "contrast", "gap"]].values.tolist()
    [[7.0, 4.0, 3.5, 40.0, 3.0], [9.0, 4.0, 8.5, 40.0, 3.0]]
    """
    return pd.DataFrame(object_columns(image, labels))


def object_columns(image: NDArray[Any], labels: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of `measure_objects` without the cost of a data frame."""
    ids, compact = _compact(labels)
    area, centroids, boxes = _geometry(compact, ids.size)
    if ids.size:
        owner, squared, feature = _nearest(compact)
        contrast, snr = _contrast(image, compact, owner, squared, area)
        nearest = _nearest_other(compact, owner, feature, ids.size)
    else:
        contrast = snr = nearest = np.zeros(0)
    return {
        "label": ids,
        "area": area,
        "centroid_y": centroids[:, 0],
        "centroid_x": centroids[:, 1],
        "box_y0": boxes[:, 0],
        "box_x0": boxes[:, 1],
        "box_y1": boxes[:, 2],
        "box_x1": boxes[:, 3],
        "contrast": contrast,
        "snr": snr,
        "gap": nearest - 1.0,
        "touching": nearest < 1.5,
        "hidden": np.full(ids.size, np.nan),
        "parent": np.zeros(ids.size, np.int64),
    }


def _compact(labels: NDArray[Any]) -> tuple[Integers, NDArray[np.int32]]:
    """Return the labels in use, and the image with 1…n in their place."""
    if int(labels.max(initial=0)) <= labels.size:
        labels = labels.astype(np.intp)
        present = np.bincount(labels.ravel()) > 0
        present[0] = False
        ids = np.flatnonzero(present)
        compact = np.cumsum(present, dtype=np.int32)[labels]
        compact[labels == 0] = 0
    else:
        values, inverse = np.unique(labels, return_inverse=True)
        ids = values[values > 0].astype(np.int64)
        offset = 1 - int(values[0] == 0)
        compact = (inverse.reshape(labels.shape) + offset).astype(np.int32)
    return ids, compact


def _geometry(compact: NDArray[np.int32], count: int) -> tuple[Integers, Floats, Integers]:
    """Return areas (n,), centroids (n, 2) and boxes (n, 4)."""
    inside = np.flatnonzero(compact)
    label = compact.ravel()[inside] - 1
    y, x = np.divmod(inside, compact.shape[1])
    area = np.bincount(label, minlength=count)
    sums = [np.bincount(label, weights=axis, minlength=count) for axis in (y, x)]
    centroids = np.stack(sums, axis=1) / np.maximum(area, 1)[:, None]
    slices = ndimage.find_objects(compact)
    boxes = [(b[0].start, b[1].start, b[0].stop, b[1].stop) for b in slices]
    return area, centroids, np.array(boxes, dtype=np.int64).reshape(count, 4)


def _nearest(
    compact: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return for each pixel the nearest object, its squared distance and its nearest pixel."""
    feature = ndimage.distance_transform_edt(
        compact == 0, return_distances=False, return_indices=True
    )
    y, x = np.ogrid[: compact.shape[0], : compact.shape[1]]
    squared = np.square(feature[0] - y) + np.square(feature[1] - x)
    owner = compact.ravel()[feature[0] * compact.shape[1] + feature[1]]
    return owner, squared.astype(np.int32, copy=False), feature


def _contrast(
    image: NDArray[Any],
    compact: NDArray[np.int32],
    owner: NDArray[np.int32],
    squared: NDArray[np.int32],
    area: Integers,
) -> tuple[Floats, Floats]:
    count = area.size
    inside = compact > 0
    ring = (squared >= RING[0] ** 2) & (squared <= RING[1] ** 2)
    ring_area = np.bincount(owner[ring], minlength=count + 1)[1:]
    far = squared > FAR**2
    contrast = np.full(count, np.nan)
    snr = np.full(count, np.nan)
    for channel in image:
        signal = np.bincount(compact[inside], channel[inside], count + 1)[1:] / area
        background = np.bincount(owner[ring], channel[ring], count + 1)[1:]
        background = np.divide(
            background, ring_area, out=np.full(count, np.nan), where=ring_area > 0
        )
        found = signal - background
        sigma = _noise(channel, far)
        better = ~(found <= contrast)  # true where nothing was found before
        contrast[better] = found[better]
        snr[better] = found[better] / sigma if sigma > 0 else np.nan
    return contrast, snr


def _noise(channel: NDArray[Any], where: NDArray[np.bool_]) -> float:
    """Return the standard deviation of the noise by Immerkær's Laplacian; NaN without pixels."""
    values = channel.astype(np.float32)
    laplacian = np.diff(np.diff(values, 2, axis=0), 2, axis=1)
    chosen = laplacian[where[1:-1, 1:-1]]
    if chosen.size == 0:
        return float("nan")
    return float(np.sqrt(np.pi / 2) * np.abs(chosen).mean(dtype=np.float64) / 6)


def _nearest_other(
    compact: NDArray[np.int32],
    owner: NDArray[np.int32],
    feature: NDArray[np.int32],
    count: int,
) -> Floats:
    """Return for each object the distance of its pixels from the nearest of another; NaN if none.

    The two nearest pixels of two objects face each other across the line where "nearest" changes
    from one to the other. That line gives the neighbours of each object, and each distance to
    within the width of some pixels; only the few that may be least are then measured exactly.
    """
    first, second, upper = _facing(owner, feature, count)
    best = np.full(count, np.inf)
    np.minimum.at(best, first, upper)
    np.minimum.at(best, second, upper)
    may_be_least = upper <= np.maximum(best[first], best[second]) + 3.0
    edges = _edges(compact, count)
    exact = np.full(count, np.inf)
    for i, j in zip(first[may_be_least], second[may_be_least], strict=True):
        found = _distance(edges[i], edges[j])
        exact[i] = min(exact[i], found)
        exact[j] = min(exact[j], found)
    return np.where(np.isinf(exact), np.nan, exact)


def _facing(
    owner: NDArray[np.int32], feature: NDArray[np.int32], count: int
) -> tuple[Integers, Integers, Floats]:
    """Return the pairs of objects that face each other and an upper bound of their distance."""
    pairs, squares = [], []
    for near, far in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1, :], np.s_[1:, :]),
    ):
        at = np.nonzero(owner[near] != owner[far])
        a = owner[near][at].astype(np.int64) - 1
        b = owner[far][at].astype(np.int64) - 1
        step = [(axis[near][at] - axis[far][at]).astype(np.int64) for axis in feature]
        pairs.append(np.minimum(a, b) * count + np.maximum(a, b))
        squares.append(step[0] ** 2 + step[1] ** 2)
    keys, inverse = np.unique(np.concatenate(pairs), return_inverse=True)
    least = np.full(keys.size, np.iinfo(np.int64).max)
    np.minimum.at(least, inverse, np.concatenate(squares))
    return keys // count, keys % count, np.sqrt(least.astype(np.float64))


def _edges(compact: NDArray[np.int32], count: int) -> list[Floats]:
    """Return for each object its pixels (k, 2) with a side neighbour outside it."""
    inner = np.zeros(compact.shape, bool)
    centre = compact[1:-1, 1:-1]
    inner[1:-1, 1:-1] = (
        (centre == compact[:-2, 1:-1])
        & (centre == compact[2:, 1:-1])
        & (centre == compact[1:-1, :-2])
        & (centre == compact[1:-1, 2:])
    )
    at = np.flatnonzero((compact > 0) & ~inner)
    label = compact.ravel()[at]
    order = np.argsort(label, kind="stable")
    pixels = np.stack(np.divmod(at[order], compact.shape[1]), axis=1).astype(np.float64)
    return np.split(pixels, np.cumsum(np.bincount(label, minlength=count + 1)[1:-1]))


def _distance(first: Floats, second: Floats) -> float:
    """Return the least distance between two sets of points."""
    if len(first) * len(second) > MAX_PAIRS:
        distances, _ = KDTree(first).query(second)
        return float(np.min(distances))
    return float(np.sqrt(cdist(first, second, "sqeuclidean").min()))
