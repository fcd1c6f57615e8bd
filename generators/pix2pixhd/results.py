"""What `bench generate textures` writes: a picture for each input, and a record of all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image

from generators.pix2pixhd.making import codes_for, made
from generators.seeds import Seed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.pix2pixhd.clusters import Codes
    from generators.pix2pixhd.folders import Source
    from generators.pix2pixhd.making import TextureNetwork


def write(
    folder: Path,
    network: TextureNetwork,
    source: Source,
    *,
    centres: Codes | None = None,
    seed: int = 0,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[dict[str, Any]]:
    """Make a picture of each input and write it below `images/`; return a row about each.

    Parameters
    ----------
    folder
        An empty one.
    network
        What makes them.
    source
        The inputs.
    centres
        Representative codes, for a network that sees codes; None: real pictures are encoded.
    seed
        Of the codes that are drawn.
    tell
        Called with the pictures done and all of them.
    """
    examples, rows = network.examples(source), []
    (folder / "images").mkdir()
    for number, name in enumerate(_distinct(source.names)):
        example = examples.read(number)
        drawn = Seed.root(seed).at("codes", name)
        picture = made(network, example, codes_for(network, example, centres, drawn))
        path = write_picture(folder / "images", name, network.greys.restored(picture))
        row: dict[str, Any] = {
            "name": name,
            "from": example.where.name,
            "picture": path.relative_to(folder).as_posix(),
        }
        if example.real is not None:
            row["L1"] = float(np.abs(picture - example.real).mean())
        rows.append(row)
        tell(number + 1, len(source.names))
    return rows


def write_picture(folder: Path, name: str, planes: NDArray[Any]) -> Path:
    """Write planes (C, H, W) as PNG where it is 8 bits of grey or colour, else as TIFF."""
    if planes.dtype == np.uint8 and len(planes) in {1, 3}:
        path = folder / f"{name}.png"
        Image.fromarray(planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1)).save(path)
        return path
    path = folder / f"{name}.tif"
    axes = "YX" if len(planes) == 1 else "CYX"
    tifffile.imwrite(
        path,
        planes[0] if len(planes) == 1 else planes,
        photometric="minisblack",
        compression="zlib",
        metadata={"axes": axes},
    )
    return path


def _distinct(names: tuple[str, ...]) -> list[str]:
    """Return names none of which comes twice: of those that do, numbered.

    Examples
    --------
    >>> _distinct(("a", "b", "a"))
    ['a-00000', 'b', 'a-00002']
    >>> _distinct(("a", "a", "a-00001"))
    ['a-00000', 'a-00001-', 'a-00001']
    """
    counts = Counter(names)
    distinct: list[str] = []
    for number, name in enumerate(names):
        own = name if counts[name] == 1 else f"{name}-{number:05d}"
        while counts[name] > 1 and (own in counts or own in distinct):
            own += "-"
        distinct.append(own)
    return distinct
