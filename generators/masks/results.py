"""The folder of what a network made: pictures, masks, labels, outlines, a sheet and a record."""

from __future__ import annotations

import json
import math
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image

from generators.masks.contours import collection, grey, sheet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.masks.making import Made
    from generators.masks.networks import MaskNetwork

MOST_TILES = 400
"""Pictures that a sheet shows, the first ones."""
LARGE = 256
"""Side in px that the frames of an animation are enlarged to, by a whole factor."""
MILLISECONDS = 40
"""That a frame of an animation stays."""
FOLDERS = {"pictures": ".png", "masks": ".png", "labels": ".tif", "outlines": ".geojson"}


def write(
    folder: Path, results: Iterable[Made], columns: int | None = None, *, corner: bool = False
) -> list[dict[str, Any]]:
    """Write what was made into a folder, and a sheet of it.

    Parameters
    ----------
    folder
        Where to; it exists and is empty.
    results
        One at a time; no more is kept than the sheet needs.
    columns
        Of the sheet; default: as many as rows.
    corner
        Leave the sheet's first place empty.

    Returns
    -------
    list of dict
        A row of the record for each.
    """
    for name in FOLDERS:
        (folder / name).mkdir()
    rows: list[dict[str, Any]] = []
    tiles: list[NDArray[np.uint8]] = []
    for made in results:
        name = made.latent.name
        image = grey(made.picture)
        files = {kind: f"{kind}/{name}{suffix}" for kind, suffix in FOLDERS.items()}
        Image.fromarray(image).save(folder / files["pictures"])
        mask = np.where(made.labels > 0, np.uint8(255), np.uint8(0))
        Image.fromarray(mask).save(folder / files["masks"])
        _write_labels(folder / files["labels"], made.labels)
        features = collection((region, made.latent.about) for region in made.regions)
        (folder / files["outlines"]).write_text(json.dumps(features) + "\n", encoding="utf-8")
        rows.append({**_told(made), **files})
        if len(tiles) < MOST_TILES:
            tiles.append(image)
    if corner:
        tiles.insert(0, np.zeros_like(tiles[0]))
    across = columns or math.ceil(math.sqrt(len(tiles)))
    Image.fromarray(sheet(tiles, across)).save(folder / "sheet.png")
    return rows


def _told(made: Made) -> dict[str, Any]:
    """Return the row of the record of what was made."""
    styles = {
        name: round(value, 6) if math.isfinite(value) else None
        for name, value in made.measured.items()
    }
    objects = len(made.regions)
    return {"name": made.latent.name, **made.latent.about, "objects": objects, "measured": styles}


def _write_labels(path: Path, labels: NDArray[Any]) -> None:
    tifffile.imwrite(
        path, labels, photometric="minisblack", metadata=None, compression="zlib", software=False
    )


def write_animation(path: Path, results: Iterable[Made]) -> list[dict[str, Any]]:
    """Write what was made as an animation without end, GIF or APNG by the suffix.

    Returns
    -------
    list of dict
        A row of the record for each frame.
    """
    rows, frames = [], []
    for made in results:
        frames.append(_enlarged(grey(made.picture)))
        rows.append(_told(made))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0)
    return rows


def _enlarged(image: NDArray[np.uint8]) -> Image.Image:
    factor = max(LARGE // max(image.shape[:2]), 1)
    size = image.shape[1] * factor, image.shape[0] * factor
    return Image.fromarray(image).resize(size, Image.Resampling.NEAREST)


def record(
    network: MaskNetwork, options: dict[str, Any], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what is needed to make the same again, and what came out."""
    return {
        "network": {
            "file": network.path.name,
            "sha256": network.digest,
            "kind": network.kind,
            "settings": json.loads(network.generator.settings.to_json()),
        },
        "options": options,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("cellgen-bench", "numpy", "torch")},
        },
        "made": rows,
    }
