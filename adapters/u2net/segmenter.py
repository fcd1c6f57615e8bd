"""Segment with U2-Net or U2-Net-P: two maps become objects, by a watershed.

The network that this project trains predicts *foreground* and *depth* (see `train.py`). The
authors' published weights predict one map, the salient object; there the depth is the distance to
the foreground's edge. From here on both go the same way: objects grow from the peaks of the depth.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch
from network import U2Net, from_state
from pixels import FIELD, normalise
from safetensors.torch import load_file
from scipy import ndimage
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed
from torch.nn import functional

_WEIGHTS = Path(__file__).resolve().parent / "weights"
_PUBLISHED = {"u2net": "u2net.pth", "u2netp": "u2netp.pth"}
_OVERLAP = 64
_SALIENT_SIZE = 320  # the published weights were trained, and are run, on 320 x 320
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


class Segmenter:
    """U2-Net with an instance head, or the authors' weights.

    Parameters
    ----------
    model
        "cellgen"; "u2net" or "u2netp", the authors' weights, from the folder that the variable
        `U2NET_HOME` names, `~/.u2net` without it; or the path of a `.safetensors` file, of a
        folder that `bench train` wrote, or of the authors' `u2net.pth` or `u2netp.pth`.
    parameters
        `channel`, `threshold`, `split`, `min_size`; see `adapter.toml`.
    device
        "cpu", "cuda", "mps".

    Raises
    ------
    FileNotFoundError
        There are no weights of this name.
    ValueError
        The file holds no weights of a U2-Net.
    """

    def __init__(self, model: str, parameters: Dict[str, Any], device: str) -> None:
        self.device = torch.device(device)
        self.network = load_network(model).to(self.device, memory_format=torch.channels_last)
        self.channel = parameters["channel"]
        self.threshold = parameters["threshold"]
        self.split = parameters["split"]
        self.min_size = parameters["min_size"]

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return labels (Y, X) int32 of an image (C, Y, X) of any size and unsigned type."""
        if image.size == 0:
            return np.zeros(image.shape[1:], np.int32)
        plane = normalise(self._grey(image))
        if not plane.any():
            return np.zeros(plane.shape, np.int32)
        if self.network.outconv.out_channels == 1:
            foreground = self._salient(plane) > self.threshold
            depth = _relative_distance(foreground)
        else:
            maps = self._instance_maps(plane)
            foreground, depth = maps[0] > self.threshold, maps[1]
        return grow(depth, foreground, self.split, self.min_size)

    def _grey(self, image: np.ndarray) -> np.ndarray:
        if self.channel == 0:
            return image.mean(axis=0)
        if self.channel > len(image):
            raise ValueError(f"channel {self.channel} of an image with {len(image)}")
        return image[self.channel - 1]

    def _instance_maps(self, plane: np.ndarray) -> np.ndarray:
        """Return foreground and depth (2, Y, X), from overlapping fields of the size learned."""
        maps = np.empty((2, *plane.shape), np.float32)
        for top, keep_top, bottom in _tiles(plane.shape[0]):
            for left, keep_left, right in _tiles(plane.shape[1]):
                tile = self._run(plane[top : top + FIELD, left : left + FIELD])
                maps[:, keep_top:bottom, keep_left:right] = tile[
                    :, keep_top - top : bottom - top, keep_left - left : right - left
                ]
        return maps

    def _run(self, plane: np.ndarray) -> np.ndarray:
        height, width = plane.shape
        padding = ((0, FIELD - height), (0, FIELD - width))
        padded = np.pad(plane, padding, mode="symmetric")
        with torch.inference_mode():
            batch = torch.from_numpy(padded)[None, None].to(self.device)
            maps = torch.sigmoid(self.network(batch.to(memory_format=torch.channels_last))[0])
        return maps[0, :, :height, :width].cpu().numpy()

    def _salient(self, plane: np.ndarray) -> np.ndarray:
        """Return the salient map (Y, X), prepared as the authors prepare a photograph."""
        grey = torch.from_numpy(np.clip(plane, 0, 1))[None, None].to(self.device)
        size = (_SALIENT_SIZE, _SALIENT_SIZE)
        grey = functional.interpolate(grey, size=size, mode="bilinear", align_corners=False)
        mean, std = (
            torch.tensor(values, device=self.device)[None, :, None, None]
            for values in (_IMAGENET_MEAN, _IMAGENET_STD)
        )
        with torch.inference_mode():
            salient = torch.sigmoid(self.network((grey - mean) / std)[0])
            whole = functional.interpolate(
                salient, size=plane.shape, mode="bilinear", align_corners=False
            )
        return whole[0, 0].cpu().numpy()


