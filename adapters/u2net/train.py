"""Train U2-Net-P with an instance head; runs in this adapter's own environment.

The network sees one channel and predicts two maps: *foreground*, and *depth*, the distance to the
object's edge divided by the object's largest. Depth is near 1 in the middle of every object,
whatever its size, and falls to 0 between two that touch: `segmenter.py` grows objects from it.
"""

from __future__ import annotations

import json
import math
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from scipy import ndimage
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent))

from network import U2Net
from pixels import FIELD, normalise

DEFAULTS: Dict[str, Any] = {
    "epochs": 200,
    "crops_per_epoch": 16,
    "batch_size": 2,
    "learning_rate": 0.002,
    "weight_decay": 1e-4,
    "checkpoint_every": 5,
    "seed": 0,
    "threads": 1,
    "device": "cpu",
    "precision": "float32",
}
SETTLING = 64
"""Crops over which the statistics of batch normalisation are taken at the end, at most."""


class Scene(NamedTuple):
    """One training image: `image` (Y, X) float32, normalised; `labels` (Y, X) int32."""

    image: np.ndarray
    labels: np.ndarray


def train(
    data: str, out: str, options: Dict[str, Any], report: Callable[[Dict[str, Any]], None]
) -> Dict[str, Any]:
    """Train on a folder of arrays and write `model.safetensors`.

    Parameters
    ----------
    data
        Folder with `index.json` and arrays, as `docs/training.md` describes it.
    out
        Folder for `model.safetensors` and, until the training ends, `checkpoint.safetensors`.
        If the checkpoint is there, the training continues from it and ends with the same weights
        as an uninterrupted one.
    options
        Any of `DEFAULTS`.
    report
        Called with a dict of plain numbers after every epoch.

    Returns
    -------
    dict
        `parameters`, `train_loss`, `val_loss`, `history` and `versions` of the libraries.
    """
    settings = _settings(options)
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(settings["seed"])
    device = torch.device(settings["device"])
    scenes = _load(Path(data), "train")
    held_out = _batch_of_centres(_load(Path(data), "val"))
    network = U2Net(1, 2, small=True).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"]
    )
    checkpoint = Path(out) / "checkpoint.safetensors"
    history = _restore(checkpoint, network, optimizer) if checkpoint.exists() else []
    for epoch in range(len(history), settings["epochs"]):
        line = {"epoch": epoch + 1, "epochs": settings["epochs"]}
        line["train_loss"] = _epoch(network, optimizer, scenes, epoch, settings)
        last = epoch + 1 == settings["epochs"]
        if last:
            _settle(network, scenes, settings)
        if last or (epoch + 1) % settings["checkpoint_every"] == 0:
            line["val_loss"] = _validate(network, held_out, settings)
        history.append(line)
        report(line)
        if last or (epoch + 1) % settings["checkpoint_every"] == 0:
            _save(checkpoint, network, optimizer, history)
    _write(Path(out) / "model.safetensors", dict(network.state_dict()), {"format": "pt"})
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "train_loss": history[-1]["train_loss"],
        "val_loss": history[-1]["val_loss"],
        "history": history,
        "versions": {name: version(name) for name in ("torch", "numpy")},
    }


def _settings(options: Dict[str, Any]) -> Dict[str, Any]:
    """Return every option, those given over the defaults."""
    unknown = sorted(set(options) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r}; known: {', '.join(sorted(DEFAULTS))}")
    return {**DEFAULTS, **options}


