"""Intervals of means, differences and ranks, and the chance of being better, by drawing scenes.

Percentile intervals (Davison and Hinkley 1997, section 5.3). With few scenes they are too narrow:
of 95 % intervals of a mean about 94 % hold it with 40 scenes, and 90 % with 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.statistics.scenes import TIE, by_scene, drawn_means, ratio, require_level, tails

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def rank_intervals(
    values: ArrayLike,
    scenes: ArrayLike,
    *,
    seed: int = 0,
    draws: int = 2000,
    level: float = 0.95,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return between which ranks each algorithm lies.

    Rank 1 has the largest mean over images. Equal means share the better rank; an algorithm without
    any figure shares the last.

    Parameters
    ----------
    values
        A figure where larger is better, shape ``(n_algorithms, n_images)``. NaN, as in an image
        without any object, is left out of that algorithm's mean: a failed image that should count
        against an algorithm has to be 0 here (`fill_missing`).
    scenes
        The scene of each image, shape ``(n_images,)``, of one type that sorts.
    seed
        Seed of the draws.
    draws
        Number of resampled data sets.
    level
        Probability that an interval is to cover.

    Returns
    -------
    low, high
        Best and worst rank, shape ``(n_algorithms,)``, the rank on the images as they are included.
        With fewer than two scenes nothing is known: 1 to ``n_algorithms``.

    Examples
    --------
    The first is better in every scene; the other two trade places.

    >>> values = [[0.9, 0.8, 0.9, 0.9], [0.5, 0.1, 0.4, 0.3], [0.1, 0.5, 0.3, 0.4]]
    >>> low, high = rank_intervals(values, ["a", "b", "c", "d"])
    >>> low.tolist(), high.tolist()
    ([1, 2, 2], [1, 3, 3])
    """
    bounds = tails(level)
    added = by_scene(values, scenes)
    n_algorithms = len(added.sums)
    if added.n_scenes < 2:
        return np.ones(n_algorithms, np.int64), np.full(n_algorithms, n_algorithms, np.int64)
    observed = _ranks(added.means[:, None])[:, 0]
    drawn = _ranks(drawn_means(added, seed=seed, draws=draws))
    low, high = np.quantile(drawn, bounds, axis=1, method="inverted_cdf")
    return np.minimum(low, observed).astype(np.int64), np.maximum(high, observed).astype(np.int64)


