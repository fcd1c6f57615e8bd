"""Tiers of a leaderboard: who cannot be told from the best, who not from the best of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.statistics.paired import enough_flips, holm
from benchmark.statistics.scenes import by_scene, require_level
from benchmark.statistics.swaps import swap_p_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from benchmark.statistics.scenes import SceneSums


@dataclass(frozen=True)
class Tiers:
    """Tiers and ranks that follow from the same tests, one entry an algorithm.

    Parameters
    ----------
    tier
        Number of the tier, from 1, the best.
    rank_low, rank_high
        Best and worst rank: 1 and the number of algorithms that are distinguishably better, and
        the number of algorithms less those that are distinguishably worse. All intervals hold at
        once with the level of the tests. They contain the rank by mean, and no tier is larger than
        its `rank_low`.
    """

    tier: NDArray[np.int64]
    rank_low: NDArray[np.int64]
    rank_high: NDArray[np.int64]


def tiers(
    values: ArrayLike,
    scenes: ArrayLike,
    *,
    seed: int = 0,
    flips: int | None = None,
    level: float = 0.95,
) -> Tiers:
    """Sort algorithms into tiers by what paired tests can tell apart.

    Tier 1 is the algorithm of the largest mean and all that it is not distinguishably better than.
    Tier 2 is the best of the rest and all of the rest that it is not distinguishably better than;
    and so on. So whoever is in a lower tier is shown to be worse than the best of every better
    one, and nobody is put down for lack of evidence: an algorithm whose figures vary much may stand
    in a better tier than one of a larger mean.

    Two algorithms are distinguishable if their `paired_test` says so after Holm's correction over
    all pairs, at ``1 - level``; that is what `compare_all` returns. Ranks from paired tests are
    those of Mogstad, Romano, Shaikh and Wilhelm (2024). They are wider than `rank_intervals`, each
    of which holds by itself.

    Parameters
    ----------
    values
        A figure where larger is better, shape ``(n_algorithms, n_images)``. NaN is left out of that
        algorithm's mean. An algorithm without any figure shares the last rank, in a tier below all.
    scenes, seed, flips
        As for `compare_all`.
    level
        Probability that no two equal algorithms are told apart.

    Raises
    ------
    ValueError, BenchError
        As for `compare_all`.

    Examples
    --------
    The first is better in each of seven scenes; the other two trade places.

    >>> values = [
    ...     [0.9, 0.8, 0.9, 0.7, 0.8, 0.9, 0.8],
    ...     [0.5, 0.1, 0.4, 0.3, 0.2, 0.3, 0.4],
    ...     [0.1, 0.5, 0.3, 0.4, 0.3, 0.2, 0.4],
    ... ]
    >>> table = tiers(values, range(7))
    >>> table.tier.tolist(), table.rank_low.tolist(), table.rank_high.tolist()
    ([1, 2, 2], [1, 2, 2], [1, 3, 3])
    """
    require_level(level)
    added = by_scene(values, scenes)
    means = added.means
    better = _better(added, seed=seed, flips=flips, level=level)
    known = ~np.isnan(means)
    n_known = int(known.sum())
    # Rounded, so that equal means keep the order of the rows.
    order = np.argsort(-np.round(means, 12), kind="stable")[:n_known]
    tier = np.zeros(len(means), np.int64)
    rest = list(order)
    while rest:
        best = rest[0]
        members = [row for row in rest if not better[best, row]]
        tier[members] = tier.max() + 1
        rest = [row for row in rest if better[best, row]]
    tier[~known] = tier.max(initial=0) + 1
    return Tiers(
        tier,
        rank_low=np.where(known, 1 + better.sum(axis=0), n_known + 1),
        rank_high=np.where(known, n_known - better.sum(axis=1), n_known + 1),
    )


def _better(added: SceneSums, *, seed: int, flips: int | None, level: float) -> NDArray[np.bool_]:
    """Tell which row is distinguishably better than which column."""
    n_algorithms = len(added.sums)
    a, b = np.triu_indices(n_algorithms, 1)
    flips = enough_flips(len(a)) if flips is None else flips
    found = holm(swap_p_values(added, a, b, seed=seed, flips=flips)) <= 1 - level
    ahead = added.means[a] > added.means[b]
    better = np.zeros((n_algorithms, n_algorithms), np.bool_)
    better[a, b], better[b, a] = found & ahead, found & ~ahead
    return better
