"""Distributions of size, shape, density, light and noise, beside those of real images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.audit import spectrum
from benchmark.audit.distances import apart, apart_from_quantiles, quantiles
from benchmark.audit.measures import CELL, IMAGE, cell_measures, image_measures
from benchmark.audit.noise import far_background

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from benchmark.audit.sources import Source, Sources

    Floats = NDArray[np.float64]


@dataclass
class Measured:
    """What was measured of a set of images: values of cells, values of images, band powers."""

    cells: dict[str, list[Floats]] = field(default_factory=lambda: {name: [] for name in CELL})
    images: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in IMAGE})
    powers: list[Floats] = field(default_factory=list)
    tiles: int = 0
    touching: list[Floats] = field(default_factory=list)

    def add(self, image: NDArray[Any], labels: NDArray[Any]) -> None:
        """Measure one more image (Y, X) with its labels (Y, X)."""
        cells = cell_measures(image, labels)
        for name in CELL:
            self.cells[name].append(cells[name])
        for name, value in image_measures(image, labels, cells).items():
            self.images[name].append(value)
        self.touching.append(cells["touching"])
        plane = _in_light(image, labels)
        if plane is not None:
            power, tiles = spectrum.spectrum([plane])
            self.powers.append(power * tiles)
            self.tiles += tiles

    def values(self) -> dict[str, Floats]:
        """Return all values of each measure; those of images have the prefix `image:`."""
        cells = {name: np.concatenate(found) for name, found in self.cells.items()}
        images = {f"image:{name}": np.array(found) for name, found in self.images.items()}
        return {**cells, **images}

    def power(self) -> Floats:
        """Return the mean power in each band; NaN if all images are smaller than a tile."""
        if not self.tiles:
            return np.full(spectrum.BANDS, np.nan)
        mean: Floats = np.sum(self.powers, axis=0) / self.tiles
        return mean


def _in_light(image: NDArray[Any], labels: NDArray[Any]) -> Floats | None:
    """Return an image with its background at 0 and its objects at 1 in the mean.

    None where there are no objects or no light: cameras differ in gain and offset, so that only
    what is scaled by the image's own light can be compared.
    """
    ground, inside = image[far_background(labels)], image[labels > 0]
    if not (ground.size and inside.size):
        return None
    low = float(ground.mean())
    light = float(inside.mean()) - low
    return (image.astype(np.float64) - low) / light if light > 0 else None


def statistics(
    sources: Sources,
    limit: int | None,
    tell: Callable[[int, int], None],
    known: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measure every column, and compare it with the reference.

    Parameters
    ----------
    sources
        What is compared.
    limit
        At most so many images of each.
    tell
        Given the images done and all of them.
    known
        Statistics of a real set: `per_cell` and `per_image`, with the quantiles of each measure.
        Without them None.

    Returns
    -------
    dict
        By column, and for `reference`: `n_images`, `n_cells`, `touching_fraction`, `measures` with
        the quantiles of each, `power` in each band. A column also has `apart`, for each measure
        what `distances.apart` says, `power_ratio` to the reference and, with `known`, `stats`.
    """
    every = {"reference": sources.reference, **sources.columns}
    total = sum(min(len(source), limit or len(source)) for source in every.values())
    found: dict[str, Measured] = {}
    done = 0
    for name, source in every.items():
        found[name] = Measured()
        for _, image, labels in source.images(limit):
            found[name].add(image, labels)
            done += 1
            tell(done, total)
    columns = {name: _described(one) for name, one in found.items()}
    truth, power = found["reference"].values(), found["reference"].power()
    for name in sources.columns:
        values = found[name].values()
        columns[name]["apart"] = {key: apart(values[key], truth[key]) for key in truth}
        columns[name]["power_ratio"] = _plain(found[name].power() / power)
        if known is not None:
            columns[name]["stats"] = _against(values, known)
    return columns


def measured(source: Source, limit: int | None = None) -> Measured:
    """Measure one set of images."""
    found = Measured()
    for _, image, labels in source.images(limit):
        found.add(image, labels)
    return found


def _described(found: Measured) -> dict[str, Any]:
    touching = np.concatenate(found.touching) if found.touching else np.zeros(0)
    return {
        "n_images": len(found.touching),
        "n_cells": int(touching.size),
        "n_tiles": found.tiles,
        "touching_fraction": round(float(touching.mean()), 4) if touching.size else None,
        "measures": {name: quantiles(values) for name, values in found.values().items()},
        "power": _plain(found.power()),
    }


def _against(values: Mapping[str, Floats], known: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the gap to the quantiles known of each measure."""
    rows = {**known.get("per_cell", {})}
    rows |= {f"image:{name}": row for name, row in known.get("per_image", {}).items()}
    return {
        name: apart_from_quantiles(values[name], row)
        for name, row in rows.items()
        if name in values and isinstance(row, dict)
    }


def _plain(values: Floats) -> list[float | None]:
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]
