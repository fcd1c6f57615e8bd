"""Networks and the pictures that they learn from, as the loop of a training wants them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from generators.seeds import Seed
from generators.stylegan import state
from generators.stylegan.files import save
from generators.stylegan.training import step
from generators.training import grids
from generators.training.batches import Batches, chosen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.stylegan.generator import Generator
    from generators.stylegan.training import Training
    from generators.training.checkpoint import Checkpoint

_AT_ONCE = 16  # pictures made for a grid


class Examples(Protocol):
    """Pictures to learn from; `generators.masks.pictures.Pictures` is such."""

    @property
    def images(self) -> NDArray[np.float32]:
        """(N, C, S, S) within [-1, 1]."""

    @property
    def classes(self) -> NDArray[np.float32] | None:
        """(N, c_dim), if there are classes."""

    @property
    def content(self) -> str:
        """JSON on what the pictures mean."""

    @property
    def digest(self) -> str:
        """SHA-256."""


class Metric(Protocol):
    """What is measured on the averaged generator at each snapshot."""

    def __call__(self, generator: Generator) -> Mapping[str, float]:
        """Return figures by name."""


class StyleganLearner:
    """A training and its examples.

    Parameters
    ----------
    training
        The networks.
    examples
        What they learn from.
    batch
        Pictures a step.
    mirror
        Whether each picture comes mirrored as well.
    conditional
        Whether classes are learned.
    workers
        Threads that read ahead.
    metrics
        What is measured at each snapshot.
    """

    def __init__(
        self,
        training: Training,
        examples: Examples,
        batch: int,
        *,
        mirror: bool = False,
        conditional: bool = False,
        workers: int = 0,
        metrics: tuple[Metric, ...] = (),
    ) -> None:
        self.training, self.examples, self.metrics = training, examples, metrics
        self._classes = examples.classes if conditional else None
        self._n = len(examples.images) * (2 if mirror else 1)
        self._batches = Batches(
            self.read, self._n, batch, seed=training.settings.seed, workers=workers
        )

    @property
    def pictures(self) -> int:
        """How many pictures it has learned from."""
        return self.training.pictures

    @property
    def steps(self) -> int:
        """How many steps it has done."""
        return self.training.steps

    def read(self, numbers: NDArray[np.intp]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return pictures and classes of numbers; from the count of pictures on, mirrored."""
        count = len(self.examples.images)
        images = np.asarray(self.examples.images[numbers % count])
        mirrored = numbers >= count
        images[mirrored] = images[mirrored, :, :, ::-1]
        classes = (
            None if self._classes is None else torch.from_numpy(self._classes[numbers % count])
        )
        return torch.from_numpy(images), classes

    def step(self) -> dict[str, float]:
        """Do the next step."""
        return step(self.training, *self._batches.at(self.training.steps))

    def checkpoint(self) -> Checkpoint:
        """Return all that the next steps depend on."""
        return state.checkpoint_of(self.training)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take up where a checkpoint stands."""
        state.restore(self.training, checkpoint)

    def begin(self, folder: Path) -> None:
        """Write `reals.png` and the first `fakes000000.png`."""
        grids.write(folder / "reals.png", self.read(self._shown())[0].numpy())
        grids.write(folder / "fakes000000.png", self._fakes())

    def snapshot(self, folder: Path) -> dict[str, float]:
        """Write networks and a grid, named after the thousands of pictures; return metrics."""
        kimg = f"{self.pictures // 1000:06d}"
        grids.write(folder / f"fakes{kimg}.png", self._fakes())
        notes = {
            "content": self.examples.content,
            "training": json.dumps(
                {"data": self.examples.digest, "pictures": self.pictures, "p": self.training.p}
            ),
        }
        save(folder / f"network-snapshot-{kimg}.safetensors", self.training.average, notes)
        save(folder / f"discriminator-snapshot-{kimg}.safetensors", self.training.discriminator)
        return {k: v for metric in self.metrics for k, v in metric(self.training.average).items()}

    def close(self) -> None:
        """End the threads that read ahead."""
        self._batches.close()

    def _shown(self) -> NDArray[np.intp]:
        """Return the numbers of the examples that the grids show, or whose classes they show."""
        rows, columns = grids.layout(self.examples.images.shape[-1])
        return chosen(0, self._n, min(rows * columns, self._n), self.training.settings.seed)

    def _fakes(self) -> NDArray[np.float32]:
        """Return a grid's pictures, of the same latents each time."""
        numbers, average = self._shown(), self.training.average
        rng = torch.Generator().manual_seed(
            Seed.root(self.training.settings.seed).at("grid").number
        )
        z = torch.randn(len(numbers), average.settings.z_dim, generator=rng)
        made = []
        with torch.no_grad():
            for first in range(0, len(z), _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                classes = self.read(numbers[some])[1]
                made.append(average(*_on(self.training.device, z[some], classes)).cpu())
        return torch.cat(made).numpy()


def _on(device: torch.device, *tensors: torch.Tensor | None) -> list[Any]:
    return [None if tensor is None else tensor.to(device) for tensor in tensors]