def load_network(model: str) -> U2Net:
    """Build the network that the weights fit; nothing in a file is executed."""
    path = _path(model)
    if path.suffix == ".safetensors":
        state = load_file(str(path))
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    try:
        return from_state({name: tensor.float() for name, tensor in state.items()})
    except (AttributeError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path} holds no weights of a U2-Net: {error}") from error


def _path(model: str) -> Path:
    """Find the file with a model's weights."""
    if model in _PUBLISHED:
        home = Path(os.environ.get("U2NET_HOME") or "~/.u2net").expanduser()
        path = home / _PUBLISHED[model]
        if not path.is_file():
            raise FileNotFoundError(
                f"the authors' weights are not at {path}; get {path.name} as their repository says,"
                f" github.com/xuebinqin/U-2-Net, and put it into {home} or the folder that the"
                " environment variable U2NET_HOME names"
            )
        return path
    path = _WEIGHTS / "cellgen.safetensors" if model == "cellgen" else Path(model)
    if path.is_dir():
        path = path / "model.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"there are no weights at {path}; train some: bench train u2net")
    return path


def grow(depth: np.ndarray, foreground: np.ndarray, split: float, min_size: int) -> np.ndarray:
    """Grow objects from the peaks of the depth until they meet.

    Parameters
    ----------
    depth
        (Y, X) float, high in the middle of objects.
    foreground
        (Y, X) bool; what objects fill.
    split
        How far the depth must fall between two peaks, to make two objects of them.
    min_size
        Objects of fewer pixels are dropped.

    Returns
    -------
    numpy.ndarray
        Labels (Y, X) int32.
    """
    depth = np.where(foreground, ndimage.gaussian_filter(depth, 1), 0).astype(np.float64)
    # Lowered by `split` and grown back under itself, the depth keeps only maxima that stand out.
    plain = reconstruction(depth - split, depth)
    seeds, _ = ndimage.label(local_maxima(plain) & foreground, np.ones((3, 3)))
    labels = watershed(-depth, seeds, mask=foreground)
    sizes = np.bincount(labels.ravel())
    keep = sizes >= min_size
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0)[labels].astype(np.int32)


def _relative_distance(foreground: np.ndarray) -> np.ndarray:
    """Distance to the foreground's edge over the largest in its component, 0 to 1."""
    distance = ndimage.distance_transform_edt(foreground)
    components, count = ndimage.label(foreground, np.ones((3, 3)))
    largest = ndimage.maximum(distance, components, np.arange(count + 1))
    return distance / np.maximum(largest[components], 1)


def _tiles(length: int) -> list:
    """Return (start, first kept, end of kept) of the tiles along an axis; they cover it once.

    Neighbours share `_OVERLAP` pixels and meet in its middle, away from either's edge.
    """
    step = FIELD - _OVERLAP
    starts = [0]
    while starts[-1] + FIELD < length:
        starts.append(min(starts[-1] + step, length - FIELD))
    seams = [0] + [start + _OVERLAP // 2 for start in starts[1:]] + [length]
    return list(zip(starts, seams[:-1], seams[1:]))
