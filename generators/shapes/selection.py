"""What is to be measured, by the words of a command line: real shapes, sources, folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from generators.errors import ShapeError
from generators.shapes import cutting, fourier
from generators.shapes.evaluation import drawn, scaled
from generators.shapes.geometry import moments, posed, stacked
from generators.shapes.learned import LearnedSource
from generators.shapes.outlines import OutlineModel, OutlineSource
from generators.shapes.pca import PcaSource
from generators.shapes.source import source_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.dataset import Dataset
    from generators.polygons import Floats
    from generators.shapes.source import ShapeSource

FEWEST = 20
"""Outlines below which no distribution can be compared."""
BASELINE, CONTROL = "pca-", "real-"
"""What their names begin with; the number of components, or of harmonics, follows."""


def real_stacks(
    datasets: Sequence[Dataset], split: str, held_back: str, target: str | None = None
) -> tuple[Floats, Floats]:
    """Return the stacks of real shapes that sources were fitted to, and of those held back.

    Parameters
    ----------
    datasets
        As `benchmark.dataset.open_any` gives them.
    split, held_back
        Names of splits. Where the data sets have neither, every third image is held back.
    target
        Of which labels; default: the first that a data set has.

    Raises
    ------
    ShapeError
        If one of the two has too few shapes.
    """
    known = {name for data in datasets for name, count in data.manifest.splits.items() if count}
    if known & {split, held_back}:
        parts = [
            cutting.real_shapes(datasets, name, target).outlines for name in (split, held_back)
        ]
    else:
        real = cutting.real_shapes(datasets, target=target)
        kept = cutting.held_back(real.images)
        parts = [[real.outlines[k] for k in np.nonzero(side)[0]] for side in (~kept, kept)]
    for part, name in zip(parts, (split, held_back), strict=True):
        _require_enough(part, f"the split {name}")
    return stacked(parts[0]), stacked(parts[1])


def named_or_fitted(word: str, training: Floats) -> ShapeSource:
    """Return a source by its name, by the file of its model, or fitted as a baseline.

    Parameters
    ----------
    word
        A name of `generators.shapes.source.sources`, `pca-N`, an .npz of `OutlineModel`, or the
        .safetensors of a network.
    training
        What the baseline is fitted to.

    Raises
    ------
    ShapeError
        If it is none of these.
    """
    components = _numbered(word, BASELINE)
    if components:
        return PcaSource(training, components)
    path = Path(word)
    if path.suffix in {".npz", ".safetensors"}:
        fitted = path.suffix == ".npz"
        source = OutlineSource(OutlineModel.load(path)) if fitted else LearnedSource(path)
        source.name = path.stem
        return source
    return source_named(word)


def masks_drawn(folder: Path, n: int, rng: np.random.Generator) -> Floats:
    """Return at most n outlines of a folder of masks as a stack, as `evaluation.drawn` does.

    Raises
    ------
    ShapeError
        If the folder has too few.
    """
    outlines = cutting.folder_shapes(folder)
    _require_enough(outlines, str(folder))
    chosen = np.sort(rng.permutation(len(outlines))[:n])
    return scaled(outlines[k] for k in chosen)


def smoothed(stack: Floats, harmonics: int, n: int, rng: np.random.Generator) -> Floats:
    """Return at most n of a stack's outlines, turned, with so many elliptic Fourier harmonics.

    Of real outlines held back this is the control: a source of that smoothness that knows every
    distribution, and has no memory of the training shapes. Smooth outlines meet each other, and
    training shapes, more often than those with stairs do.
    """
    some = stack[np.sort(rng.permutation(len(stack))[:n])]
    kept = fourier.synthesised(fourier.analysed(some, harmonics), stack.shape[1])
    return scaled(posed(kept, moments(some).diameter, rng.uniform(0, 2 * np.pi, len(some))))


def stack_of(
    word: str | Path, training: Floats, held_back: Floats, n: int, seed: int
) -> tuple[str, Floats]:
    """Return the name and n outlines of a source, of the control, or of a folder at a path."""
    rng = np.random.default_rng([seed, 2])
    if isinstance(word, Path):
        return word.name, masks_drawn(word, n, rng)
    harmonics = _numbered(word, CONTROL)
    if harmonics:
        return word, smoothed(held_back, harmonics, n, rng)
    source = named_or_fitted(word, training)
    return source.name, drawn(source, n, rng)


def _numbered(word: str, prefix: str) -> int:
    """Return the number that follows a prefix, or 0."""
    number = word.removeprefix(prefix)
    return int(number) if word.startswith(prefix) and number.isdecimal() else 0


def _require_enough(outlines: Sequence[Floats], where: str) -> None:
    if len(outlines) < FEWEST:
        raise ShapeError(
            f"{len(outlines)} whole objects are too few to compare distributions",
            where=where,
            mend=f"it takes {FEWEST} of at least {cutting.SMALLEST:g} px, and better 2,000",
        )
