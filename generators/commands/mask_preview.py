"""`bench train masks --dry-run`: what would be done, on what, and how long it would take."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from adapters import console
from generators.masks.statistics import lines
from generators.stylegan.learner import StyleganLearner
from generators.stylegan.synthesis2 import Synthesis2
from generators.training.display import duration

if TYPE_CHECKING:
    from torch import nn

    from generators.commands.mask_training import Wish
    from generators.masks.pictures import Pictures
    from generators.stylegan.training import Training


def preview(wish: Wish, pictures: Pictures, training: Training, *, json: bool) -> None:
    """Print the data, the networks, and what a few steps took.

    Parameters
    ----------
    wish
        With resolved options.
    pictures
        What is learned from.
    training
        At its start; carried on by a few steps.
    json
        Whether all is printed as JSON.
    """
    rate = rate_of(wish, pictures, training)
    told: dict[str, Any] = {
        "data": pictures.summary,
        "options": {"data": wish.data, **asdict(wish.contents), **asdict(wish.networks)},
        "networks": {
            "generator": size_of(training.generator),
            "discriminator": size_of(training.discriminator),
            "layers": layers_of(training),
        },
        "kimg": wish.course.kimg,
        "pictures_per_second": rate,
        "seconds": wish.course.kimg * 1000 / rate,
    }
    if json:
        console.print_json(told)
        return
    console.out.print("\n".join(lines(pictures.summary)) + "\n")
    for name, value in told["options"].items():
        if value is not None:
            console.out.print(f"--{name.replace('_', '-'):<16} {value}")
    console.out.print()
    for name in ("generator", "discriminator"):
        console.out.print(f"{name:<18} {told['networks'][name]:,} weights")
    for name, shape in told["networks"]["layers"].items():
        console.out.print(f"  {name:<16} {' x '.join(map(str, shape))}")
    alone = " by one process" if wish.course.gpus > 1 else ""
    takes = f"{wish.course.kimg:g} kimg in {duration(told['seconds'])}"
    console.out.print(f"\n{rate:.3g} pictures/s{alone}, so {takes}")


def size_of(network: nn.Module) -> int:
    """Return how many weights a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


def layers_of(training: Training) -> dict[str, list[int]]:
    """Return what each layer of the generator and block of the discriminator gives: (C, H, W)."""
    shapes: dict[str, list[int]] = {}

    def noting(name: str) -> Any:
        def note(_module: nn.Module, _given: Any, made: Any) -> None:
            made = made[0] if isinstance(made, tuple) else made
            shapes[name] = list(made.shape[1:])

        return note

    synthesis, judge = training.generator.synthesis, training.discriminator
    made_of = synthesis.blocks if isinstance(synthesis, Synthesis2) else synthesis.layers
    hooks = [
        layer.register_forward_hook(noting(f"{kind} {k}"))
        for kind, modules in (("layer", made_of), ("judge", judge.blocks))
        for k, layer in enumerate(modules)
    ]
    pictures = synthesis(training.generator.w_average.repeat(1, synthesis.num_styles, 1))
    judge.blocks(judge.from_picture(pictures))
    for hook in hooks:
        hook.remove()
    return shapes


def rate_of(wish: Wish, pictures: Pictures, training: Training) -> float:
    """Return pictures a second: a plain step and one with regularisation, in their proportion."""
    options = wish.networks
    learner = StyleganLearner(
        training, pictures, options.batch, mirror=options.mirror, conditional=options.cond
    )
    learner.step()  # the first one builds what is cached
    plain = statistics.median(_seconds(learner, 1) for _ in range(3))
    regularised = _seconds(learner, 0)
    every = options.r1_every
    return options.batch / (((every - 1) * plain + regularised) / every)


def _seconds(learner: StyleganLearner, number: int) -> float:
    """Return what the step of a number takes; 0 has all regularisations."""
    learner.training.steps = number
    began = time.monotonic()
    learner.step()
    return time.monotonic() - began
