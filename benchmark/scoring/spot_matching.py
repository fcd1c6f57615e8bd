"""One-to-one matching of spots: gate by the radius, most matches, then the least squared distance.

Only pairs within the radius are candidates. Among those the most matches are taken, and among all
ways to have as many, the least sum of squared distances. The order matters: assigning first and
throwing out what is too far afterwards loses matches, because a spot out of reach may have taken
the partner that another spot needed. Squares, because the root mean square is the figure reported:
so it does not depend on which of several equally good assignments is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from benchmark.errors import BenchError
from benchmark.scoring.matching import heaviest

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A spot exactly at the radius is within it, and a difference of coordinates is rounded:
# 1.3 - 1 is more than 0.3. No one measures to a billionth of the radius.
_ROUNDING = 1 + 1e-9
# More candidates than this take minutes; they are a radius in other units than the positions.
_MOST_CANDIDATES = 5_000_000


def match_spots(
    true_at: NDArray[np.float64], pred_at: NDArray[np.float64], radius: float
) -> NDArray[np.intp]:
    """Match spots one to one.

    Parameters
    ----------
    true_at, pred_at
        Positions, shapes ``(n_true, n_axes)`` and ``(n_pred, n_axes)``, finite.
    radius
        Largest distance of a match, above 0, in the unit of the positions.

    Returns
    -------
    numpy.ndarray
        Positions of the matched pairs in the two arrays, ordered by truth, shape ``(tp, 2)``. In a
        tie the choice does not depend on the order of the spots.

    Raises
    ------
    BenchError
        Millions of pairs are within the radius.

    Examples
    --------
    The least squared distance over all four spots would pair 10 with 4 and 0 with -20, all of it
    out of reach.

    >>> truth, prediction = np.array([[0.0, 0], [0, 10]]), np.array([[0.0, 4], [0, -20]])
    >>> match_spots(truth, prediction, radius=5).tolist()
    [[0, 0]]
    """
    # Sorted by place, so that a tie is settled alike whatever the order of the spots.
    true_order, pred_order = np.lexsort(true_at.T), np.lexsort(pred_at.T)
    truth, pred, distance = _candidates(true_at[true_order], pred_at[pred_order], radius)
    # A match outweighs all the squares there are to save.
    n_most = max(min(len(true_at), len(pred_at)), 1)
    chosen = heaviest(truth, pred, 1 + (1 - (distance / radius) ** 2) / (2 * n_most))
    pairs = np.column_stack([true_order[truth[chosen]], pred_order[pred[chosen]]])
    return pairs[np.argsort(pairs[:, 0])]


def _candidates(
    true_at: NDArray[np.float64], pred_at: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return all pairs within the radius: truth, prediction, distance, ordered by truth."""
    true_tree, pred_tree = cKDTree(true_at), cKDTree(pred_at)
    reach = radius * _ROUNDING
    n = int(true_tree.count_neighbors(pred_tree, reach))
    if n > _MOST_CANDIDATES:
        raise BenchError(
            f"{n} pairs of spots are within the radius of {radius:g}",
            mend="give the radius in the unit of the positions: pixels, or that of the spacing",
        )
    near = true_tree.sparse_distance_matrix(pred_tree, reach, output_type="ndarray")
    near = near[np.lexsort((near["j"], near["i"]))]
    return near["i"], near["j"], near["v"]
