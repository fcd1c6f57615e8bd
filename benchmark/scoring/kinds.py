"""What kind of error was made on which object.

Objects that no match accounts for are explained by what they overlap: see `kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmark.scoring.matching import LINK, reaches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.scoring.contingency import Contingency

TRUE_KINDS = ("matched", "missed", "split", "merged", "catastrophe")
PRED_KINDS = ("matched", "spurious", "split", "merged", "catastrophe")
MATCHED, LONE, SPLIT, MERGED, CATASTROPHE = range(5)


@dataclass(frozen=True)
class Kinds:
    """The kind of each object and the event it took part in, in the order of the table's ids.

    Parameters
    ----------
    true_kind, pred_kind
        Positions in `TRUE_KINDS` and `PRED_KINDS`, int8.
    true_event, pred_event
        Number of the event, from 1, int64; 0 where the object stands alone or is simply matched.
    """

    true_kind: NDArray[np.int8]
    pred_kind: NDArray[np.int8]
    true_event: NDArray[np.int64]
    pred_event: NDArray[np.int64]

    @property
    def event_kind(self) -> NDArray[np.int8]:
        """Kind of each event, from the first: `SPLIT`, `MERGED` or `CATASTROPHE`."""
        kind = np.concatenate((self.true_kind, self.pred_kind))
        event = np.concatenate((self.true_event, self.pred_event))
        # Every event has an object that is not matched, and all of those have its kind.
        telling = (event > 0) & (kind != MATCHED)
        of_event = np.zeros(event.max(initial=0), np.int8)
        of_event[event[telling] - 1] = kind[telling]
        return of_event


def kinds(table: Contingency, matched: NDArray[np.intp]) -> Kinds:
    """Name the error made on each object.

    Two objects are linked if their IoU is at least 1/10, or if more than half of one lies in the
    other. Links between two matched objects do not count. A group of linked objects, each matched
    one standing for its partner too, is a split if it has one true object and several predictions,
    a merge if it has one prediction and several true objects, a catastrophe if several of both.
    The unmatched objects of the group get that kind. Of one and one, the true object is missed and
    the other spurious; so is what has no link.

    Parameters
    ----------
    table
        Objects and overlaps of one image.
    matched
        Positions of the matched pairs in the table.

    Examples
    --------
    One cell is found in two halves; next to it two cells are found as one, with an IoU of 0.75
    for the larger.

    >>> from benchmark.scoring.contingency import contingency
    >>> truth = np.array([1, 1, 1, 1, 0, 2, 2, 2, 3])
    >>> prediction = np.array([1, 1, 2, 2, 0, 3, 3, 3, 3])
    >>> found = kinds(contingency(truth, prediction), np.array([2]))
    >>> [TRUE_KINDS[kind] for kind in found.true_kind]
    ['split', 'matched', 'merged']
    >>> [PRED_KINDS[kind] for kind in found.pred_kind]
    ['split', 'split', 'matched']
    >>> found.true_event.tolist(), found.pred_event.tolist()
    ([1, 2, 2], [1, 1, 2])
    """
    n_true, n_pred = table.n_true, table.n_pred
    is_matched = np.zeros(n_true + n_pred, bool)
    is_matched[table.pair_true[matched]] = True
    is_matched[n_true + table.pair_pred[matched]] = True
    true_end, pred_end = table.pair_true, n_true + table.pair_pred
    linked = links(table) & ~(is_matched[true_end] & is_matched[pred_end])
    graph = coo_array(
        (np.ones(np.count_nonzero(linked)), (true_end[linked], pred_end[linked])),
        shape=(n_true + n_pred, n_true + n_pred),
    )
    n_groups, group = connected_components(graph, directed=False)
    # A matched object brings its partner. Where both are in a group they count twice, but then
    # what connects them is another object of either kind: it is a catastrophe without them.
    is_true = np.arange(n_true + n_pred) < n_true
    n_true_in = np.bincount(group[is_true | is_matched], minlength=n_groups)
    n_pred_in = np.bincount(group[~is_true | is_matched], minlength=n_groups)
    many_true, many_pred = n_true_in > 1, n_pred_in > 1
    kind = np.full(n_groups, LONE, np.int8)
    kind[many_pred] = SPLIT
    kind[many_true] = MERGED
    kind[many_true & many_pred] = CATASTROPHE
    of_object = np.where(is_matched, np.int8(MATCHED), kind[group])
    events = np.flatnonzero(many_true | many_pred)
    number = np.zeros(n_groups, np.int64)
    number[events] = np.arange(1, len(events) + 1)
    event = number[group]
    # Who is matched was there when something happened to the partner.
    ends = true_end[matched], pred_end[matched]
    for one, other in (ends, ends[::-1]):
        event[one] = np.where(event[one] > 0, event[one], number[group[other]])
    return Kinds(of_object[:n_true], of_object[n_true:], event[:n_true], event[n_true:])


def links(table: Contingency) -> NDArray[np.bool_]:
    """Tell which pairs have to do with each other, see `kinds`; shape ``(n_pairs,)``."""
    similar = reaches(table, [LINK])[0]
    smaller = np.minimum(table.true_areas[table.pair_true], table.pred_areas[table.pair_pred])
    inside = 2 * table.intersection > smaller
    linked: NDArray[np.bool_] = similar | inside
    return linked
