"""A painter of spots and what it learns from, as the loop of a training wants them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generators.seeds import Seed
from generators.spottexture import measures
from generators.spottexture.files import Kind, StoredSpots, save
from generators.spottexture.painter import opened
from generators.spottexture.training import Scenes, step
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

    from generators.spottexture.examples import Crops, Examples
    from generators.spottexture.training import SpotTraining

_NETWORKS = ("generator", "discriminator", "average")
_OPTIMISERS = ("generator_adam", "discriminator_adam")
_SHOWN = 48
_MEASURED = 192
"""Crops whose power is compared."""


class SpotLearner:
    """A training and its examples.

    Parameters
    ----------
    training
        The networks.
    examples
        What they learn from.
    notes
        Plain values that go with the network's file.
    """

    def __init__(
        self, training: SpotTraining, examples: Examples, notes: Mapping[str, Any] | None = None
    ) -> None:
        self.training, self.examples, self.notes = training, examples, dict(notes or {})

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
        return step(self.training, self._crops(self.training.steps, self.training.options.batch))

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
        """Write `reals.png`, and the same crops with painted spots at first."""
        grids.write(folder / "reals.png", _shown(Scenes(self._crops(0, _SHOWN)).real))
        grids.write(folder / "fakes000000.png", _shown(self._painted(_SHOWN)))

    def snapshot(self, folder: Path) -> dict[str, float]:
        """Write a painter and a grid, named after the thousands of crops; return metrics."""
        kimg = f"{self.pictures // 1000:06d}"
        grids.write(folder / f"fakes{kimg}.png", _shown(self._painted(_SHOWN)))
        path = folder / f"spots-{kimg}.safetensors"
        save(path, self.stored())
        real = measures.spectrum(Scenes(self._crops(0, _MEASURED)).real[:, 0].double().numpy())
        made = measures.spectrum(self._painted(_MEASURED)[:, 0].double().numpy())
        found: dict[str, float] = {"spectrum": float(np.abs(made / real - 1).max())}
        painter = opened(path)
        each = [measures.looks(painter, k, one) for k, one in enumerate(self.examples.images)]
        return found | {name: max(one[name] for one in each) for name in each[0]}

    def stored(self) -> StoredSpots:
        """Return the painter as it stands, put right in width."""
        examples = self.examples
        notes = {
            **self.notes,
            "data digest": examples.digest,
            "spots": examples.spots,
            "options": asdict(self.training.options),
            "pictures": self.pictures,
        }
        plain = StoredSpots(
            self.training.average,
            tuple(
                Kind(name, one.spots.stretch, 1.0, 1.0, measures.about(one))
                for name, one in zip(examples.names, examples.images, strict=True)
            ),
            notes,
        )
        return measures.put_right(plain)

    def _crops(self, number: int, count: int) -> Crops:
        numbers = chosen(number, self.examples.count, count, self.training.options.seed)
        return self.examples.crops(numbers)

    def _painted(self, count: int) -> torch.Tensor:
        """Return the first crops as the averaged network paints them."""
        rng = torch.Generator().manual_seed(Seed.root(self.training.options.seed).at("grid").number)
        with torch.no_grad():
            return Scenes(self._crops(0, count)).painted(self.training.average, rng)


def _shown(crops: torch.Tensor) -> NDArray[np.float32]:
    """Return crops for a grid: from a little below the ground to twice the median spot's peak."""
    shown: NDArray[np.float32] = np.clip(crops.numpy() * 1.6 - 0.8, -1, 1)
    return shown
