"""Which of two algorithms is better, how sure that is, and the same for every pair of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.statistics.bootstrap import percentiles
from benchmark.statistics.scenes import by_scene, drawn_means, require_level
from benchmark.statistics.swaps import swap_p_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class PairedTest:
    """The difference of two algorithms on the same images.

    Parameters
    ----------
    difference
        Mean over images of the first minus that of the second; NaN without any figure of one.
    low, high
        Its interval over draws of scenes; NaN with fewer than two scenes.
    p_value
        Two-sided probability of a difference as large if the two were exchangeable in every scene;
        NaN without a difference. It is at least ``2 ** (1 - n_scenes)``.
    n_scenes
        Number of scenes in which either has a figure.
    """

    difference: float
    low: float
    high: float
    p_value: float
    n_scenes: int


@dataclass(frozen=True)
class Comparison:
    """One of several pairs compared at once.

    Parameters
    ----------
    a, b
        Rows of the two algorithms, ``a < b``.
    test
        The test of `a` against `b` by itself.
    p_holm
        Its p value adjusted for all pairs compared.
    """

    a: int
    b: int
    test: PairedTest
    p_holm: float


def paired_test(
    a: ArrayLike,
    b: ArrayLike,
    scenes: ArrayLike,
    *,
    seed: int = 0,
    draws: int = 2000,
    flips: int = 10_000,
    level: float = 0.95,
) -> PairedTest:
    """Test whether two algorithms differ in their mean over images.

    A permutation test of the difference of the means: all figures of a scene change sides together,
    which flips the sign of the scene's difference. It is exact where ``2 ** (n_scenes - 1)`` swaps
    are at most `flips`; otherwise so many are drawn, and what was seen counts as one of them, so
    that p is never 0 (Phipson and Smyth 2010). With fewer than six scenes no difference has a p
    value below 0.05.

    Parameters
    ----------
    a, b
        A figure per image, shape ``(n_images,)``; NaN is left out of its own mean, as everywhere.
    scenes
        The scene of each image, shape ``(n_images,)``, of one type that sorts.
    seed
        Seed of the draws and the swaps.
    draws
        Number of resampled data sets, for the interval.
    flips
        Largest number of swaps tried.
    level
        Probability that the interval is to cover.

    Raises
    ------
    ValueError
        The shapes do not go together.
    BenchError
        `draws` or `flips` is not at least 1, or `level` not between 0 and 1.

    Examples
    --------
    Better in all of four scenes: of 16 swaps two are as extreme.

    >>> test = paired_test([0.2, 0.5, 0.8, 0.4], [0.1, 0.4, 0.6, 0.3], ["p", "q", "r", "s"])
    >>> round(test.difference, 3), test.p_value, test.n_scenes
    (0.125, 0.125, 4)
    """
    [only] = compare_all(
        np.array([a, b], np.float64), scenes, seed=seed, draws=draws, flips=flips, level=level
    )
    return only.test


def compare_all(
    values: ArrayLike,
    scenes: ArrayLike,
    *,
    seed: int = 0,
    draws: int = 2000,
    flips: int | None = None,
    level: float = 0.95,
) -> list[Comparison]:
    """Test every pair of algorithms, with p values adjusted by Holm's method.

    Parameters
    ----------
    values
        Figures, shape ``(n_algorithms, n_images)``; NaN is left out of that algorithm's mean.
    scenes, seed, draws, level
        As for `paired_test`. All pairs see the same draws and swaps.
    flips
        Largest number of swaps tried; default `enough_flips`.

    Returns
    -------
    list of Comparison
        In the order of the rows: (0, 1), (0, 2), … (1, 2), …

    Raises
    ------
    ValueError, BenchError
        As for `paired_test`.

    Examples
    --------
    >>> values = [[0.9, 0.8, 0.9, 0.7, 0.8, 0.9], [0.6] * 6, [0.5, 0.7, 0.6, 0.6, 0.5, 0.7]]
    >>> for pair in compare_all(values, range(6)):
    ...     print(pair.a, pair.b, pair.test.p_value, pair.p_holm)
    0 1 0.03125 0.09375
    0 2 0.03125 0.09375
    1 2 1.0 1.0
    """
    added = by_scene(values, scenes)
    first, second = np.triu_indices(len(added.sums), 1)
    flips = enough_flips(len(first)) if flips is None else flips
    require_level(level)
    p_values = swap_p_values(added, first, second, seed=seed, flips=flips)
    low = high = np.full(len(first), np.nan)
    if added.n_scenes > 1:
        drawn = drawn_means(added, seed=seed, draws=draws)
        low, high = percentiles(drawn[first] - drawn[second], level)
    seen = added.counts > 0
    return [
        Comparison(
            a=int(a),
            b=int(b),
            test=PairedTest(
                difference=float(added.means[a] - added.means[b]),
                low=float(low[k]),
                high=float(high[k]),
                p_value=float(p_values[k]),
                n_scenes=int((seen[a] | seen[b]).sum()),
            ),
            p_holm=float(adjusted),
        )
        for k, (a, b, adjusted) in enumerate(zip(first, second, holm(p_values), strict=True))
    ]


def enough_flips(n_pairs: int) -> int:
    """Return a number of swaps with which a p value can be small after Holm's correction.

    The smallest p value of n swaps is 1 / (n + 1), and the correction takes it times the number of
    pairs.

    Examples
    --------
    >>> enough_flips(10), enough_flips(190)
    (10000, 19000)
    """
    return max(10_000, 100 * n_pairs)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p values so that the chance of any false finding among them is held.

    Step-down: the smallest of m is multiplied by m, the next by m - 1 and so on, and none becomes
    smaller than the one before it (Holm 1979). An adjusted value of at most 0.05 is a
    finding at the level of 5 %.

    Parameters
    ----------
    p_values
        Values from 0 to 1, shape ``(n,)``. NaN, a test that could not be made, stays NaN and does
        not count.

    Raises
    ------
    ValueError
        There is a value outside 0 to 1, or more than one axis.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, float("nan")]).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    raw = np.asarray(p_values, np.float64)
    if raw.ndim != 1 or (raw < 0).any() or (raw > 1).any():
        raise ValueError("p values are numbers from 0 to 1 in one row")
    adjusted = np.full(raw.shape, np.nan)
    order = np.argsort(raw)[: int((~np.isnan(raw)).sum())]  # NaN sorts last
    stepped = raw[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted
