"""`bench train masks`: networks that make shapes, fields of masks, or any pictures."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import Parameter

from generators.commands.extra import require_networks
from generators.commands.mask_options import CourseOptions, DataOptions
from generators.stylegan.options import Options


def _flat(group: str) -> Parameter:
    """Return what makes options of a class options of the command, under a heading."""
    return Parameter(name="*", group=group)


def train_masks(
    *,
    data: str,
    out: Path,
    contents: Annotated[DataOptions, _flat("Data")] = DataOptions(),  # noqa: B008 - frozen
    networks: Annotated[Options, _flat("Networks and learning")] = Options(),  # noqa: B008 - frozen
    course: Annotated[CourseOptions, _flat("Course")] = CourseOptions(),  # noqa: B008 - frozen
    resume: Path | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train StyleGAN networks on masks, as docs/training-masks.md describes.

    The same command continues a training that was interrupted, or does nothing if it is finished.

    Parameters
    ----------
    data
        A data set, a folder of images with labels, or `builtin`; for objects also several, with
        commas between; for --content pictures a folder or zip archive of pictures.
    out
        The folder of the training.
    resume
        Start from a trained network: its file, or the folder of a training.
    dry_run
        Say what would be done, and how long it would take.
    json
        Print the result as JSON.
    """
    require_networks()
    from generators.commands import mask_training  # noqa: PLC0415 - help needs none of it

    mask_training.run(
        mask_training.Wish(data, out, contents, networks, course, resume),
        dry_run=dry_run,
        json=json,
    )
