"""`bench train painter`: a network that paints scenes with the light of real microscopy."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import Parameter

from generators.commands.extra import require_networks
from generators.painting.options import Course, Options


def _flat(group: str) -> Parameter:
    """Return what makes options of a class options of the command, under a heading."""
    return Parameter(name="*", group=group)


def train_painter(
    *,
    data: str,
    out: Path,
    split: str | None = "train",
    target: str | None = None,
    learning: Annotated[Options, _flat("Network and learning")] = Options(),  # noqa: B008 - frozen
    course: Annotated[Course, _flat("Course")] = Course(),  # noqa: B008 - frozen
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train a painter on labelled images, as docs/painting.md describes.

    The same command continues a training that was interrupted, or does nothing if it is finished.
    A recipe uses the result by its path: `painter = "OUT/painter-000004.safetensors"`.

    Parameters
    ----------
    data
        A data set, a folder of images with labels, or `builtin`.
    out
        The folder of the training.
    split
        Which images; where the data set has no split of this name, all.
    target
        Which labels; by default the data set's first target.
    json
        Print the result as JSON.
    """
    require_networks()
    from generators.commands import painter_training  # noqa: PLC0415 - help needs none of it

    wish = painter_training.Wish(data, out, split, target, learning, course)
    painter_training.run(wish, json=json)
