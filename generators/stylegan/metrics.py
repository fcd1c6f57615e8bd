"""What is measured at each snapshot of a training, by the names of `--metrics`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.errors import RunError, nearest
from generators.seeds import Seed
from generators.stylegan import fidelity
from generators.stylegan.equivariance import equivariance
from generators.training.batches import chosen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.stylegan.equivariance import Move
    from generators.stylegan.generator import Generator
    from generators.stylegan.learner import Examples, Metric

_MOVES: dict[str, Move] = {"eqt_int": "integer", "eqt_frac": "fractional", "eqr": "rotation"}
NAMES = (*_MOVES, "shapes", *fidelity.METRICS)
_MOVED = 64
"""Pictures that each move is measured on."""
_COMPARED = 5000
"""Pictures of each side that features are compared of."""
_AT_ONCE = 32


def metrics_of(text: str, examples: Examples, *, rotated: bool, seed: int = 0) -> list[Metric]:
    """Return what `--metrics` asks for.

    Parameters
    ----------
    text
        `auto`, `none`, or names of `NAMES` separated by commas. `auto` is what is cheap and needs
        no further package: EQ-T, EQ-R for networks that are made for it, shapes of single objects.
    examples
        What is learned from.
    rotated
        Whether the network is made for rotation.
    seed
        Of all that is drawn.

    Raises
    ------
    RunError
        A name is unknown, or cannot be measured on these examples or on this machine.
    """
    of_objects = '"kind": "objects"' in examples.content
    if text == "auto":
        names = ["eqt_int", "eqt_frac"] + ["eqr"] * rotated + ["shapes"] * of_objects
    else:
        names = [name.strip() for name in text.split(",") if name.strip() not in {"", "none"}]
    for name in names:
        if name not in NAMES:
            raise RunError(f"there is no metric {name!r}", mend=nearest(name, [*NAMES, "auto"]))
    made: list[Metric] = [
        Equivariance(name, move, seed) for name, move in _MOVES.items() if name in names
    ]
    if "shapes" in names:
        if not of_objects:
            raise RunError(
                "shapes can be measured of single objects alone",
                mend="leave shapes out of --metrics, or learn --content objects",
            )
        from generators.stylegan.shape_metrics import ShapeMetric  # noqa: PLC0415 - slow to import

        made.append(ShapeMetric(examples, seed))
    if compared := tuple(name for name in names if name in fidelity.METRICS):
        fidelity.require_weights(compared)
        made.append(Fidelity(compared, examples, seed))
    return made


def pictures_of(
    generator: Generator, n: int, seed: Seed, classes: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return n pictures (n, C, S, S) of latents by a seed; `classes` (n, c_dim) if it has some."""
    device = generator.w_average.device
    rng = torch.Generator().manual_seed(seed.number)
    z = torch.randn(n, generator.settings.z_dim, generator=rng)
    made = []
    with torch.no_grad():
        for first in range(0, n, _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            c = None if classes is None else torch.from_numpy(classes[some]).to(device)
            made.append(generator(z[some].to(device), c).cpu())
    return torch.cat(made).numpy()


def classes_of(
    generator: Generator, examples: Examples, numbers: NDArray[np.intp]
) -> NDArray[np.float32] | None:
    """Return the classes of examples, if the generator has learned classes."""
    if not generator.settings.c_dim or examples.classes is None:
        return None
    return np.asarray(examples.classes[numbers])


@dataclass(frozen=True)
class Equivariance:
    """EQ-T or EQ-R in decibels, under its name.

    Parameters
    ----------
    name
        Of the figure.
    move
        What pictures are moved by.
    seed
        Of latents and moves.
    """

    name: str
    move: Move
    seed: int

    def __call__(self, generator: Generator) -> dict[str, float]:
        """Measure a generator; of classes it is given the first."""
        c_dim = generator.settings.c_dim

        def made(z: torch.Tensor, *, transform: torch.Tensor) -> torch.Tensor:
            c = torch.eye(c_dim, device=z.device)[:1].repeat(len(z), 1) if c_dim else None
            pictures: torch.Tensor = generator(z, c, transform=transform)
            return pictures

        rng = torch.Generator().manual_seed(Seed.root(self.seed).at("equivariance").number)
        z = torch.randn(_MOVED, generator.settings.z_dim, generator=rng)
        measured = equivariance(made, z.to(generator.w_average.device), self.move, seed=self.seed)
        return {self.name: measured}


@dataclass(frozen=True)
class Fidelity:
    """FID, KID, precision and recall of 5,000 pictures, or as many as there are.

    Parameters
    ----------
    names
        Of `fidelity.METRICS`.
    examples
        What is learned from.
    seed
        Of latents and of the examples taken.
    """

    names: tuple[str, ...]
    examples: Examples
    seed: int

    def __call__(self, generator: Generator) -> dict[str, float]:
        """Measure a generator."""
        count = min(len(self.examples.images), _COMPARED)
        numbers = chosen(0, len(self.examples.images), count, self.seed)
        made = pictures_of(
            generator,
            count,
            Seed.root(self.seed).at("fidelity"),
            classes_of(generator, self.examples, numbers),
        )
        real = np.asarray(self.examples.images[numbers])
        return fidelity.fidelity(made, real, self.names, generator.w_average.device)
