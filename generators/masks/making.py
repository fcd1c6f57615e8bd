"""From seeds to pictures, labels and outlines.

Pictures are made one at a time, so what a seed gives does not hang on which others are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import ndimage
from scipy.interpolate import CubicSpline

from benchmark.errors import BenchError
from generators.masks.contours import Region, labelled, regions
from generators.masks.measuring import measured
from generators.polygons import Floats, Window, contains, coverage, window_of
from generators.seeds import Seed
from generators.shapes.maps import outlines_of
from generators.shapes.measures import FRAME, SCALE
from generators.stylegan.generator import latents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from generators.masks.networks import MaskNetwork
    from generators.masks.tools import Picture


@dataclass(frozen=True)
class Making:
    """How pictures are made.

    Parameters
    ----------
    truncation
        ψ, pulls styles towards their average: 1 for all variety, 0 for none.
    translate
        (x, y) in picture widths, to the right and down.
    rotate
        In degrees, from x towards y: clockwise as seen.
    label
        The class, for networks that have classes.
    level
        Where inside begins, from -1 for black to 1 for white; default: as the network says.
    diameter
        Of objects, pixels to a median diameter.
    smallest
        Regions of fewer pixels are no objects. Fields and pictures only.
    size
        Side in px that pictures are scaled to, before anything is looked for in them; default: the
        network's. Fields and pictures only.
    """

    truncation: float = 1.0
    translate: tuple[float, float] = (0.0, 0.0)
    rotate: float = 0.0
    label: int | None = None
    level: float | None = None
    diameter: float = SCALE
    smallest: float = 0.0
    size: int | None = None


@dataclass(frozen=True)
class Latent:
    """What a picture is made of.

    Attributes
    ----------
    name
        Of its files, such as `seed0007`.
    about
        What it came from, for the record.
    styles
        (num_styles, w_dim), one w for each layer.
    frame
        Of an object whose picture is a residual, its size in median diameters and its elongation.
    """

    name: str
    about: dict[str, Any]
    styles: torch.Tensor
    frame: Floats | None = None


@dataclass(frozen=True)
class Made:
    """A picture that was made, and what it shows.

    Attributes
    ----------
    latent
        What it is made of.
    picture
        (C, H, W) float32; of an object, how much of each pixel it covers, from -1 to 1.
    labels
        (H, W) uint16 or uint32, 0 is background.
    regions
        The objects, in the order of their labels.
    measured
        The styles of the object, or the medians of a field's objects that its border does not cut;
        NaN where there is none. Sizes are in median diameters, or in pixels where none is known.
    outline
        Of an object, its outline in median diameters as `generators.shapes.source` has it, neither
        moved nor turned; None where the map gave none.
    """

    latent: Latent
    picture: Picture
    labels: NDArray[Any]
    regions: list[Region]
    measured: dict[str, float]
    outline: Floats | None = None


def check(network: MaskNetwork, making: Making) -> None:
    """Refuse what the network cannot do.

    Raises
    ------
    BenchError
        If an option is out of its limits, or does not fit the network.
    """
    classes = network.generator.settings.c_dim
    numbers = (making.truncation, *making.translate, making.rotate, making.level or 0.0)
    if not np.all(np.isfinite(numbers)):
        raise BenchError("NaN and infinity are no places", mend="give plain numbers")
    if making.label is None and classes:
        raise BenchError(
            f"the network has {classes} classes", mend=f"choose one from 0 to {classes - 1}"
        )
    if making.label is not None and not 0 <= making.label < classes:
        known = f"choose one from 0 to {classes - 1}" if classes else "the network has no classes"
        raise BenchError(f"there is no class {making.label}", mend=known)
    if making.level is not None and network.kind == "objects":
        raise BenchError(
            "an object's outline has no level: its map is exact",
            mend="leave the level out, or use a network of fields or pictures",
        )
    if making.level is not None and not -1 < making.level < 1:
        raise BenchError(
            f"no pixel can be told by the level {making.level:g}",
            mend="take one between -1, black, and 1, white",
        )
    if making.size is not None and network.kind == "objects":
        raise BenchError(
            "single objects are drawn at a diameter, not scaled to a size",
            mend="give the diameter in px, or use a network of fields or pictures",
        )
    if making.size is not None and not 8 <= making.size <= 4096:
        raise BenchError(f"a side of {making.size} px is out of its limits", mend="take 8 to 4096")
    if not 4 <= making.diameter <= 1000:
        raise BenchError(
            f"a diameter of {making.diameter:g} px is out of its limits", mend="take 4 to 1000"
        )


def drawn(network: MaskNetwork, seeds: Sequence[int], making: Making) -> Iterator[Latent]:
    """Yield what the pictures of seeds are made of."""
    generator = network.generator
    c = None
    if making.label is not None:
        c = torch.eye(generator.settings.c_dim)[[making.label]]
    for seed in seeds:
        z = latents([seed], generator.settings.z_dim)
        with torch.no_grad():
            styles = generator.styles(z, c, truncation=making.truncation)[0]
        frame = None
        if network.frames is not None:
            frame = network.frames.sample(1, Seed.root(seed).at("frame").generator())[0]
        yield Latent(f"seed{seed:04d}", {"seed": seed}, styles, frame)


def mixed(row: Latent, column: Latent, layers: Sequence[int]) -> Latent:
    """Return a latent with these layers' styles from the column, and all else from the row."""
    styles = row.styles.clone()
    styles[layers] = column.styles[layers]
    name = f"{row.name}-{column.name}"
    return replace(row, name=name, about=row.about | column.about, styles=styles)


