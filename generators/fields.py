"""Whole fields of nuclei as a scene, as CellGen has them: masks give the labels, to the pixel."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage import measure

from benchmark.errors import BenchError
from benchmark.label_files import LABEL_SUFFIXES, looks_binary, read_labels
from generators.errors import RecipeError
from generators.polygons import Floats, snapped

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

NONE = "none"
NETWORK = "stylegan3"
"""The shipped network of fields."""
FOLDER = "/"
"""What the path of a folder of masks ends in."""
SLIVER = 0.02
"""How far, in a plane whose steps are at most 1, the level stays from pixel centres: a contour that
keeps it is on the right side of each centre when it is snapped to its lattice."""


def field(source: str, shape: tuple[int, int], rng: Generator) -> tuple[NDArray[Any], list[Floats]]:
    """Draw a field.

    Parameters
    ----------
    source
        The path of a folder of label images or binary masks, ending in a slash; the
        `.safetensors` of a network of fields; or `stylegan3`, the shipped one.
    shape
        Height and width of the frame in px. Of larger masks a window is drawn; pictures of a
        network are scaled to the frame's longer side.
    rng
        The stream of this scene's field.

    Returns
    -------
    labels : (Y, X) int32
        1 … N. Each object is one piece without holes: pieces of a label are objects of their own,
        joined by the sides of pixels, and holes are filled.
    outlines : list of (V, 2)
        For each its outline in px, which holds the centres of exactly its pixels.

    Raises
    ------
    RecipeError
        If there is no mask, or one is smaller than the frame.
    """
    if source.endswith(FOLDER):
        labels = _pieces(_window(Path(source), shape, rng))
        return labels, _outlines(labels, None)
    plane = _drawn(source, shape, rng)
    labels = _pieces((plane > 0).astype(np.int32))
    return labels, _outlines(labels, plane)


def content(source: str) -> dict[str, str]:
    """Return the digests of the files that fields are drawn from, by name.

    Raises
    ------
    RecipeError
        If there is no such file or folder.

    Examples
    --------
    >>> content("none")
    {}
    """
    files = _masks(Path(source)) if source.endswith(FOLDER) else ()
    if source.endswith(".safetensors"):
        files = (Path(source),)
        if not files[0].is_file():
            raise RecipeError(
                "there is no network of fields here",
                where=source,
                mend=f"check the path in [layout] fields, or name the shipped one, {NETWORK}",
            )
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@cache
def _masks(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise RecipeError("there is no folder of masks here", where=folder, mend="check its path")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in LABEL_SUFFIXES)
    if not files:
        raise RecipeError(
            "there is no mask in this folder",
            where=folder,
            mend=f"name one with files that end in {', '.join(LABEL_SUFFIXES)}",
        )
    return tuple(files)


def _window(folder: Path, shape: tuple[int, int], rng: Generator) -> NDArray[Any]:
    """Return a window of one of a folder's masks."""
    files = _masks(folder)
    path = files[int(rng.integers(len(files)))]
    labels = read_labels(path, binary=False)
    if labels.ndim != 2 or labels.shape[0] < shape[0] or labels.shape[1] < shape[1]:
        raise RecipeError(
            f"a mask of {' x '.join(map(str, labels.shape))} px does not fill a frame of "
            f"{shape[0]} x {shape[1]} px",
            where=path,
            mend="set size in the recipe to that of the smallest mask, or less",
        )
    y, x = (int(rng.integers(n - m + 1)) for n, m in zip(labels.shape, shape, strict=True))
    if looks_binary(labels):
        labels = labels > 0
    return labels[y : y + shape[0], x : x + shape[1]].astype(np.int64)


def _drawn(source: str, shape: tuple[int, int], rng: Generator) -> Floats:
    """Return what a network draws, over the frame: positive inside, its steps at most 1."""
    from generators.masks.making import Making, drawn, made, resampled  # noqa: PLC0415 - torch

    network, making = _network(source), Making()
    latent = next(iter(drawn(network, [int(rng.integers(2**62))], making)))
    picture = made(network, latent, making).picture[0].astype(np.float64) - network.level
    plane = resampled(picture, shape)
    step = max(float(np.abs(np.diff(plane, axis=axis)).max()) for axis in (0, 1))
    scaled: Floats = plane / max(step, 1e-9)
    return scaled


@cache
def _network(source: str) -> Any:
    from generators.masks.networks import open_network  # noqa: PLC0415 - torch

    network = open_network("fields" if source == NETWORK else source)
    if network.kind == "objects":
        raise BenchError(
            "the network makes single objects, not fields",
            where=network.path,
            mend="take a network of fields; single objects are shapes: [nuclei] shapes",
        )
    return network


def _pieces(labels: NDArray[Any]) -> NDArray[np.int32]:
    """Return objects anew, each one piece without holes, in reading order."""
    found = np.zeros(labels.shape, np.int32)
    number = 0
    _, dense = np.unique(np.append(labels.ravel(), 0), return_inverse=True)
    dense = dense[:-1].reshape(labels.shape)
    for value, where in enumerate(ndimage.find_objects(dense), start=1):
        parts, count = ndimage.label(dense[where] == value)
        for part in range(1, count + 1):
            whole = ndimage.binary_fill_holes(parts == part) & (found[where] == 0)
            # Objects of their own may lie in a hole: those stay.
            whole &= (parts == part) | (dense[where] == 0)
            number += 1
            found[where][whole] = number
    return found


def _outlines(labels: NDArray[np.int32], plane: Floats | None) -> list[Floats]:
    """Return outlines that hold exactly the pixels of labels.

    They follow the level of a plane; without one, the half of each object smoothed by 1 px, which
    takes the stairs off what pixels say.
    """
    outlines = []
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        near = _wider(where, 3, labels.shape)
        own = np.pad(labels[near] == number, 1)
        if plane is None:
            height = ndimage.gaussian_filter(own.astype(np.float64), 1.0) - 0.5
            height = np.where(own, height.clip(SLIVER, 0.5), height.clip(-0.5, -SLIVER))
        else:
            level = np.pad(np.abs(plane[near]).clip(SLIVER, 0.5), 1, constant_values=0.5)
            height = np.where(own, level, -level)
        rings: list[Floats] = measure.find_contours(height, 0.0)  # type: ignore[no-untyped-call]
        corner = np.array([near[0].start - 1, near[1].start - 1])
        outlines.append(snapped(max(rings, key=len)[:-1] + corner))
    return outlines


def _wider(where: tuple[slice, ...], margin: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    y, x = (
        slice(max(side.start - margin, 0), min(side.stop + margin, length))
        for side, length in zip(where, shape, strict=True)
    )
    return y, x
