"""How real the shapes of sources are: one table, measured by the same code for all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from generators.shapes import likeness
from generators.shapes.classifier import telling_apart
from generators.shapes.geometry import moments, stacked
from generators.shapes.measures import Measures, measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.random import Generator

    from generators.polygons import Floats
    from generators.shapes.source import ShapeSource

COMPARED = ("area", "eccentricity", "solidity", "smooth_solidity", "bending")
SAMPLES = 2000
DENTED = 0.1
"""The quantile of real low-passed solidity below which a shape counts as dented."""


@dataclass(frozen=True)
class Figures:
    """What is said of one source.

    Attributes
    ----------
    n
        How many outlines were measured.
    valid
        Share that is one piece without holes inside the frame; all else is of these.
    ks, wasserstein
        For each of `COMPARED` the Kolmogorov-Smirnov distance to held-back real shapes, and the
        Wasserstein distance in standard deviations of those.
    dented
        Share whose low-passed solidity is below the real 10th percentile: .10 is right.
    twins, copies
        Shares with a twin in the sample, and among the training shapes, of the outlines as drawn.
    smooth_twins, smooth_copies
        The same of all outlines rasterised and low-passed, so that stairs hide no copy.
    coverage
        Share of held-back real shapes that have a sample in their surroundings.
    auc
        How well a classifier tells the outlines from held-back real ones, both rasterised and
        low-passed; .5 is not at all.
    """

    n: int
    valid: float
    ks: dict[str, float]
    wasserstein: dict[str, float]
    dented: float
    twins: float
    copies: float
    smooth_twins: float
    smooth_copies: float
    coverage: float
    auc: float

    def row(self) -> dict[str, float]:
        """Return the figures as one row of a table."""
        flat = {name: value for name, value in asdict(self).items() if not isinstance(value, dict)}
        distances = {f"ks_{name}": value for name, value in self.ks.items()}
        return {**flat, **distances, **{f"w1_{k}": v for k, v in self.wasserstein.items()}}


class Judge:
    """Real shapes, measured once, that any number of sources are compared with.

    Parameters
    ----------
    training
        Stack of the shapes that sources may have been fitted to.
    held_back
        Stack of shapes of other images.
    rng
        Which of the shapes held back stand in where each is compared with each.
    samples
        How many of them; figures are comparable between sources of equally many samples.
    """

    def __init__(
        self, training: Floats, held_back: Floats, rng: Generator, samples: int = SAMPLES
    ) -> None:
        chosen = np.sort(rng.permutation(len(held_back))[:samples])
        self.real = measured(held_back)
        self.some, self.smooth_some = held_back[chosen], self.real.smooth[chosen]
        self.rasters = likeness.rasters(self.some)
        self.training = likeness.rasters(training)
        self.smooth_training = likeness.rasters(measured(training).smooth)

    def figures(self, stack: Floats, *, copies_of: Floats | None = None) -> Figures:
        """Measure a source.

        Parameters
        ----------
        stack
            (N, V, 2) outlines that it gave, in even steps.
        copies_of
            Outlines in whose stead copies are looked for among the training shapes. Real shapes
            that are themselves training shapes have this need: give held-back ones.
        """
        found = measured(stack)
        ks, apart = _distances(found, self.real)
        dented = np.quantile(self.real.smooth_solidity, DENTED)
        plain, smooth = likeness.rasters(stack), likeness.rasters(found.smooth)
        suspects, smooth_suspects = plain, smooth
        if copies_of is not None:
            suspects = likeness.rasters(copies_of)
            smooth_suspects = likeness.rasters(measured(copies_of).smooth)
        return Figures(
            n=len(stack),
            valid=float(found.valid.mean()),
            ks=ks,
            wasserstein=apart,
            dented=float(np.mean(found.smooth_solidity[found.valid] < dented)),
            twins=likeness.twins(plain),
            copies=likeness.copies(suspects, self.training),
            smooth_twins=likeness.twins(smooth),
            smooth_copies=likeness.copies(smooth_suspects, self.smooth_training),
            coverage=likeness.coverage(plain, self.rasters),
            auc=telling_apart(self.smooth_some, found.smooth),
        )


def evaluate(
    stacks: Mapping[str, Floats],
    training: Floats,
    held_back: Floats,
    seed: int = 0,
    samples: int = SAMPLES,
) -> dict[str, Figures]:
    """Return the figures of real shapes, under `real`, and of each source.

    The row `real` compares training shapes with those held back; its copies are those that
    held-back shapes are of training shapes.

    Parameters
    ----------
    stacks
        By name the outlines that sources gave, as `drawn` returns them.
    training, held_back
        Stacks of real outlines, of different images.
    seed
        Of which real shapes stand in where all is too many.
    samples
        How many of them; as many as each source gave.
    """
    judge = Judge(training, held_back, np.random.default_rng([seed, 0]), samples)
    chosen = np.random.default_rng([seed, 1]).permutation(len(training))[:samples]
    real = judge.figures(training[chosen], copies_of=judge.some)
    return {"real": real, **{name: judge.figures(stack) for name, stack in stacks.items()}}


def drawn(source: ShapeSource, n: int, rng: Generator) -> Floats:
    """Return n outlines of a source as a stack, in units of their own median diameter."""
    return scaled(source.sample(n, rng))


def scaled(outlines: Iterable[Floats]) -> Floats:
    """Return outlines as a stack in units of their own median diameter."""
    stack = stacked(outlines)
    relative: Floats = stack / np.median(moments(stack).diameter)
    return relative


def _distances(found: Measures, real: Measures) -> tuple[dict[str, float], dict[str, float]]:
    """Return the Kolmogorov-Smirnov and Wasserstein distances of what is compared."""
    ks, apart = {}, {}
    for name in COMPARED:
        made, true = getattr(found, name)[found.valid], getattr(real, name)
        ks[name] = float(stats.ks_2samp(made, true, method="asymp").statistic)
        apart[name] = float(stats.wasserstein_distance(made, true) / true.std())
    return ks, apart
