"""A painter and the images that it learns from, as the loop of a training wants them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generators.painting.calibration import Calibration, calibrated
from generators.painting.files import Stored, save
from generators.painting.measures import measured
from generators.painting.painter import Painter
from generators.painting.training import exposed, step
from generators.seeds import Seed
from generators.training import grids
from generators.training.batches import chosen
from generators.training.checkpoint import (
    Checkpoint,
    networks_of,
    of_same_training,
    restore_networks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.painting.examples import Crops, Examples
    from generators.painting.training import Training
    from generators.polygons import Floats

_NETWORKS = ("generator", "discriminator", "average")
_OPTIMISERS = ("generator_adam", "discriminator_adam")
_SHOWN = 8
_CALIBRATED = 8  # images


class PainterLearner:
    """A training and its examples.

    Parameters
    ----------
    training
        The networks.
    examples
        What they learn from.
    notes
        Plain values that go with the network's file.
    measured
        Images that are painted anew and measured at each snapshot.
    """

    def __init__(
        self,
        training: Training,
        examples: Examples,
        notes: Mapping[str, Any] | None = None,
        *,
        measured: int = 0,
    ) -> None:
        self.training, self.examples, self.notes = training, examples, dict(notes or {})
        self._measured = measured

    @property
    def pictures(self) -> int:
        """How many crops it has learned from."""
        return self.training.pictures

    @property
    def steps(self) -> int:
        """How many steps it has done."""
        return self.training.steps

    def step(self) -> dict[str, float]:
        """Do the next step."""
        training = self.training
        size, batch, _ = training.options.at(training.way)
        numbers = chosen(training.steps, self.examples.count, batch // 2, training.options.seed)
        return step(training, self.examples.crops(numbers, size))

    def checkpoint(self) -> Checkpoint:
        """Return all that the next steps depend on."""
        tensors = networks_of(self.training, _NETWORKS, _OPTIMISERS)
        return Checkpoint(tensors, {"steps": self.steps, "pictures": self.pictures})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take up where a checkpoint stands.

        Raises
        ------
        RunError
            It is of another training.
        """
        with of_same_training():
            restore_networks(self.training, checkpoint, _NETWORKS, _OPTIMISERS)
            self.training.steps = checkpoint.state["steps"]
            self.training.pictures = checkpoint.state["pictures"]

    def begin(self, folder: Path) -> None:
        """Write `reals.png`, and what the network makes of the same scenes at first."""
        grids.write(folder / "reals.png", _shown(self._crops().seen))
        grids.write(folder / "fakes000000.png", self._fakes())

    def snapshot(self, folder: Path) -> dict[str, float]:
        """Write a painter and a grid, named after the thousands of pictures; return metrics."""
        kimg = f"{self.pictures // 1000:06d}"
        grids.write(folder / f"fakes{kimg}.png", self._fakes())
        path = folder / f"painter-{kimg}.safetensors"
        save(path, self.stored())
        return dict(measured(Painter(path), self.examples, self._measured))

    def stored(self) -> Stored:
        """Return the painter as it stands."""
        examples = self.examples
        notes = {
            **self.notes,
            "data digest": examples.digest,
            "images": len(examples.images),
            "options": asdict(self.training.options),
            "pictures": self.pictures,
            "annotators drew too large by (px)": round(examples.bias, 4),
        }
        return Stored(
            self.training.average,
            examples.bank,
            examples.scale,
            examples.noise,
            notes,
            self._calibration(),
            sharpness=self.training.options.camera == "image",
        )

    def _calibration(self) -> Calibration:
        some = self.examples.images[:: max(1, len(self.examples.images) // _CALIBRATED)]
        return calibrated(self._painted, some[:_CALIBRATED], self.examples.scale)

    def _painted(self, maps: NDArray[np.float32], number: int) -> Floats:
        """Return what the averaged network makes of maps (C, Y, X), at whatever size."""
        _, height, width = maps.shape
        step = self.training.average.settings.step
        pad = [(0, 0), *((0, -n % step) for n in (height, width))]
        whole = torch.from_numpy(np.pad(maps, pad, mode="edge"))[None]
        rng = torch.Generator().manual_seed(
            Seed.root(self.training.options.seed).at("calibration", number).number
        )
        with torch.no_grad():
            noise = self.training.average.drawn(1, whole.shape[2], whole.shape[3], rng)
            painted = self.training.average(whole, noise)[0, 0, :height, :width]
        seen: Floats = painted.double().numpy()
        return seen

    def _crops(self) -> Crops:
        options = self.training.options
        some = chosen(0, self.examples.count, _SHOWN, options.seed)
        return self.examples.crops(some, options.largest)

    def _fakes(self) -> NDArray[np.float32]:
        """Return what the averaged network makes of the scenes that `reals.png` shows."""
        crops = self._crops()
        maps = torch.from_numpy(crops.maps)
        rng = torch.Generator().manual_seed(Seed.root(self.training.options.seed).at("grid").number)
        average = self.training.average
        with torch.no_grad():
            noise = average.drawn(len(maps), maps.shape[2], maps.shape[3], rng)
            own = torch.from_numpy(crops.noise)
            return _shown(exposed(average(maps, noise), self.examples.scale, own, rng).numpy())


def _shown(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return pictures for a grid: what is seen of most images lies within one unit."""
    shown: NDArray[np.float32] = np.clip(seen * 1.4, -1, 1)
    return shown