def interpolated(ends: Sequence[Latent], frames: int) -> Iterator[Latent]:
    """Yield latents on a closed cubic spline through those given, `frames` from each to the next.

    Sizes and elongations follow their logarithms.
    """
    count = len(ends)
    at = np.arange(count + 1)
    looped = [*ends, ends[0]]
    through = np.stack([latent.styles.double().numpy() for latent in looped])
    curve = CubicSpline(at, through, bc_type="periodic")
    sizes = None
    if ends[0].frame is not None:
        logs = np.log([frame for latent in looped if (frame := latent.frame) is not None])
        sizes = CubicSpline(at, logs, bc_type="periodic")
    for k, (here, there) in enumerate(pairwise(looped)):
        for step in range(frames):
            t = k + step / frames
            yield Latent(
                f"frame{k * frames + step:05d}",
                {"from": here.about["seed"], "to": there.about["seed"], "share": step / frames},
                torch.from_numpy(curve(t)).float(),
                None if sizes is None else np.exp(sizes(t)),
            )


def made(network: MaskNetwork, latent: Latent, making: Making) -> Made:
    """Make the picture of a latent, and find what it shows."""
    if network.map is not None:
        return _object(network, latent, making)
    picture = synthesised(network, latent, transform_of(making))
    unit = network.pixel_diameter or 1.0
    if making.size is not None:
        unit *= making.size / picture.shape[-1]
        frame = (making.size, making.size)
        picture = np.stack([resampled(plane, frame) for plane in picture]).astype(np.float32)
    plane = picture.mean(axis=0)
    level = network.level if making.level is None else making.level
    labels = labelled(plane, level, making.smallest)
    found = regions(plane, level, labels)
    whole = [region.outline / unit for region in found if not region.cut]
    return Made(latent, picture, labels, found, measured(whole))


def resampled(plane: NDArray[np.floating], shape: tuple[int, int]) -> Floats:
    """Return a square plane over a frame, scaled to its longer side, by cubic interpolation.

    Where the frame is not square, it is the middle of the plane.

    Examples
    --------
    >>> resampled(np.array([[0.0, 1.0], [0.0, 1.0]]), (2, 4))[0].round(2).tolist()
    [-0.1, 0.22, 0.78, 1.1]
    """
    side, scale = len(plane), max(shape) / len(plane)
    y, x = (((np.arange(n) + 0.5 - n / 2) / scale + side / 2 - 0.5) for n in shape)
    grid = np.meshgrid(y, x, indexing="ij")
    return ndimage.map_coordinates(plane.astype(np.float64), grid, order=3, mode="nearest")


def synthesised(
    network: MaskNetwork, latent: Latent, transform: torch.Tensor | None = None
) -> Picture:
    """Return the picture (C, S, S) of a latent, moved by a (3, 3) transform.

    Raises
    ------
    BenchError
        If the network makes something that is no number.
    """
    with torch.no_grad():
        picture = network.generator.synthesis(latent.styles[None], transform=transform)[0]
    values: Picture = picture.numpy()
    if not np.isfinite(values).all():
        raise BenchError(
            f"the network's picture of {latent.name} holds NaN or infinity",
            where=network.path,
            mend="its training went astray: use an earlier snapshot",
        )
    return values


def transform_of(making: Making) -> torch.Tensor | None:
    """Return the (3, 3) transform that turns and then moves; None for neither."""
    if making.rotate == 0 and making.translate == (0.0, 0.0):
        return None
    angle = np.deg2rad(making.rotate)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = making.translate
    return torch.tensor([[cos, -sin, x], [sin, cos, y], [0.0, 0.0, 1.0]], dtype=torch.float32)


def _object(network: MaskNetwork, latent: Latent, making: Making) -> Made:
    """Make one object, and draw it at the diameter asked for."""
    assert network.map is not None
    plane = synthesised(network, latent)
    frames = None if latent.frame is None else latent.frame[None]
    outline = outlines_of(plane[None], frames, network.map)[0]
    size = round(FRAME / SCALE * making.diameter)
    if outline is None:
        empty = np.full((1, size, size), -1, np.float32)
        return Made(latent, empty, np.zeros((size, size), np.uint16), [], measured([]))
    angle = np.deg2rad(making.rotate)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = (size - 1) / 2 + size * np.array(making.translate)[::-1]
    placed = outline @ turn.T * making.diameter + middle
    window = Window(0, 0, size, size)
    inside = window_of(placed)
    region = Region(1, placed, (), cut=inside != inside.clipped(size, size))
    return Made(
        latent,
        (2 * coverage(placed, window)[None] - 1).astype(np.float32),
        contains(placed, window).astype(np.uint16),
        [region],
        measured([outline]),
        outline,
    )
