"""The kinds of error as deepcell's `ObjectMetrics` has them (Greenwald et al. 2022, TissueNet).

There, objects are matched by an assignment in which staying alone costs 0.4 a head, on both sides
of a matrix that holds every pair twice. A pair pays for itself if 2 (1 - IoU) < 0.8, and a matrix
that takes a pair on one side only costs more than the better of its two halves taken twice. So the
assignment takes the pairs with an IoU above 0.6, and no others: above one half they exclude each
other. At 0.6 both ways cost the same, but staying alone is entered as 1.4 - 1, a breath less. What
stays alone is put in a graph, and each connected part of it is one error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmark.scoring.kinds import CATASTROPHE, LONE, MATCHED, MERGED, SPLIT, Kinds, links

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.scoring.contingency import Contingency


def tissuenet(table: Contingency) -> tuple[NDArray[np.intp], Kinds]:
    """Match objects and name the errors as deepcell's `ObjectMetrics` does.

    Two objects match if their IoU is above 0.6. Two unmatched objects are linked if their IoU is
    at least 0.1 or one of them lies in the other by more than half. A group of linked objects is a
    split with one true object and two or more predictions, a merge the other way round, and a
    catastrophe with two or more of each; a group of one of each is a miss and a gain. All
    comparisons are of integers.

    Parameters
    ----------
    table
        Objects and overlaps of one image.

    Returns
    -------
    matched : numpy.ndarray
        Positions of the matched pairs in the table, ascending.
    kinds : Kinds
        The kind of each object; events are numbered by their first true object.

    Notes
    -----
    deepcell-toolbox 0.12.1 has catastrophes among its correct detections as well.

    Examples
    --------
    A cell found in two halves, and one found well.

    >>> from benchmark.scoring.contingency import contingency
    >>> truth = np.array([1, 1, 1, 1, 1, 1, 2, 2, 2])
    >>> prediction = np.array([1, 1, 1, 3, 3, 3, 4, 4, 4])
    >>> matched, kinds = tissuenet(contingency(truth, prediction))
    >>> matched.tolist()
    [2]
    >>> kinds.true_kind.tolist(), kinds.pred_kind.tolist()
    ([2, 0], [2, 2, 0])
    """
    matched = np.flatnonzero(5 * table.intersection > 3 * table.union)
    alone_true, alone_pred = np.ones(table.n_true, bool), np.ones(table.n_pred, bool)
    alone_true[table.pair_true[matched]] = False
    alone_pred[table.pair_pred[matched]] = False
    both_alone = alone_true[table.pair_true] & alone_pred[table.pair_pred]
    group = _groups(table, np.flatnonzero(links(table) & both_alone))
    n_true = np.bincount(group[: table.n_true], minlength=len(group))
    n_pred = np.bincount(group[table.n_true :], minlength=len(group))
    kind_of_group = np.select(
        [n_true + n_pred < 3, n_true == 1, n_pred == 1], [LONE, SPLIT, MERGED], CATASTROPHE
    )
    event_of_group = np.where(kind_of_group == LONE, 0, np.cumsum(kind_of_group != LONE))
    alone = np.concatenate([alone_true, alone_pred])
    kind = np.where(alone, kind_of_group[group], MATCHED).astype(np.int8)
    true_kind, pred_kind = np.split(kind, [table.n_true])
    true_event, pred_event = np.split(event_of_group[group], [table.n_true])
    return matched, Kinds(
        true_kind=true_kind, pred_kind=pred_kind, true_event=true_event, pred_event=pred_event
    )


def _groups(table: Contingency, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the group, connected by pairs, of each true object, then of each prediction."""
    n = table.n_true + table.n_pred
    ends = table.pair_true[pairs], table.n_true + table.pair_pred[pairs]
    graph = coo_array((np.ones(len(pairs), np.int8), ends), shape=(n, n))
    _, group = connected_components(graph, directed=False)
    return np.asarray(group, np.intp)
