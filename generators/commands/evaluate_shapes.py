"""`bench evaluate shapes`: how real the outlines of a source, or of a folder of masks, are."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.table import Table
from rich.text import Text

from adapters import console
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generators.polygons import Floats

SHOWN = 72
"""Outlines of each source in the picture: three rows."""

_LINES = {
    "n": "outlines measured",
    "valid": "valid: one piece, no holes, inside the frame",
    "ks_area": "KS area",
    "ks_eccentricity": "KS eccentricity",
    "ks_solidity": "KS solidity",
    "ks_smooth_solidity": "KSlp: KS solidity, low-passed",
    "ks_bending": "KS curvature",
    "w1_area": "W1 area",
    "w1_eccentricity": "W1 eccentricity",
    "w1_solidity": "W1 solidity",
    "w1_smooth_solidity": "W1 solidity, low-passed",
    "w1_bending": "W1 curvature",
    "dented": "dent share; .100 is right",
    "twins": "near twins",
    "copies": "copies of training shapes",
    "smooth_twins": "near twins, low-passed",
    "smooth_copies": "copies, low-passed",
    "coverage": "coverage of real shapes",
    "auc": "classifier, AUC; .5 is blind",
}


def shapes(
    *,
    data: Annotated[tuple[str, ...], Parameter(negative="")],
    source: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    masks: Annotated[tuple[Path, ...], Parameter(negative="")] = (),
    n: Annotated[int, Parameter(validator=Number(gte=20))] = 2000,
    split: str = "train",
    held_back: str = "val",
    target: str | None = None,
    seed: int = 0,
    json: Annotated[bool, Parameter(negative="")] = False,
    grid: Path | None = None,
) -> None:
    """Measure how real the outlines of sources are, against real ones that they never saw.

    Real against real stands beside them: no source can be expected to do better. What the figures
    mean is in docs/shapes.md.

    Parameters
    ----------
    data
        Data sets, or folders of images with labels, whose shapes are real; may be repeated.
    source
        What to measure: the name of a source, the file of a fitted model, `pca-40` for 40
        principal components of distance maps, `real-13` for the held-back shapes with 13 elliptic
        Fourier harmonics; may be repeated. Without it and `--masks`: every source.
    masks
        Folders of masks or label images, of another generator for example; may be repeated.
    n
        Outlines drawn of each source, or taken of each folder.
    split
        The split that sources were fitted to.
    held_back
        The split that they are compared with. Where the data has neither split, it is every third
        image.
    target
        Which labels; by default each data set's first target.
    seed
        Of all draws.
    json
        Print the figures as JSON.
    grid
        A PNG to write, with shapes of each source side by side.
    """
    from benchmark.dataset import open_any  # noqa: PLC0415 - help needs none of it
    from generators.shapes.evaluation import evaluate  # noqa: PLC0415
    from generators.shapes.selection import real_stacks  # noqa: PLC0415

    training, kept = real_stacks([open_any(d) for d in data], split, held_back, target)
    stacks = _stacks((*source, *masks), training, kept, n, seed)
    found = evaluate(stacks, training, kept, seed, n)
    if grid is not None:
        _draw(grid, kept, stacks)
    rows = {name: figures.row() for name, figures in found.items()}
    if json:
        facts = {"training": len(training), "held_back": len(kept), "seed": seed}
        console.print_json({**facts, "figures": rows})
        return
    _print(rows)
    console.out.print(f"{len(kept)} held-back shapes, {len(training)} training shapes, seed {seed}")


def _stacks(
    words: Sequence[str | Path], training: Floats, kept: Floats, n: int, seed: int
) -> dict[str, Floats]:
    """Return what each source gave; without words, every source that this machine can use."""
    from generators.shapes.selection import stack_of  # noqa: PLC0415
    from generators.shapes.source import sources  # noqa: PLC0415

    stacks = {}
    for word in words or sources():
        try:
            name, stack = stack_of(word, training, kept, n, seed)
        except BenchError as error:
            if words:
                raise
            console.err.print(f"without {word}: {error.what}")
            continue
        stacks[name] = stack
    return stacks


def _draw(path: Path, real: Floats, stacks: Mapping[str, Floats]) -> None:
    """Write a picture of real shapes and of those of each source."""
    from generators.shapes.grid import grid  # noqa: PLC0415

    # Of every image something: shapes of one image lie side by side in the stack.
    some = real[:: max(1, len(real) // SHOWN)]
    every = {"real": some, **stacks}
    grid({name: stack[:SHOWN] for name, stack in every.items()}).save(path, optimize=True)


def _print(rows: Mapping[str, Mapping[str, float]]) -> None:
    """Print a line for each figure, a column for each source."""
    table = Table(box=None)
    table.add_column("")
    for name in rows:
        table.add_column(Text(name), justify="right")
    for key, meaning in _LINES.items():
        cells = [f"{row[key]:d}" if key == "n" else f"{row[key]:.3f}" for row in rows.values()]
        table.add_row(meaning, *cells)
    console.out.print(table)
