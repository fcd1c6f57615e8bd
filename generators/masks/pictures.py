"""Pictures to learn from, whatever they are made of: `open_pictures`."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from benchmark.dataset import open_any
from benchmark.dataset.digest import array_digest, json_digest
from benchmark.errors import BenchError, DatasetError, nearest
from generators.masks import folder, statistics, tools
from generators.masks.fields import FieldOptions, pictures_of
from generators.masks.objects import ObjectOptions, outlines_in
from generators.shapes.maps import Frames, MapSettings, fitted, maps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from benchmark.dataset import Dataset
    from generators.masks.tools import Picture

Content = Literal["objects", "fields", "pictures"]
TO_FIT = 2000
"""Objects, evenly taken, that the scale of residuals is fitted to."""
MEMORY = 2**30
"""Bytes from which on pictures are kept in a file, not in memory."""


@dataclass(frozen=True)
class PictureOptions:
    """How a folder or archive of pictures is laid out.

    Parameters
    ----------
    fit
        `crop` the square in the middle, or `stretch` the whole picture to a square.
    channels
        1 or 3; default: as the first picture has.
    threshold
        Make masks of the pictures: white where they reach this grey of 0 to 255 (CellGen: 240).
    fill
        Fill the holes of what reaches the threshold.
    flip, turn, brightness
        Variants to learn from as well; see `generators.masks.tools.augmented`.
    """

    fit: Literal["crop", "stretch"] = "crop"
    channels: Literal[1, 3] | None = None
    threshold: Annotated[float, Field(ge=0, le=255)] | None = None
    fill: bool = False
    flip: bool = False
    turn: Annotated[float, Field(ge=0, le=180)] = 0.0
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0


@dataclass(frozen=True)
class Pictures:
    """Pictures to learn from.

    Attributes
    ----------
    images
        (N, C, S, S) float32 within [-1, 1], in memory or mapped from a file.
    classes
        (N, c_dim) float32, or None.
    content
        JSON on what the pictures mean, for the notes of a network's file.
    digest
        SHA-256 of images and classes.
    summary
        Figures: how many, how large, how many were dropped and why.
    """

    images: NDArray[np.float32]
    classes: NDArray[np.float32] | None
    content: str
    digest: str
    summary: dict[str, Any]


Options = TypeVar("Options", ObjectOptions, FieldOptions, PictureOptions)


def open_pictures(
    path: Path | str, content: Content = "objects", resolution: int = 32, **options: Any
) -> Pictures:
    """Open what a network is to learn from.

    Parameters
    ----------
    path
        For `objects` and `fields` a labelled data set, in any layout that the project knows, or
        "builtin"; for `objects` also several, with commas between; for `pictures` a folder or a zip
        archive.
    content
        `objects`: one object a picture. `fields`: many, as CellGen has them. `pictures`: as they
        come.
    resolution
        Height and width of the pictures.
    options
        As `ObjectOptions`, `FieldOptions` and `PictureOptions` have them.

    Raises
    ------
    BenchError
        An option is unknown or out of its limits, or there is nothing to learn from.

    Examples
    --------
    >>> opened = open_pictures("builtin", "fields", 32, split="val", pixel_diameter=8)
    >>> opened.images.shape[1:], opened.summary["count"] > 100
    ((1, 32, 32), True)
    """
    if content not in get_args(Content):
        raise BenchError(f"unknown content {content!r}", mend=nearest(content, get_args(Content)))
    if not 8 <= resolution <= 4096:
        raise BenchError(
            f"a resolution of {resolution} px is out of its limits", mend="take one of 8 to 4096"
        )
    if content == "pictures":
        made = _of_folder(Path(path), resolution, _options(PictureOptions, options))
    elif content == "fields":
        made = _of_fields(open_any(path), resolution, _options(FieldOptions, options))
    else:
        made = _of_objects(_opened(path), resolution, _options(ObjectOptions, options))
    return replace(made, summary={"data": str(path), **made.summary})


def _options(kind: type[Options], given: dict[str, Any]) -> Options:
    known = {field.name for field in fields(kind)}
    for name in given:
        if name not in known:
            raise BenchError(f"this content has no option {name!r}", mend=nearest(name, known))
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"][:1]))
        raise BenchError(
            f"{name} is {first['input']!r}",
            where=name,
            mend=f"{first['msg'][:1].lower()}{first['msg'][1:]}",
        ) from error


def _opened(path: Path | str) -> list[Dataset]:
    one = "," not in str(path) or Path(path).exists()
    return [open_any(part) for part in ([path] if one else str(path).split(","))]


def _labels(data: Dataset, split: str | None, target: str | None) -> Iterator[NDArray[Any]]:
    for sample in data.ids(split=split):
        yield data.read_labels(sample, target or data.manifest.targets[0])


def _of_objects(data: list[Dataset], resolution: int, options: ObjectOptions) -> Pictures:
    every = chain.from_iterable(_labels(one, options.split, options.target) for one in data)
    outlines, dropped = outlines_in(every, options)
    try:
        plain = MapSettings(kind=options.map, resolution=resolution)
        # A sample tells the scale of residuals, and distances take the most time.
        settings = fitted(plain, outlines[:: -(-len(outlines) // TO_FIT)])
    except ValueError as error:
        raise BenchError(
            f"there is no such map: {error}", mend="take a lower resolution"
        ) from error
    images, frames = maps_of(outlines, settings)
    if options.flip:
        images = np.concatenate([images, images[..., ::-1]])
        if options.map == "residual":  # which knows no direction along its axes either
            images = np.concatenate([images, images[..., ::-1, :]])
    content = {
        "kind": "objects",
        "map": json.loads(settings.to_json()),
        "frames": json.loads(Frames.of(frames).to_json()),
    }
    return _pictures(
        images,
        None,
        content,
        {
            **statistics.of_outlines(outlines),
            "dropped": dropped,
        },
    )


def _of_fields(data: Dataset, resolution: int, options: FieldOptions) -> Pictures:
    made = pictures_of(_labels(data, options.split, options.target), resolution, options)
    if not len(made.images):
        raise DatasetError(
            f"no field of {resolution} px is left: "
            + ", ".join(f"{n} {why}" for why, n in made.dropped.items()),
            where=data.path,
            mend="take a lower --resolution, or a larger diameter",
        )
    content = {
        "kind": "fields",
        "level": 0.0,
        "pixel_diameter": made.diameter,
        "reach": options.reach if options.map == "distance" else None,
    }
    return _pictures(
        made.images,
        None,
        content,
        {
            **made.summary,
            "dropped": made.dropped,
        },
    )


def _of_folder(path: Path, resolution: int, options: PictureOptions) -> Pictures:
    source = folder.look(path)
    classes = folder.one_hot(source)
    variants = sum(1 for _ in _variants(np.zeros((1, 1, 1), np.float32), options))
    channels = 1
    rows: NDArray[np.float32] | None = None
    for k, (_, picture) in enumerate(source.pictures()):
        if rows is None:
            channels = options.channels or len(picture)
            rows = _room((len(source.names) * variants, channels, resolution, resolution))
        ready = _fitted(_channelled(picture, channels), resolution, options)
        for j, variant in enumerate(_variants(ready, options)):
            rows[k * variants + j] = variant
    assert rows is not None
    if classes is not None:
        classes = np.repeat(classes, variants, axis=0)
    level = 0.0 if options.threshold is not None else tools.level_of(tools.GREY)
    content = {"kind": "pictures", "level": level}
    summary = {"classes": 0 if classes is None else classes.shape[1]}
    return _pictures(rows, classes, content, summary)


def _channelled(picture: Picture, channels: int) -> Picture:
    if len(picture) == channels:
        return picture
    if channels == 3:
        return np.repeat(picture, 3, axis=0)
    # Brightness as Rec. 601 has it, and as Pillow does.
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.tensordot(weights, picture, axes=1)[None]


def _fitted(picture: Picture, resolution: int, options: PictureOptions) -> Picture:
    if options.fit == "crop":
        picture = tools.squared(picture)
    picture = tools.resized(picture, resolution, resolution)
    if options.threshold is not None:
        level = tools.level_of(options.threshold)
        if options.fill:
            picture = tools.filled(picture, level)
        picture = tools.thresholded(picture, level)
    return picture


def _variants(picture: Picture, options: PictureOptions) -> Iterator[Picture]:
    return tools.augmented(
        picture, flip=options.flip, turn=options.turn, brightness=options.brightness
    )


def _room(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return room for pictures, in a file where they are many."""
    if 4 * np.prod(shape, dtype=np.int64) <= MEMORY:
        return np.empty(shape, np.float32)
    with TemporaryFile() as file:  # its name is gone at once, its room with the array
        return np.memmap(file, np.float32, "w+", shape=shape)


def _pictures(
    images: NDArray[np.float32],
    classes: NDArray[np.float32] | None,
    content: dict[str, Any],
    summary: dict[str, Any],
) -> Pictures:
    digests = [array_digest(part) for part in (images, classes) if part is not None]
    figures = statistics.of_pictures(images, content.get("level"))
    return Pictures(
        images=images,
        classes=classes,
        content=json.dumps(content),
        digest=json_digest(digests),
        summary={"content": content["kind"], **figures, **summary},
    )
