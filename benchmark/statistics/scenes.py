"""Figures by scene, and draws of scenes: what every interval and test here stands on.

What would a table look like on another draw of images of the same kind? Images of one scene, such
as a sweep of one factor over the same cells, are no independent witnesses, so whole scenes are
drawn, with replacement (a cluster bootstrap; Davison and Hinkley 1997, section 3.8). All
algorithms see the same draw, so what is hard for everyone does not blur who is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

# Draws made at once: bounds the memory for data sets of many scenes.
CHUNK = 256
# Means closer than this are ties: sums of the same numbers may differ in their last bits.
TIE = 1e-12


@dataclass(frozen=True)
class SceneSums:
    """Figures added up within each scene.

    Parameters
    ----------
    sums, counts
        Sum and number of the figures of each algorithm in each scene that are not NaN, float64,
        shape ``(n_algorithms, n_scenes)``, scenes in sorted order.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    @property
    def n_scenes(self) -> int:
        """Number of scenes."""
        return int(self.sums.shape[1])

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean over images of each algorithm, NaN without a figure, shape ``(n_algorithms,)``."""
        return ratio(self.sums.sum(axis=1), self.counts.sum(axis=1))


def by_scene(values: ArrayLike, scenes: ArrayLike) -> SceneSums:
    """Add up figures within scenes.

    Parameters
    ----------
    values
        Figures, shape ``(n_algorithms, n_images)``; NaN is left out.
    scenes
        The scene of each image, shape ``(n_images,)``, of one type that sorts.

    Raises
    ------
    ValueError
        The shapes do not go together.

    Examples
    --------
    >>> added = by_scene([[0.5, 0.7, 0.9], [0.1, float("nan"), 0.2]], ["a", "a", "b"])
    >>> added.sums.tolist(), added.counts.tolist()
    ([[1.2, 0.9], [0.1, 0.2]], [[2.0, 1.0], [1.0, 1.0]])
    """
    figures = np.asarray(values, np.float64)
    names, groups = np.unique(np.asarray(scenes), return_inverse=True)
    if figures.ndim != 2 or figures.shape[1] != groups.size:
        raise ValueError(
            f"values of shape {figures.shape} do not go with {groups.size} scenes, "
            "which takes (n_algorithms, n_images)"
        )
    known = ~np.isnan(figures)

    def add_up(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        added = [np.bincount(groups, weights=row, minlength=len(names)) for row in rows]
        return np.array(added, np.float64).reshape(len(rows), len(names))

    return SceneSums(add_up(np.where(known, figures, 0.0)), add_up(known.astype(np.float64)))


def drawn_means(added: SceneSums, *, seed: int, draws: int) -> NDArray[np.float64]:
    """Return the mean over images of each algorithm in each resampled data set.

    Parameters
    ----------
    added
        Figures by scene.
    seed
        Seed of the draws.
    draws
        Number of resampled data sets.

    Returns
    -------
    numpy.ndarray
        Shape ``(n_algorithms, draws)``; NaN where a draw holds no figure of an algorithm.

    Raises
    ------
    BenchError
        `draws` is not at least 1.
    """
    require_draws(draws)
    return np.hstack(
        [
            ratio(added.sums @ weights.T, added.counts @ weights.T)
            for weights in _resamples(added.n_scenes, seed=seed, draws=draws)
        ]
    )


def ratio(total: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `total` / `n`, NaN where `n` is 0."""
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def tails(level: float) -> tuple[float, float]:
    """Return the two quantiles that hold `level` between them."""
    require_level(level)
    return (1 - level) / 2, (1 + level) / 2


def require_level(level: float) -> None:
    """Refuse what is no probability between 0 and 1."""
    if not 0 < level < 1:
        raise BenchError(f"{level} is no level of an interval", mend="give one such as 0.95")


def require_draws(draws: int) -> None:
    """Refuse less than one draw."""
    if draws < 1:
        raise BenchError(f"{draws} draws tell nothing", mend="make 1000 or more")


def _resamples(n_scenes: int, *, seed: int, draws: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each scene is drawn, in parts of shape ``(part, n_scenes)``."""
    generator = np.random.default_rng(seed)
    chances = np.full(n_scenes, 1 / n_scenes)
    for start in range(0, draws, CHUNK):
        part = min(CHUNK, draws - start)
        yield generator.multinomial(n_scenes, chances, size=part).astype(np.float64)
