"""Measure the objects of a label image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def measure_objects(image: NDArray[Any], labels: NDArray[Any]) -> pd.DataFrame:
    """Measure the objects of a label image, one row each, ordered by label.

    Parameters
    ----------
    image
        Shape (C, Y, X).
    labels
        Shape (Y, X), 0 background.
    """
    ids, compact = np.unique(labels, return_inverse=True)
    compact = compact.reshape(labels.shape)
    if ids.size and ids[0] != 0:
        compact = compact + 1
    else:
        ids = ids[1:]
    boxes = ndimage.find_objects(compact)
    centres = np.array(ndimage.center_of_mass(compact > 0, compact, np.arange(1, ids.size + 1)))
    centres = centres.reshape(-1, 2)
    return pd.DataFrame(
        {
            "label": ids.astype(np.int64),
            "area": np.bincount(compact.ravel(), minlength=ids.size + 1)[1:],
            "centroid_y": centres[:, 0],
            "centroid_x": centres[:, 1],
            "box_y0": np.array([box[0].start for box in boxes], dtype=np.int64),
            "box_x0": np.array([box[1].start for box in boxes], dtype=np.int64),
            "box_y1": np.array([box[0].stop for box in boxes], dtype=np.int64),
            "box_x1": np.array([box[1].stop for box in boxes], dtype=np.int64),
        }
    )
