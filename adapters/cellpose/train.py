"""Train Cellpose 3 from scratch with `cellpose.train`; runs in this adapter's own environment.

`train_seg` makes the crops, the flows, the loss and the optimiser's steps. What is added here:
intensities vary from draw to draw, progress is reported, and a killed training continues.
`train_seg` cannot resume, but its random numbers follow from the epoch alone. So a resumed training
calls it with the same arguments and passes over the steps already done (`Resumption`), which costs
little and ends in the same weights.
"""

from __future__ import annotations

import json
import logging
import math
import re
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import torch
from cellpose import dynamics, models, transforms
from cellpose import train as cellpose_train
from safetensors import safe_open
from safetensors.torch import save_file
from scipy import ndimage
from torch.optim.optimizer import register_optimizer_step_post_hook

DEFAULTS: Dict[str, Any] = {
    "epochs": 240,
    "crops_per_epoch": 64,
    "val_crops": 32,
    "batch_size": 8,
    "crop": 128,
    "learning_rate": 0.005,
    "weight_decay": 1e-5,
    "scale_range": 0.5,
    "min_masks": 3,
    "checkpoint_every": 5,
    "seed": 0,
    "threads": 1,
    "device": "cpu",
    "precision": "float32",
}
DIAMETER = 30.0
"""Pixels to which the package scales every training image's median object."""


def train(
    data: str, out: str, options: Dict[str, Any], report: Callable[[Dict[str, Any]], None]
) -> Dict[str, Any]:
    """Train on a folder of arrays and write `model.safetensors`.

    Parameters
    ----------
    data
        Folder with `index.json` and arrays, as `docs/training.md` describes it.
    out
        Folder for `model.safetensors` and for `checkpoint.safetensors`, from which a killed
        training continues.
    options
        Any of `DEFAULTS`.
    report
        Called with a dict of plain numbers after every epoch.

    Returns
    -------
    dict
        `parameters`, `val_loss`, `history` and `versions` of the libraries.
    """
    settings = _settings(options)
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(settings["seed"])
    device = torch.device(settings["device"])
    images, flows = _load(Path(data), "train", settings["min_masks"])
    val_images, val_flows = _load(Path(data), "val", settings["min_masks"])
    model = models.CellposeModel(
        pretrained_model=False, diam_mean=DIAMETER, nchan=2, device=device, mkldnn=False
    )
    network = model.net.to(memory_format=torch.channels_last)
    resumption = Resumption(network, Path(out) / "checkpoint.safetensors", settings, report)
    # One autocast around many steps: with its cache the network would never see a changed weight.
    brief = torch.autocast(
        device.type,
        torch.bfloat16,
        enabled=settings["precision"] == "bfloat16",
        cache_enabled=False,
    )
    with tempfile.TemporaryDirectory() as scratch:
        # The package also writes its own files, in torch's format; they go with this folder.
        (Path(scratch) / "models").mkdir()
        with resumption, brief:
            cellpose_train.train_seg(
                network,
                train_data=VariedImages(images, settings["seed"]),
                train_labels=flows,
                test_data=val_images,
                test_labels=val_flows,
                batch_size=settings["batch_size"],
                learning_rate=settings["learning_rate"],
                n_epochs=settings["epochs"],
                weight_decay=settings["weight_decay"],
                normalize=False,
                scale_range=settings["scale_range"],
                bsize=settings["crop"],
                nimg_per_epoch=settings["crops_per_epoch"],
                nimg_test_per_epoch=min(settings["val_crops"], len(val_images)),
                min_train_masks=0,
                save_path=scratch,
                save_every=settings["epochs"] + 1,
                model_name="trained",
            )
    _write(Path(out) / "model.safetensors", dict(network.state_dict()), {"format": "pt"})
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "val_loss": resumption.losses[-1]["val_loss"],
        "history": resumption.losses,
        "versions": {name: version(name) for name in ("cellpose", "torch", "numpy")},
    }


def _settings(options: Dict[str, Any]) -> Dict[str, Any]:
    """Return every option, those given over the defaults."""
    unknown = sorted(set(options) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r}; known: {', '.join(sorted(DEFAULTS))}")
    return {**DEFAULTS, **options}


class VariedImages:
    """A sequence of images whose intensities differ at every access, as `train_seg` draws them.

    The package itself only turns, mirrors and scales. Real stains and cameras differ in more, so
    gamma, sharpness and noise vary too. The n-th access varies alike whatever came before.

    Parameters
    ----------
    images
        Arrays (2, Y, X) float32, normalised; the second channel is empty.
    seed
        Seed of the variation.
    """

    def __init__(self, images: List[np.ndarray], seed: int) -> None:
        self.images = images
        self.seed = seed
        self.draws = 0

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, self.draws])
        self.draws += 1
        plane = np.clip(self.images[index][0], 0, None)
        plane = plane ** math.exp(rng.uniform(math.log(0.5), math.log(1.8)))
        if rng.random() < 0.4:
            plane = ndimage.gaussian_filter(plane, rng.uniform(0.3, 1.6))
        if rng.random() < 0.5:
            plane = plane + rng.normal(0, rng.uniform(0.01, 0.1), plane.shape)
        return np.stack((plane, np.zeros_like(plane))).astype(np.float32)


