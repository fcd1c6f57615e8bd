"""Segment with the real Cellpose 3, called as one would by hand.

The published models are fetched, cached and read by the package itself, and their size models
estimate the diameter of the objects. Other weights have no size model: there the image is segmented
at its own scale first, and the median diameter found is the one used.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np
import torch
from cellpose import models
from cellpose.utils import diameters
from safetensors.torch import load_file

_WEIGHTS = Path(__file__).resolve().parent / "weights"
_SOURCE = "https://www.cellpose.org/models"
_PUBLISHED = {
    "cyto3": ("cyto3", "size_cyto3.npy"),
    "nuclei": ("nucleitorch_0", "size_nucleitorch_0.npy"),
}
_ALIKE = 1.1  # a diameter that differs by less is not worth a second pass
_ENLARGED = 4  # times at most in that pass: its cost grows with the square
_PATIENCE_SECONDS = 10  # for an answer of the server with the published weights


class Segmenter:
    """Cellpose 3 with one model.

    Parameters
    ----------
    model
        "cyto3" or "nuclei" as published, "cellgen" as trained here, or the path of a folder that
        `bench train` wrote, of a `.safetensors` file, or of a model file of the package.
    parameters
        `diameter`, `flow_threshold`, `cellprob_threshold`, `min_size`, `channel`,
        `nucleus_channel`, `normalize`, `augment`; see `adapter.toml`.
    device
        "cpu", "cuda", "mps".

    Raises
    ------
    FileNotFoundError
        The weights are neither on this machine nor to be had from here.
    """

    def __init__(self, model: str, parameters: Dict[str, Any], device: str) -> None:
        self.parameters = parameters
        if model in _PUBLISHED:
            self.model, self.size = load_published(model, torch.device(device))
        else:
            path = _WEIGHTS / "cellgen.safetensors" if model == "cellgen" else Path(model)
            self.model, self.size = load_own(path, torch.device(device)), None

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return labels (Y, X) of an image (C, Y, X)."""
        if image.size == 0:
            return np.zeros(image.shape[1:], np.int32)
        common = {
            "x": self._two_channels(image),
            "channel_axis": -1,
            "normalize": self.parameters["normalize"],
            "augment": self.parameters["augment"],
        }
        diameter = self.parameters["diameter"]
        if diameter == 0 and self.size is not None:
            diameter = float(np.squeeze(self.size.eval(**common)[0]))
        thresholds = {
            name: self.parameters[name]
            for name in ("flow_threshold", "cellprob_threshold", "min_size")
        }
        first = diameter or self.model.diam_mean
        labels = self.model.eval(**common, **thresholds, diameter=first)[0]
        if diameter == 0:
            found = float(diameters(labels)[0])
            used = max(found, first / _ENLARGED)
            if found > 0 and abs(np.log(used / first)) > np.log(_ALIKE):
                labels = self.model.eval(**common, **thresholds, diameter=used)[0]
        # The package squeezes axes of length one away.
        return labels.reshape(image.shape[1:]).astype(np.int32)

    def _two_channels(self, image: np.ndarray) -> np.ndarray:
        """Return (Y, X, 2): what to segment, and the nuclei or nothing.

        The package can pick channels itself, but takes the first axis of more than five for depth
        and an image of fewer than eight rows for one with as many channels.
        """
        channels = np.moveaxis(image, 0, -1).astype(np.float32)
        wanted, nuclei = self.parameters["channel"], self.parameters["nucleus_channel"]
        for channel in (wanted, nuclei):
            if channel > len(image):
                raise ValueError(f"channel {channel} of an image with {len(image)}")
        first = channels.mean(axis=-1) if wanted == 0 else channels[..., wanted - 1]
        second = np.zeros_like(first) if nuclei == 0 else channels[..., nuclei - 1]
        return np.stack((first, second), axis=-1)


def load_published(
    name: str, device: torch.device
) -> Tuple[models.CellposeModel, models.SizeModel]:
    """Load a published model; the package fetches what is not in its folder yet."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE_SECONDS)
    try:
        both = models.Cellpose(model_type=name, device=device)
    except OSError as error:  # urllib's errors are among them
        files = " and ".join(f"{_SOURCE}/{file}" for file in _PUBLISHED[name])
        raise FileNotFoundError(
            f"the published weights of {name} are not in {models.MODEL_DIR} and cannot be fetched"
            f" ({error}); download {files} and put them there, or into the folder that"
            " CELLPOSE_LOCAL_MODELS_PATH names"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return both.cp, both.sz


def load_own(path: Path, device: torch.device) -> models.CellposeModel:
    """Load a model trained here or by the user; nothing in the file is executed."""
    if path.is_dir():
        path = path / "model.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"there are no weights at {path}; train some: bench train cellpose")
    if path.suffix != ".safetensors":
        # The package reads it with torch's `weights_only`.
        return models.CellposeModel(pretrained_model=str(path), device=device)
    weights = {name: tensor.float() for name, tensor in load_file(str(path)).items()}
    model = models.CellposeModel(pretrained_model=False, device=device, nchan=2)
    model.net.load_state_dict(weights)
    model.diam_mean = float(weights["diam_mean"])
    model.diam_labels = float(weights["diam_labels"])
    return model
