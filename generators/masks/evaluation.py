"""How real fields are: the objects that made fields show, beside those of held-back real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from generators.masks.contours import labelled, regions
from generators.shapes.geometry import moments, stacked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from generators.polygons import Floats


def objects_of(planes: Iterable[NDArray[np.floating]], level: float) -> dict[str, Floats]:
    """Return what fields show: objects in each, and the area and eccentricity of whole ones.

    Parameters
    ----------
    planes
        (Y, X) each.
    level
        Where inside begins.

    Returns
    -------
    dict
        `count` (N,) of all objects in a field; `area` in px² and `eccentricity` (M,) of those that
        no border cuts.

    Examples
    --------
    >>> y, x = np.indices((32, 32)) - 15.5
    >>> found = objects_of([6 - np.hypot(y, x)], 0.0)
    >>> found["count"].tolist(), found["area"].round().tolist()
    ([1.0], [112.0])
    """
    counts, outlines = [], []
    for plane in planes:
        found = regions(plane, level, labelled(plane, level))
        counts.append(float(len(found)))
        outlines += [
            region.outline for region in found if not region.cut and len(region.outline) > 8
        ]
    about = moments(stacked(outlines))
    return {
        "count": np.array(counts),
        "area": about.area,
        "eccentricity": about.eccentricity if outlines else np.zeros(0),
    }


def compared(made: dict[str, Floats], real: dict[str, Floats]) -> dict[str, float]:
    """Return what `objects_of` made and real fields says, side by side.

    Returns
    -------
    dict
        `objects_made` and `objects_real`, the mean number in a field; `ks_count`, `ks_area` and
        `ks_eccentricity`, the Kolmogorov-Smirnov distances: 0 for the same distribution, 1 for no
        overlap, NaN where one side has nothing.

    Examples
    --------
    >>> real = {"count": np.array([3.0, 5.0]), "area": np.ones(9), "eccentricity": np.ones(9)}
    >>> compared(real, real)["ks_area"]
    0.0
    """
    distances = {
        f"ks_{name}": float(stats.ks_2samp(made[name], real[name]).statistic)
        if len(made[name]) and len(real[name])
        else float("nan")
        for name in ("count", "area", "eccentricity")
    }
    means = {
        "objects_made": float(np.mean(made["count"])),
        "objects_real": float(np.mean(real["count"])),
    }
    return means | distances