class Resumption(logging.Handler):
    """Watches `train_seg` from outside: reports, writes checkpoints, passes over steps done.

    The optimiser's steps are seen through torch's own hook, the losses in the package's log (every
    tenth epoch). While steps already done pass by, the network answers with zeros that depend on
    no parameter, and an optimiser step without gradients changes nothing.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        checkpoint: Path,
        settings: Dict[str, Any],
        report: Callable[[Dict[str, Any]], None],
    ) -> None:
        super().__init__(logging.INFO)
        self.network = network
        self.checkpoint = checkpoint
        self.settings = settings
        self.report = report
        self.steps_per_epoch = math.ceil(settings["crops_per_epoch"] / settings["batch_size"])
        self.step = 0
        self.last_logged = 0
        self.losses: List[Dict[str, Any]] = []
        self.resume_at = 0
        self.moments: Dict[int, Dict[str, torch.Tensor]] = {}

    def __enter__(self) -> Resumption:  # noqa: PYI034 - `Self` is younger than Python 3.11
        if self.checkpoint.exists():
            self._restore()
            self.network.forward = _pass_over
        self.hook = register_optimizer_step_post_hook(self._stepped)
        self.logger = logging.getLogger(cellpose_train.__name__)
        self.logger.setLevel(logging.INFO)
        self.logger.addHandler(self)
        return self

    def __exit__(self, *exception: object) -> None:
        self.hook.remove()
        self.logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Read the losses from a line of the package's log."""
        found = re.match(r"(\d+), train_loss=([\d.]+), test_loss=([\d.]+)", record.getMessage())
        if not found:
            return
        line: Dict[str, Any] = {"epoch": int(found[1]) + 1, "epochs": self.settings["epochs"]}
        if self.last_logged >= self.resume_at:
            # The mean since the last such line, so nothing of it may have been passed over.
            line["train_loss"] = float(found[2])
        line["val_loss"] = float(found[3])
        self.last_logged = self.step
        if self.step > self.resume_at:
            self.losses.append(line)
            self.report(line)

    def _stepped(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        self.step += 1
        if self.step == self.resume_at:
            del self.network.forward
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": self.moments, "param_groups": groups})
            return
        epoch, within = divmod(self.step, self.steps_per_epoch)
        if within or self.step < self.resume_at:
            return
        self.report({"epoch": epoch, "epochs": self.settings["epochs"]})
        if epoch % self.settings["checkpoint_every"] == 0 or epoch == self.settings["epochs"]:
            self._save(optimizer)

    def _save(self, optimizer: torch.optim.Optimizer) -> None:
        tensors = {f"network.{key}": value for key, value in self.network.state_dict().items()}
        for number, state in optimizer.state_dict()["state"].items():
            tensors.update({f"optimizer.{number}.{key}": value for key, value in state.items()})
        progress = {"step": self.step, "losses": self.losses}
        _write(self.checkpoint, tensors, {"progress": json.dumps(progress)})

    def _restore(self) -> None:
        weights = {}
        with safe_open(str(self.checkpoint), "pt") as file:
            progress = json.loads(file.metadata()["progress"])
            for key in file.keys():  # noqa: SIM118 - the handle is no dict
                part, name = key.split(".", 1)
                if part == "network":
                    weights[name] = file.get_tensor(key)
                else:
                    number, field = name.split(".")
                    self.moments.setdefault(int(number), {})[field] = file.get_tensor(key)
        self.network.load_state_dict(weights)
        self.resume_at = progress["step"]
        self.losses = progress["losses"]


def _pass_over(images: torch.Tensor) -> Tuple[torch.Tensor]:
    """Answer like the network, with zeros: nothing is learned from them."""
    shape = (images.shape[0], 3, *images.shape[2:])
    return (torch.zeros(shape, device=images.device, requires_grad=True),)


def _load(data: Path, split: str, min_masks: int) -> Tuple[List[np.ndarray], List[np.ndarray]]:
    """Read a split as the package wants it: images (2, Y, X) float32, flows (4, Y, X) float32.

    Scenes with hardly any object are left out, as the package does: their scale is unknown.
    """
    index = json.loads((data / "index.json").read_text(encoding="utf-8"))
    images, labels = [], []
    for entry in index["splits"][split]:
        objects = np.load(data / entry["labels"], allow_pickle=False)
        if len(np.unique(objects[objects > 0])) < min_masks:
            continue
        image = np.load(data / entry["image"], allow_pickle=False)
        grey = transforms.convert_image(image, channels=[0, 0], channel_axis=0)
        images.append(transforms.normalize_img(grey.astype(np.float32)).transpose(2, 0, 1))
        labels.append(objects.astype(np.int32))
    return images, dynamics.labels_to_flows(labels, device=torch.device("cpu"))


def _write(path: Path, tensors: Dict[str, torch.Tensor], metadata: Dict[str, str]) -> None:
    """Write a safetensors file whole or not at all."""
    partial = path.with_suffix(".partial")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial, metadata)
    partial.replace(path)
