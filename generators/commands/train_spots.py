"""`bench train spots`: a network that paints spots with the light of real ones."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import Parameter

from generators.commands.extra import require_networks
from generators.spottexture.options import SpotCourse, SpotOptions


def _flat(group: str) -> Parameter:
    """Return what makes options of a class options of the command, under a heading."""
    return Parameter(name="*", group=group)


def train_spots(
    *,
    data: Path,
    out: Path,
    points: Path | None = None,
    learning: Annotated[SpotOptions, _flat("Network and learning")] = SpotOptions(),  # noqa: B008 - frozen
    course: Annotated[SpotCourse, _flat("Course")] = SpotCourse(),  # noqa: B008 - frozen
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train a painter of spots on images with points, as docs/painting-spots.md describes.

    The same command continues a training that was interrupted, or does nothing if it is finished.
    A recipe uses the result by its path, in [spots]: `painter = "OUT/spots-000060.safetensors"`.

    Parameters
    ----------
    data
        A folder of images, or with a folder `images` of them. The first channel is learned.
    out
        The folder of the training.
    points
        Where spots are, to two pixels or so: a table with columns y and x, or row and col, and
        `image`; or a folder of tables named after the images. By default the folder `coords`,
        `points` or `spots` beside the images. Images without points are left out.
    json
        Print the result as JSON.
    """
    require_networks()
    from generators.commands import spot_training  # noqa: PLC0415 - help needs none of it

    wish = spot_training.Wish(data, out, points, learning, course)
    spot_training.run(wish, json=json)
