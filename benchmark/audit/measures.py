"""What is measured of cells and of images: size, shape, spacing, light, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import KDTree
from skimage.measure import regionprops_table

from benchmark.audit.noise import MAD, background_response, far_background

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SHAPE = {
    "area_px": "area",
    "equiv_diameter_px": "equivalent_diameter_area",
    "major_axis_px": "axis_major_length",
    "minor_axis_px": "axis_minor_length",
    "eccentricity": "eccentricity",
    "solidity": "solidity",
}
CELL = (
    *_SHAPE,
    "nn_centroid_distance_px",
    "nn_over_equiv_diameter",
    "mean_intensity",
    "relative_intensity",
    "within_cell_cv",
)
"""Measures of cells: those of shape of cells that do not touch the border, the others of all."""
IMAGE = (
    "cells",
    "density_per_megapixel",
    "foreground_fraction",
    "touching_fraction",
    "bg_mean",
    "bg_std",
    "fg_mean",
    "contrast_fg_minus_bg",
    "fg_over_bg_ratio",
    "snr_contrast_over_bg_std",
    "noise_sigma_laplacian_mad",
    "noise_sigma_laplacian_std",
    "snr_contrast_over_noise_sigma",
    "cell_to_cell_intensity_cv",
)
"""Measures of images."""
RAW = frozenset(
    {
        "mean_intensity",
        "bg_mean",
        "bg_std",
        "fg_mean",
        "contrast_fg_minus_bg",
        "noise_sigma_laplacian_mad",
        "noise_sigma_laplacian_std",
    }
)
"""Measures in grey levels: between cameras that differ in gain or offset they mean nothing."""


def cell_measures(image: NDArray[Any], labels: NDArray[Any]) -> dict[str, Floats]:
    """Measure the cells of an image (Y, X) with labels (Y, X).

    Returns
    -------
    dict
        For each of `CELL` one value a cell, and `touching`: whether another label is among the
        eight neighbours of its pixels. `relative_intensity` is the mean over the background's, in
        units of the image's median of that; `within_cell_cv` the standard deviation over the mean.
    """
    ids, dense = np.unique(np.append(0, labels), return_inverse=True)
    dense = dense[1:].reshape(labels.shape).astype(np.int64)
    count = ids.size - 1
    if count == 0:
        return {name: np.zeros(0) for name in (*CELL, "touching")}
    names = ("centroid", "bbox", *_SHAPE.values())
    table = regionprops_table(dense, properties=names)  # type: ignore[no-untyped-call]
    inner = _interior(table, labels.shape)
    found = {ours: np.asarray(table[theirs], np.float64)[inner] for ours, theirs in _SHAPE.items()}
    centroids = np.stack([table["centroid-0"], table["centroid-1"]], axis=1)
    if count > 1:
        apart = np.asarray(KDTree(centroids).query(centroids, k=2)[0])[:, 1]
        found["nn_centroid_distance_px"] = apart
        found["nn_over_equiv_diameter"] = apart / np.asarray(table["equivalent_diameter_area"])
    else:
        found["nn_centroid_distance_px"] = found["nn_over_equiv_diameter"] = np.zeros(0)
    mean, spread = _levels(image, dense, count)
    ground = _ground(image, labels)
    above = mean - (float(ground.mean()) if ground.size else float(image.min()))
    typical = float(np.median(above))
    found["mean_intensity"] = mean
    found["relative_intensity"] = above / typical if typical > 0 else np.zeros(0)
    found["within_cell_cv"] = (spread / np.where(mean > 0, mean, np.nan))[mean > 0]
    found["touching"] = _touching(dense, count)
    return found


def image_measures(
    image: NDArray[Any], labels: NDArray[Any], cells: dict[str, Floats]
) -> dict[str, float]:
    """Measure an image (Y, X) with labels (Y, X); NaN where there is nothing to measure.

    Background is what is more than 5 px away from any label, along rows and columns. The noise is
    that of Immerkær's Laplacian on background, once by its median absolute deviation, once by its
    deviation, which is the one in the SNR.
    """
    ground = _ground(image, labels)
    inside = image[labels > 0].astype(np.float64)
    response = background_response(image, labels)
    mean = cells["mean_intensity"]
    count = mean.size
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.float64(ground.mean()) if ground.size else np.float64("nan")
        deviation = np.float64(ground.std()) if ground.size else np.float64("nan")
        light = np.float64(inside.mean()) if inside.size else np.float64("nan")
        centre = response - np.median(response) if response.size else np.full(1, np.nan)
        noise = np.float64(MAD * np.median(np.abs(centre)))
        rough = np.float64(response.std()) if response.size else np.float64("nan")
        values = (
            count,
            count / image.size * 1e6,
            inside.size / image.size,
            cells["touching"].mean() if count else np.nan,
            low,
            deviation,
            light,
            light - low,
            light / low,
            (light - low) / deviation,
            noise,
            rough,
            (light - low) / rough,
            mean.std() / mean.mean() if count > 1 else np.nan,
        )
    return dict(zip(IMAGE, map(float, values), strict=True))


def _levels(image: NDArray[Any], dense: NDArray[np.int64], count: int) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of each object's pixels."""
    label, values = dense[dense > 0] - 1, image[dense > 0].astype(np.float64)
    area = np.bincount(label, minlength=count)
    mean = np.bincount(label, values, count) / area
    square = np.bincount(label, np.square(values - mean[label]), count) / area
    return mean, np.sqrt(square)


def _ground(image: NDArray[Any], labels: NDArray[Any]) -> Floats:
    ground: Floats = image[far_background(labels)].astype(np.float64)
    return ground


def _interior(table: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inner: NDArray[np.bool_] = (
        (table["bbox-0"] > 0)
        & (table["bbox-1"] > 0)
        & (table["bbox-2"] < shape[0])
        & (table["bbox-3"] < shape[1])
    )
    return inner


def _touching(dense: NDArray[np.int64], count: int) -> Floats:
    """Return 1 for each object that has another among the eight neighbours of its pixels."""
    found = np.zeros(count + 1)
    padded = np.pad(dense, 1)
    height, width = dense.shape
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        near = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        meet = (dense != near) & (dense > 0) & (near > 0)
        found[dense[meet]] = found[near[meet]] = 1
    return found[1:]
