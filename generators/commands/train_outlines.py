"""`bench train outlines`: the distribution of the outlines in labelled images."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from adapters import console
from generators.errors import ShapeError
from generators.shapes.outlines import COMPONENTS, HARMONICS

Count = Annotated[int, Parameter(validator=Number(gte=1, lte=256))]


def outlines(
    *,
    data: Annotated[tuple[str, ...], Parameter(negative="")],
    out: Path,
    split: str = "train",
    target: str | None = None,
    harmonics: Annotated[int, Parameter(validator=Number(gte=2, lte=64))] = HARMONICS,
    components: Count = COMPONENTS,
    seed: int = 0,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Fit a model of outlines to the objects of labelled images; minutes on one core.

    `bench evaluate shapes --source OUT` says how real what it gives is.

    Parameters
    ----------
    data
        Data sets, or folders of images with labels; may be repeated.
    out
        The file to write, ending in .npz.
    split
        The split to learn from; where the data sets have no split of this name, all images.
    target
        Which labels; by default each data set's first target.
    harmonics
        Elliptic Fourier harmonics of an outline: more keep finer detail, and the stairs of pixels.
    components
        Gaussians of the mixture.
    seed
        Of where the mixture begins.
    json
        Print what was learned from as JSON.
    """
    import numpy as np  # noqa: PLC0415 - help needs none of it

    from benchmark.dataset import open_any  # noqa: PLC0415
    from generators.shapes.cutting import real_shapes  # noqa: PLC0415
    from generators.shapes.geometry import stacked  # noqa: PLC0415
    from generators.shapes.outlines import OutlineModel  # noqa: PLC0415

    if out.suffix != ".npz" or not out.parent.is_dir():
        raise ShapeError(
            "the model cannot be written there",
            where=out,
            mend="name a file ending in .npz in a folder that exists",
        )
    opened = [open_any(folder) for folder in data]
    parted = any(split in dataset.manifest.splits for dataset in opened)
    real = real_shapes(opened, split if parted else None, target)
    rng = np.random.default_rng(seed)
    model = OutlineModel.fit(
        stacked(real.outlines), rng, harmonics=harmonics, components=components
    )
    model.save(out)
    images = len(set(real.images.tolist()))
    if json:
        console.print_json({"path": str(out), "images": images, **real.counts, "seed": seed})
        return
    console.out.print(f"learned from {real.counts['kept']} outlines of {images} images")
    console.out.print(f"in {out}")
