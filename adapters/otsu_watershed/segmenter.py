"""The classical baseline: Gaussian, Otsu's threshold, distance transform, seeds, watershed.

Its defaults are those a biologist would start from. They were chosen once, for nuclei of ten to
forty pixels, and never fitted to a data set.
"""

from __future__ import annotations

from typing import Any, Dict

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.segmentation import watershed


class Segmenter:
    """Segments bright objects on a dark ground."""

    def __init__(self, model: str, parameters: Dict[str, Any], device: str) -> None:  # noqa: ARG002
        self._channel = parameters["channel"]
        self._sigma = parameters["sigma"]
        self._min_distance = parameters["min_distance"]
        self._min_size = parameters["min_size"]

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return labels (Y, X) for an image (C, Y, X)."""
        if self._channel > image.shape[0]:
            raise ValueError(f"no channel {self._channel}: the image has {image.shape[0]}")
        plane = image.mean(axis=0) if self._channel == 0 else image[self._channel - 1]
        # Otsu's criterion is not defined where all pixels are equal.
        if plane.size == 0 or plane.min() == plane.max():
            return np.zeros(plane.shape, np.uint32)
        smooth = gaussian(plane.astype(np.float32), self._sigma, preserve_range=True)
        foreground = ndimage.binary_fill_holes(smooth > threshold_otsu(smooth))
        return self._split(foreground)

    def _split(self, foreground: np.ndarray) -> np.ndarray:
        """Return labels of a mask, touching objects parted at their necks."""
        distance = ndimage.distance_transform_edt(foreground)
        # A plateau has one centre only after smoothing.
        distance = gaussian(distance, 1.0, preserve_range=True)
        parts, _ = ndimage.label(foreground)
        peaks = peak_local_max(
            distance, min_distance=self._min_distance, labels=parts, exclude_border=False
        )
        seeds = np.zeros(foreground.shape, np.int32)
        seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
        labels = watershed(-distance, seeds, mask=foreground)
        sizes = np.bincount(labels.ravel())
        labels[sizes[labels] < self._min_size] = 0
        return labels