def _epoch(
    network: U2Net,
    optimizer: torch.optim.Optimizer,
    scenes: List[Scene],
    epoch: int,
    settings: Dict[str, Any],
) -> float:
    """Run one epoch of random crops and return its mean loss.

    The crops follow from seed and epoch alone, so a resumed training sees the same ones.
    """
    rng = np.random.default_rng([settings["seed"], epoch])
    steps = max(1, settings["crops_per_epoch"] // settings["batch_size"])
    total = 0.0
    network.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = _rate((epoch * steps + step) / (settings["epochs"] * steps), settings)
        loss = _loss(network, _drawn(scenes, settings["batch_size"], rng), settings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / steps


def _settle(network: U2Net, scenes: List[Scene], settings: Dict[str, Any]) -> None:
    """Take the statistics of batch normalisation over many crops, not over the last few batches.

    They stand for every image that the network will see; a running mean of some twenty crops is
    too noisy for that.
    """
    rng = np.random.default_rng([settings["seed"], settings["epochs"]])
    norms = [part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    momentum = [norm.momentum for norm in norms]
    learned = settings["epochs"] * settings["crops_per_epoch"]
    batches = max(1, min(SETTLING, learned) // settings["batch_size"])
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean of all batches
    network.train()
    with torch.no_grad():
        for _ in range(batches):
            _loss(network, _drawn(scenes, settings["batch_size"], rng), settings)
    for norm, before in zip(norms, momentum):
        norm.momentum = before


def _drawn(
    scenes: List[Scene], count: int, rng: np.random.Generator
) -> Tuple[torch.Tensor, torch.Tensor]:
    """Draw a batch of crops of any of the scenes."""
    return _stack([_augmented(scenes[rng.integers(len(scenes))], FIELD, rng) for _ in range(count)])


def _rate(progress: float, settings: Dict[str, Any]) -> float:
    """Learning rate: a linear warm-up over the first 3 %, then half a cosine down to 0."""
    warm = 0.03
    if progress < warm:
        return float(settings["learning_rate"] * (progress + 1e-3) / warm)
    return float(
        settings["learning_rate"] * 0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm)))
    )


def _loss(
    network: U2Net, batch: Tuple[torch.Tensor, torch.Tensor], settings: Dict[str, Any]
) -> torch.Tensor:
    """Cross-entropy of both maps, over the fused and all side outputs (deep supervision)."""
    device = torch.device(settings["device"])
    images = batch[0].to(device, memory_format=torch.channels_last)
    targets = batch[1].to(device)
    brief = settings["precision"] == "bfloat16"
    with torch.autocast(device.type, torch.bfloat16, enabled=brief):
        outputs = network(images)
    losses = [functional.binary_cross_entropy_with_logits(y.float(), targets) for y in outputs]
    return torch.stack(losses).mean()


def _validate(
    network: U2Net, batches: List[Tuple[torch.Tensor, torch.Tensor]], settings: Dict[str, Any]
) -> float:
    """Return the mean loss over the held-out crops."""
    network.eval()
    with torch.no_grad():
        return sum(_loss(network, batch, settings).item() for batch in batches) / len(batches)


def _load(data: Path, split: str) -> List[Scene]:
    """Read a split: channels averaged, intensities normalised image by image."""
    index = json.loads((data / "index.json").read_text(encoding="utf-8"))
    return [
        Scene(
            normalise(np.load(data / entry["image"], allow_pickle=False).mean(axis=0)),
            _numbered(np.load(data / entry["labels"], allow_pickle=False)),
        )
        for entry in index["splits"][split]
    ]


def _numbered(labels: np.ndarray) -> np.ndarray:
    """Renumber labels 1 to n, the background 0: ids may be sparse."""
    _, dense = np.unique(np.append(labels.ravel(), 0), return_inverse=True)
    return dense.reshape(-1)[:-1].reshape(labels.shape).astype(np.int32)


def _augmented(scene: Scene, crop: int, rng: np.random.Generator) -> Scene:
    """Draw a crop: shifted, turned, mirrored, scaled 0.6 to 1.7, its intensities varied."""
    height, width = scene.labels.shape
    scale = math.exp(rng.uniform(math.log(0.6), math.log(1.7)))
    angle = rng.uniform(0, 2 * math.pi)
    mirror = rng.choice((-1.0, 1.0))
    reach = crop / scale / 2
    # The crop's middle keeps to the part from which the crop stays inside, if there is any.
    middle_y = rng.uniform(min(reach, height / 2), max(height - reach, height / 2))
    middle_x = rng.uniform(min(reach, width / 2), max(width - reach, width / 2))
    offset = (np.arange(crop) - (crop - 1) / 2) / scale
    dy, dx = np.meshgrid(offset, offset * mirror, indexing="ij")
    y = middle_y + math.cos(angle) * dy - math.sin(angle) * dx
    x = middle_x + math.sin(angle) * dy + math.cos(angle) * dx
    grid = np.stack((2 * x / width - 1, 2 * y / height - 1), -1)
    where = torch.from_numpy(grid.astype(np.float32))[None]
    image = _sample(scene.image, where, "bilinear")
    labels = np.rint(_sample(scene.labels, where, "nearest")).astype(np.int32)
    return Scene(_varied(image, rng), labels)


def _sample(plane: np.ndarray, where: torch.Tensor, mode: str) -> np.ndarray:
    """Read a plane at positions (1, Y, X, 2); beyond its edge it is mirrored."""
    values = torch.from_numpy(plane.astype(np.float32))[None, None]
    read = functional.grid_sample(
        values, where, mode=mode, padding_mode="reflection", align_corners=False
    )
    return read[0, 0].numpy()


def _varied(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary gamma, gain, offset, sharpness and noise: real cameras and stains differ."""
    image = np.clip(image, 0, None) ** math.exp(rng.uniform(math.log(0.5), math.log(1.8)))
    if rng.random() < 0.4:
        image = ndimage.gaussian_filter(image, rng.uniform(0.3, 1.6))
    if rng.random() < 0.5:
        image = image + rng.normal(0, rng.uniform(0.01, 0.1), image.shape)
    return (image * rng.uniform(0.7, 1.3) + rng.uniform(-0.1, 0.15)).astype(np.float32)


def depth(labels: np.ndarray) -> np.ndarray:
    """Distance to the object's edge over the object's largest, 0 to 1; (Y, X) float32."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        step = np.diff(labels, axis=axis) != 0
        before, after = [slice(None)] * 2, [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        edge[tuple(before)] |= step
        edge[tuple(after)] |= step
    if not edge.any():
        return (labels > 0).astype(np.float32)
    distance = np.where(labels > 0, ndimage.distance_transform_edt(~edge) + 1, 0)
    largest = ndimage.maximum(distance, labels, np.arange(labels.max() + 1))
    return (distance / np.maximum(largest[labels], 1)).astype(np.float32)


def _stack(scenes: List[Scene]) -> Tuple[torch.Tensor, torch.Tensor]:
    """Return images (N, 1, Y, X) and targets (N, 2, Y, X): foreground, depth."""
    images = np.stack([scene.image[None] for scene in scenes])
    targets = np.stack(
        [np.stack(((scene.labels > 0).astype(np.float32), depth(scene.labels))) for scene in scenes]
    )
    return torch.from_numpy(images), torch.from_numpy(targets)


def _batch_of_centres(scenes: List[Scene]) -> List[Tuple[torch.Tensor, torch.Tensor]]:
    """Return each held-out scene's middle as a batch of one."""
    batches = []
    for scene in scenes:
        top, left = (max(0, (size - FIELD) // 2) for size in scene.labels.shape)
        middle = (slice(top, top + FIELD), slice(left, left + FIELD))
        batches.append(_stack([Scene(scene.image[middle], scene.labels[middle])]))
    return batches


def _save(
    path: Path, network: U2Net, optimizer: torch.optim.Optimizer, history: List[Dict[str, Any]]
) -> None:
    """Write everything that a resumed training needs."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer.{number}.{key}": value for key, value in state.items()})
    _write(path, tensors, {"history": json.dumps(history)})


def _restore(path: Path, network: U2Net, optimizer: torch.optim.Optimizer) -> List[Dict[str, Any]]:
    """Read a checkpoint into network and optimizer; return the history so far."""
    weights, moments = {}, {}  # type: Dict[str, torch.Tensor], Dict[int, Dict[str, torch.Tensor]]
    with safe_open(str(path), "pt") as file:
        history: List[Dict[str, Any]] = json.loads(file.metadata()["history"])
        for key in file.keys():  # noqa: SIM118 - the handle is no dict
            part, name = key.split(".", 1)
            if part == "network":
                weights[name] = file.get_tensor(key)
            else:
                number, field = name.split(".")
                moments.setdefault(int(number), {})[field] = file.get_tensor(key)
    network.load_state_dict(weights)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return history


def _write(path: Path, tensors: Dict[str, torch.Tensor], metadata: Dict[str, str]) -> None:
    """Write a safetensors file whole or not at all."""
    partial = path.with_suffix(".partial")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial, metadata)
    partial.replace(path)