def mean_interval(
    values: ArrayLike,
    scenes: ArrayLike,
    *,
    seed: int = 0,
    draws: int = 2000,
    level: float = 0.95,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return between which values the mean over images lies.

    Parameters
    ----------
    values
        A figure per image, shape ``(n_algorithms, n_images)`` or ``(n_images,)``; NaN is left out.
    scenes, seed, draws, level
        As for `rank_intervals`, whose draws these are.

    Returns
    -------
    low, high
        Percentile bounds of shape ``(n_algorithms,)`` or ``()``; NaN with fewer than two scenes,
        or where an algorithm has no figure at all.

    Examples
    --------
    >>> low, high = mean_interval([0.5, 0.7, 0.6, 0.8], ["a", "b", "c", "d"])
    >>> bool(0.5 <= low < 0.65 < high <= 0.8)
    True
    """
    added = by_scene(np.atleast_2d(np.asarray(values, np.float64)), scenes)
    shape = np.shape(values)[:-1]
    if added.n_scenes < 2:
        require_level(level)
        return np.full(shape, np.nan), np.full(shape, np.nan)
    low, high = percentiles(drawn_means(added, seed=seed, draws=draws), level)
    return low.reshape(shape), high.reshape(shape)


def difference_interval(
    a: ArrayLike,
    b: ArrayLike,
    scenes: ArrayLike,
    *,
    seed: int = 0,
    draws: int = 2000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return between which values the mean of `a` minus the mean of `b` lies.

    Both means are taken over the same draw of scenes.

    Parameters
    ----------
    a, b
        A figure per image, shape ``(n_images,)``; NaN is left out of its own mean, as everywhere.
    scenes, seed, draws, level
        As for `rank_intervals`, whose draws these are.

    Returns
    -------
    low, high
        Percentile bounds; NaN with fewer than two scenes, or without any figure of one of them.

    Examples
    --------
    Scenes differ by far more than the two do, and that cancels.

    >>> a, b = [0.2, 0.5, 0.8, 0.4], [0.1, 0.4, 0.6, 0.3]
    >>> low, high = difference_interval(a, b, ["p", "q", "r", "s"])
    >>> round(low, 3), round(high, 3)
    (0.1, 0.175)
    """
    added = by_scene(np.array([a, b], np.float64), scenes)
    if added.n_scenes < 2:
        require_level(level)
        return float("nan"), float("nan")
    first, second = drawn_means(added, seed=seed, draws=draws)
    low, high = percentiles((first - second)[None], level)
    return float(low[0]), float(high[0])


def probability_better(
    values: ArrayLike, scenes: ArrayLike, *, seed: int = 0, draws: int = 2000
) -> NDArray[np.float64]:
    """Return how often each algorithm has the larger mean than each other, over draws of scenes.

    Parameters
    ----------
    values
        A figure where larger is better, shape ``(n_algorithms, n_images)``; NaN is left out of that
        algorithm's mean.
    scenes, seed, draws
        As for `rank_intervals`, whose draws these are.

    Returns
    -------
    numpy.ndarray
        ``P[a, b]``, the share of draws in which the mean of a is larger than that of b, a tie
        counting half; shape ``(n_algorithms, n_algorithms)``. ``P[a, b] + P[b, a]`` is 1. NaN with
        fewer than two scenes and for an algorithm without any figure. It is no p value: with few
        scenes it is surer than it should be (`paired_test`).

    Examples
    --------
    The first has the larger mean unless the second scene is drawn twice, which is a quarter of all
    draws.

    >>> chances = probability_better([[0.9, 0.4], [0.2, 0.5]], ["p", "q"])
    >>> chances.round(2).tolist()
    [[0.5, 0.75], [0.25, 0.5]]
    """
    added = by_scene(values, scenes)
    n_algorithms = len(added.sums)
    chances = np.full((n_algorithms, n_algorithms), np.nan)
    if added.n_scenes < 2:
        return chances
    means = drawn_means(added, seed=seed, draws=draws)
    for a in range(n_algorithms):
        ahead = means[a] - means
        known = ~np.isnan(ahead)
        wins = (ahead > TIE).sum(axis=1) + (np.abs(ahead) <= TIE).sum(axis=1) / 2
        chances[a] = ratio(wins, known.sum(axis=1).astype(np.float64))
    return chances


def percentiles(
    drawn: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds that hold `level` of each row, shape ``(n_rows,)``.

    Parameters
    ----------
    drawn
        Figures of resampled data sets, shape ``(n_rows, draws)``. A draw may hold no image with a
        figure; it is NaN, says nothing and is left out.
    level
        Share of the draws between the bounds.

    Raises
    ------
    BenchError
        `level` is not between 0 and 1.

    Examples
    --------
    >>> low, high = percentiles(np.array([[1.0, 2.0, 3.0, 4.0, 5.0, np.nan]]), level=0.5)
    >>> low.tolist(), high.tolist()
    ([2.0], [4.0])
    """
    quantiles = tails(level)
    bounds = np.full((2, len(drawn)), np.nan)
    for row, sample in enumerate(drawn):
        known = sample[~np.isnan(sample)]
        if known.size:
            bounds[:, row] = np.quantile(known, quantiles)
    return bounds[0], bounds[1]


def _ranks(means: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank algorithms in each draw: 1 and the number of those that are better."""
    known = np.where(np.isnan(means), -np.inf, means)
    ranks = np.ones(means.shape, np.int64)
    with np.errstate(invalid="ignore"):  # -inf - -inf: both last, neither better
        for rival in known:
            ranks += rival - known > TIE
    return ranks
