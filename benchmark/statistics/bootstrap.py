"""Intervals for figures and ranks, by resampling scenes.

What would the table look like on another draw of images of the same kind? Images of one scene, such
as a sweep of one factor over the same cells, are no independent witnesses, so whole scenes are
drawn, with replacement (a cluster bootstrap; Davison and Hinkley 1997, section 3.8). All
algorithms see the same draw, so what is hard for everyone does not blur who is better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

# Draws made at once: bounds the memory for data sets of many scenes.
_CHUNK = 256
# Means closer than this are ties: sums of the same numbers may differ in their last bits.
_TIE = 1e-12


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
        against an algorithm has to be 0 here.
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
    figures, groups, n_scenes = _checked(values, scenes)
    n_algorithms = len(figures)
    if n_scenes < 2:
        return np.ones(n_algorithms, np.int64), np.full(n_algorithms, n_algorithms, np.int64)
    observed = _ranks(_means(figures, groups, np.ones((1, n_scenes))))[:, 0]
    drawn = np.hstack(
        [
            _ranks(_means(figures, groups, weights))
            for weights in _resamples(n_scenes, seed=seed, draws=draws)
        ]
    )
    low, high = np.quantile(drawn, _tails(level), axis=1, method="inverted_cdf")
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
    figures, groups, n_scenes = _checked(np.atleast_2d(np.asarray(values, np.float64)), scenes)
    shape = np.shape(values)[:-1]
    if n_scenes < 2:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    means = np.hstack(
        [
            _means(figures, groups, weights)
            for weights in _resamples(n_scenes, seed=seed, draws=draws)
        ]
    )
    bounds = np.full((2, len(figures)), np.nan)
    for row, sample in enumerate(means):
        # A draw may hold no image with a figure; it says nothing about the mean.
        known = sample[~np.isnan(sample)]
        if known.size:
            bounds[:, row] = np.quantile(known, _tails(level))
    return bounds[0].reshape(shape), bounds[1].reshape(shape)


def _checked(
    values: ArrayLike, scenes: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp], int]:
    """Return figures, the scene of each image as an index, and the number of scenes."""
    figures = np.asarray(values, np.float64)
    names, groups = np.unique(np.asarray(scenes), return_inverse=True)
    if figures.ndim != 2 or figures.shape[1] != groups.size:
        raise ValueError(
            f"values of shape {figures.shape} do not go with {groups.size} scenes, "
            "which takes (n_algorithms, n_images)"
        )
    return figures, groups, len(names)


def _resamples(n_scenes: int, *, seed: int, draws: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each scene is drawn, in parts of shape ``(part, n_scenes)``."""
    generator = np.random.default_rng(seed)
    chances = np.full(n_scenes, 1 / n_scenes)
    for start in range(0, draws, _CHUNK):
        part = min(_CHUNK, draws - start)
        yield generator.multinomial(n_scenes, chances, size=part).astype(np.float64)


def _means(
    figures: NDArray[np.float64], groups: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean over images in each draw, shape ``(n_algorithms, part)``."""
    n_scenes = weights.shape[1]
    known = ~np.isnan(figures)
    sums = _by_scene(np.where(known, figures, 0.0), groups, n_scenes)
    counts = _by_scene(known, groups, n_scenes)
    total, n = sums @ weights.T, counts @ weights.T
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _by_scene(rows: NDArray[Any], groups: NDArray[np.intp], n_scenes: int) -> NDArray[np.float64]:
    """Add up each row by scene, shape ``(n_algorithms, n_scenes)``."""
    return np.array([np.bincount(groups, weights=row, minlength=n_scenes) for row in rows])


def _ranks(means: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank algorithms in each draw: 1 and the number of those that are better."""
    known = np.where(np.isnan(means), -np.inf, means)
    with np.errstate(invalid="ignore"):  # -inf - -inf: both last, neither better
        better = known[None] - known[:, None] > _TIE
    ranks: NDArray[np.int64] = 1 + better.sum(axis=1)
    return ranks


def _tails(level: float) -> tuple[float, float]:
    """Return the two quantiles that hold `level` between them."""
    return (1 - level) / 2, (1 + level) / 2
