# ruff: noqa: INP001 - loaded from beside segmenter.py, on its own
"""What training and segmentation must do alike to an image's intensities."""

from __future__ import annotations

import numpy as np


def normalise(plane: np.ndarray) -> np.ndarray:
    """Map the 1st percentile to 0 and the 99.8th to 1; a flat plane becomes 0.

    Percentiles, and not the extremes, so that a hot pixel does not dim everything else.

    Parameters
    ----------
    plane
        Intensities (Y, X) of any numeric type.

    Returns
    -------
    numpy.ndarray
        (Y, X) float32, neither end clipped.
    """
    plane = plane.astype(np.float32)
    low, high = np.percentile(plane, (1, 99.8))
    if high <= low:
        return np.zeros_like(plane)
    return ((plane - low) / (high - low)).astype(np.float32)
