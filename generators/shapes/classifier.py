"""Whether a plain classifier can tell real outlines from made ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special, stats

from generators.shapes.fourier import analysed
from generators.shapes.geometry import moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.polygons import Floats

HARMONICS = 12
FOLDS = 5
PENALTY = 3.0
"""Half the weight of the squared coefficients beside the sum of the losses."""


def features(stack: Floats) -> Floats:
    """Return (N, 324) features of outlines: log size and log amplitudes, and their products.

    The amplitudes are those of 12 elliptic Fourier harmonics over that of the first.
    """
    amplitudes = np.abs(analysed(stack, HARMONICS))
    logs = np.log(amplitudes[:, 1:] / amplitudes[:, :1] + 1e-4)
    base = np.column_stack([np.log(moments(stack).diameter), logs])
    base = (base - base.mean(axis=0)) / base.std(axis=0)
    first, second = np.triu_indices(base.shape[1])
    return np.column_stack([base, base[:, first] * base[:, second]])


def area_under_curve(real: Floats, made: Floats) -> float:
    """Return the area under the ROC curve of scores: the chance that a real one scores higher.

    Examples
    --------
    >>> area_under_curve(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
    0.875
    """
    ranks = stats.rankdata(np.concatenate([real, made]))
    above = ranks[: real.size].sum() - real.size * (real.size + 1) / 2
    return float(above / (real.size * made.size))


def _fitted(x: Floats, y: Floats) -> Floats:
    """Return the weights of a ridge-penalised logistic regression; the last is the constant."""
    design = np.column_stack([x, np.ones(len(x))])

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = y * (design @ weights)
        inner = np.append(weights[:-1], 0.0)
        slope = design.T @ (-y * special.expit(-margin)) + 2 * PENALTY * inner
        return float(np.sum(np.logaddexp(0, -margin)) + PENALTY * inner @ inner), slope

    start = np.zeros(design.shape[1])
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    weights: Floats = found.x
    return weights


def telling_apart(real: Floats, made: Floats) -> float:
    """Return how well a logistic regression on `features` tells two stacks of outlines apart.

    Parameters
    ----------
    real, made
        (N, V, 2) and (M, V, 2) outlines in even steps.

    Returns
    -------
    float
        Area under the ROC curve of the scores of held-out fifths, taken in turns: 0.5 is chance.
    """
    x = features(np.concatenate([real, made]))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = np.repeat([1.0, -1.0], [len(real), len(made)])
    # Which fold is by position, in the order of a fixed shuffle: no draw depends on the caller.
    fold = np.random.default_rng(0).permutation(len(y)) % FOLDS
    scores = np.zeros(len(y))
    for k in range(FOLDS):
        held: NDArray[np.bool_] = fold == k
        weights = _fitted(x[~held], y[~held])
        scores[held] = x[held] @ weights[:-1] + weights[-1]
    return area_under_curve(scores[y > 0], scores[y < 0])
