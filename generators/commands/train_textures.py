"""`bench train textures`: Pix2PixHD, pictures from label maps or from pictures."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import Parameter

from generators.commands.extra import require_networks
from generators.commands.texture_options import CourseOptions, DataOptions
from generators.pix2pixhd.options import InputOptions, LearningOptions, NetworkOptions


def _flat(group: str) -> Parameter:
    """Return what makes options of a class options of the command, under a heading."""
    return Parameter(name="*", group=group)


def train_textures(
    *,
    data: Annotated[str, Parameter(name=("--data", "--dataroot"))],
    out: Path,
    contents: Annotated[DataOptions, _flat("Data")] = DataOptions(),  # noqa: B008 - frozen
    inputs: Annotated[InputOptions, _flat("Input and output")] = InputOptions(),  # noqa: B008 - frozen
    networks: Annotated[NetworkOptions, _flat("Networks")] = NetworkOptions(),  # noqa: B008 - frozen
    learning: Annotated[LearningOptions, _flat("Learning")] = LearningOptions(),  # noqa: B008 - frozen
    course: Annotated[CourseOptions, _flat("Course")] = CourseOptions(),  # noqa: B008 - frozen
    load_pretrain: Annotated[Path | None, Parameter(name=("--load_pretrain", "--resume"))] = None,
    which_epoch: str = "latest",
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train Pix2PixHD networks, as docs/training-textures.md describes.

    The same command continues a training that was interrupted, or does nothing if it is finished.
    Underscores and hyphens in the names of options are the same.

    Parameters
    ----------
    data
        A folder with train_label, train_img and train_inst, or with train_A and train_B; or a data
        set, a folder of images with labels, or `builtin`.
    out
        The folder of the training.
    load_pretrain
        Start from trained networks: the folder of a training, or one of *_net_G.pth and its like.
    which_epoch
        Which networks of that folder.
    dry_run
        Say what would be done, and how long it would take.
    json
        Print the result as JSON.
    """
    require_networks()
    from generators.commands import texture_training  # noqa: PLC0415 - help needs none of it

    texture_training.run(
        texture_training.Wish(
            data, out, contents, inputs, networks, learning, course, load_pretrain, which_epoch
        ),
        dry_run=dry_run,
        json=json,
    )
