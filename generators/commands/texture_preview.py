"""`bench train textures --dry-run`: what would be done, on what, and how long it would take."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from adapters import console
from generators.pix2pixhd.learner import TextureLearner
from generators.training.display import duration

if TYPE_CHECKING:
    from torch import nn

    from generators.commands.texture_training import Work
    from generators.pix2pixhd.training import Training


def preview(work: Work, training: Training, options: dict[str, Any], *, json: bool) -> None:
    """Print the data, the options, the networks, and what a few steps took.

    Parameters
    ----------
    work
        What is learned from.
    training
        At its start; carried on by a few steps.
    options
        What they came to.
    json
        Whether all is printed as JSON.
    """
    learner = TextureLearner(training, work.examples, work.wish.learning.batch_size)
    learner.step()  # the first one allocates
    rate = work.wish.learning.batch_size / statistics.median(_seconds(learner) for _ in range(3))
    size = work.examples.read(0).size
    told: dict[str, Any] = {
        "pictures": len(work.examples.source.names),
        "size": list(size),
        "options": {"data": work.wish.data, **options},
        "weights": {
            "generator": size_of(training.generator),
            "discriminator": size_of(training.discriminator),
            **({} if training.encoder is None else {"encoder": size_of(training.encoder)}),
        },
        "epochs": work.epochs,
        "pictures_per_second": rate,
        "seconds": work.kimg * 1000 / rate,
    }
    if json:
        console.print_json(told)
        return
    console.out.print(f"{told['pictures']} pairs, the first of {size[0]} by {size[1]} px\n")
    for name, value in told["options"].items():
        if value is not None:
            console.out.print(f"{name if ' ' in name else '--' + name:<22} {value}")
    console.out.print()
    for name, count in told["weights"].items():
        console.out.print(f"{name:<22} {count:,} weights")
    alone = " by one process" if work.wish.course.gpus > 1 else ""
    takes = f"{work.epochs} epochs in {duration(told['seconds'])}"
    console.out.print(f"\n{rate:.3g} pictures/s{alone}, so {takes}")


def size_of(network: nn.Module) -> int:
    """Return how many weights a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


def _seconds(learner: TextureLearner) -> float:
    """Return what a step takes."""
    began = time.monotonic()
    learner.step()
    return time.monotonic() - began
