"""Networks that make masks: by name or file, with what their pictures mean."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import nearest
from generators.masks.tools import GREY, level_of
from generators.shapes.maps import Frames, MapSettings
from generators.stylegan.files import NetworkError, load_generator, load_notes

if TYPE_CHECKING:
    from generators.masks.pictures import Content
    from generators.stylegan.generator import Generator

MODELS = Path(__file__).parents[1] / "shapes" / "models"
SHIPPED = {
    "nuclei": "stylegan3-t-nuclei.safetensors",
    "fields": "stylegan3-t-fields.safetensors",
}
"""Networks that come with the project: their names and files."""


@dataclass(frozen=True)
class MaskNetwork:
    """A generator and what its pictures mean.

    Attributes
    ----------
    path
        Its file.
    digest
        SHA-256 of the file.
    generator
        On the CPU, ready to make pictures.
    kind
        `objects`, `fields` or `pictures`.
    level
        Inside is what exceeds it; of objects, 0.
    pixel_diameter
        Of fields, the median diameter of an object in pixels.
    map
        Of objects, what their pictures say of an outline.
    frames
        Of objects whose pictures show residuals, how large and how long they are.
    notes
        All that the file says of itself.
    """

    path: Path
    digest: str
    generator: Generator
    kind: Content
    level: float
    pixel_diameter: float | None
    map: MapSettings | None
    frames: Frames | None
    notes: dict[str, str]


def open_network(network: str | Path) -> MaskNetwork:
    """Open a network of the project by its name, or any by its file.

    A file that does not say what its pictures mean, such as one that was converted, is taken for
    pictures with CellGen's threshold.

    Parameters
    ----------
    network
        A key of `SHIPPED`, or a `.safetensors` file.

    Raises
    ------
    NetworkError
        There is none, or it cannot be used.
    """
    path = _path(network)
    notes = load_notes(path)
    generator = load_generator(path).eval().requires_grad_(requires_grad=False)
    content = _content(notes, path)
    of_objects = content["kind"] == "objects"
    try:
        shown = MapSettings.from_json(json.dumps(content["map"])) if of_objects else None
        framed = shown is not None and shown.kind == "residual"
        return MaskNetwork(
            path=path,
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            generator=generator,
            kind=content["kind"],
            level=0.0 if of_objects else float(content["level"]),
            pixel_diameter=content.get("pixel_diameter"),
            map=shown,
            frames=Frames.from_json(json.dumps(content["frames"])) if framed else None,
            notes=notes,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _meaningless(path, str(error)) from error


def _path(network: str | Path) -> Path:
    path = Path(network)
    if str(network) in SHIPPED:
        path = MODELS / SHIPPED[str(network)]
    if path.is_file():
        return path
    raise NetworkError(
        f"there is no network {str(network)!r}",
        mend=f"name a .safetensors file, or a shipped network: {nearest(str(network), SHIPPED)}",
    )


def _content(notes: dict[str, str], path: Path) -> dict[str, Any]:
    if "content" not in notes:
        return {"kind": "pictures", "level": level_of(GREY)}
    try:
        content = json.loads(notes["content"])
        known = content["kind"] in {"objects", "fields", "pictures"}
    except (ValueError, KeyError, TypeError) as error:
        raise _meaningless(path, str(error)) from error
    if not known:
        raise _meaningless(path, f"unknown kind {content['kind']!r}")
    return dict(content)


def _meaningless(path: Path, why: str) -> NetworkError:
    return NetworkError(
        f"what the network's pictures mean cannot be read: {why}",
        where=path,
        mend="use a file that `bench train masks` wrote with this version or an earlier one",
    )
