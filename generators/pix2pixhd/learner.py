"""Networks and the pairs that they learn from, as the loop of a training wants them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.files import write_bytes
from generators.pix2pixhd import clusters, state, views
from generators.pix2pixhd.examples import classes_of
from generators.pix2pixhd.files import save
from generators.pix2pixhd.steps import step
from generators.pix2pixhd.training import codes_of, made, still
from generators.seeds import Seed
from generators.training import grids
from generators.training.batches import Batches
from generators.training.processes import ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.pix2pixhd.examples import Example, Examples
    from generators.pix2pixhd.training import Training
    from generators.training.checkpoint import Checkpoint

_ROWS = 4  # of the pictures to look at
NETWORKS = {"G": "generator", "D": "discriminator", "E": "encoder"}


class TextureLearner:
    """A training and its examples.

    Parameters
    ----------
    training
        The networks.
    examples
        What they learn from.
    batch
        Pictures a step.
    notes
        What goes with the networks in their files.
    save_every
        Epochs between networks that are kept.
    workers
        Threads that read ahead.
    """

    def __init__(
        self,
        training: Training,
        examples: Examples,
        batch: int,
        *,
        notes: Mapping[str, Any] | None = None,
        save_every: int = 10,
        workers: int = 0,
    ) -> None:
        self.training, self.examples, self.notes = training, examples, notes or {}
        self._save_every, self._kept = save_every, 0
        self._seed = Seed.root(training.settings.seed)
        self._batches = Batches(
            self._read,
            len(examples.source.names),
            batch,
            seed=training.settings.seed,
            workers=workers,
        )

    @property
    def pictures(self) -> int:
        """How many pictures it has learned from."""
        return self.training.pictures

    @property
    def steps(self) -> int:
        """How many steps it has done."""
        return self.training.steps

    def _read(self, numbers: NDArray[np.intp]) -> list[Example]:
        return [self.examples.read(int(number)) for number in numbers]

    def step(self) -> dict[str, float]:
        """Do the next step."""
        steps = self.training.steps
        seed = self._seed.at("cut", steps)
        return step(self.training, self.examples.batch(self._batches.at(steps), seed))

    def checkpoint(self) -> Checkpoint:
        """Return all that the next steps depend on."""
        return state.checkpoint_of(self.training)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take up where a checkpoint stands."""
        state.restore(self.training, checkpoint)
        self._kept = self.training.epochs // self._save_every

    def begin(self, folder: Path) -> None:
        """Write the first pictures to look at."""
        self._look(folder)

    def snapshot(self, folder: Path) -> dict[str, float]:
        """Write the latest networks, those to keep, and pictures; return how far they are."""
        names = ["latest"]
        kept = self.training.epochs // self._save_every
        if kept > self._kept:
            names.append(str(self.training.epochs))
            self._kept = kept
        about = {**self.notes, "epochs": self.training.epochs, "pictures": self.pictures}
        for letter, network in NETWORKS.items():
            if getattr(self.training, network) is not None:
                for name in names:
                    path = folder / f"{name}_net_{letter}.safetensors"
                    save(path, getattr(self.training, network), about)
        return {"L1": self._look(folder)}

    def close(self) -> None:
        """End the threads that read ahead."""
        self._batches.close()

    def representative(self, count: int) -> clusters.Codes:
        """Return representative codes of each class, of all pictures."""
        return clusters.clustered(self._codes(), count, self.training.settings.seed)

    def _codes(self) -> Iterator[clusters.Codes]:
        training, inputs = self.training, self.training.inputs
        for number in range(len(self.examples.source.names)):
            example = self.examples.read(number)
            batch = example.padded(self.examples.resizing.multiple).alone()
            with still(training):
                codes = codes_of(training, batch.share(ALONE, training.device))
            assert codes is not None
            height, width = example.size
            yield clusters.codes_of(
                codes[0, :, :height, :width].float().cpu().numpy(), *classes_of(example, inputs)
            )

    def _look(self, folder: Path) -> float:
        """Write a few pairs and what is made of them, side by side; return their distance."""
        every = range(len(self.examples.source.names))
        examples = [self.examples.read(number) for number in every[:_ROWS]]
        size = self._size(examples)
        rows, distances = [], []
        for example in examples:
            part = example.middle(size)
            assert part.real is not None
            fake = made(self.training, part.alone())[0].cpu().numpy()
            rows.append([self._given(part), fake, part.real])
            distances.append(float(np.abs(fake - part.real).mean()))
        file = io.BytesIO()
        grids.grid(views.side_by_side(rows), columns=3).save(file, format="png")
        write_bytes(folder / f"fakes-epoch-{self.training.epochs:04d}.png", file.getvalue())
        return float(np.mean(distances))

    def _size(self, examples: list[Example]) -> tuple[int, int]:
        """Return the largest size that is in all examples, no larger than what is learned from.

        Raises
        ------
        DatasetError
            One is too small to learn from.
        """
        resizing = self.examples.resizing
        for example in examples:
            resizing.place(*example.size, self._seed.generator(), example.where)
        sides = [min(lengths) for lengths in zip(*(each.size for each in examples), strict=True)]
        if resizing.cuts:
            sides = [min(side, resizing.fine_size) for side in sides]
        height, width = (side // resizing.multiple * resizing.multiple for side in sides)
        return height, width

    def _given(self, example: Example) -> NDArray[np.float32]:
        """Return what is given as a picture: labels in colours, instances where they tell more."""
        if not self.training.inputs.label_nc:
            return example.given
        few = self.training.inputs.label_nc <= 2
        told = example.instances if few and example.instances is not None else example.given
        return views.coloured(told[0])
