"""A row per object: what became of it, and how far its outline is off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmark.scoring.kinds import PRED_KINDS, TRUE_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmark.scoring.boundary import Boundaries
    from benchmark.scoring.contingency import Contingency
    from benchmark.scoring.kinds import Kinds


BOUNDARY = {
    "boundary_mean": "mean",
    "hausdorff_95": "hausdorff_95",
    "boundary_f1": "f1",
    "boundary_bias": "bias",
}
"""The columns of distances, and what they are called in `Boundaries`."""


def object_columns(  # noqa: PLR0917 - what a score consists of, once
    side: Literal["true", "pred"],
    table: Contingency,
    matched: NDArray[np.intp],
    kinds: Kinds,
    boundaries: Boundaries,
    pieces: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:
    """Return a table of the objects of one image by its columns, in the order of the ids.

    Parameters
    ----------
    side
        Whether the objects are the true or the predicted ones; the *others* are the other ones.
    table
        Objects and overlaps of both images.
    matched
        Positions of the matched pairs in the table.
    kinds
        What kind of error was made on which object.
    boundaries
        Distances between outlines, of the matched pairs in their order.
    pieces
        Of how many pieces each object is.

    Returns
    -------
    dict
        ``label`` (its id), ``area`` (pixels), ``kind``, ``match`` (id of the matched other, 0
        without one), ``iou`` with the match, ``best`` (id of the other of largest IoU, matched or
        not) and ``best_iou``, ``event`` (number of the split, merge or catastrophe it is part of,
        0 if of none), ``pieces``, and ``boundary_mean``, ``hausdorff_95``, ``boundary_f1``,
        ``boundary_bias``, which are NaN without a match.
    """
    if side == "true":
        ids, areas, own, other = table.true_ids, table.true_areas, table.pair_true, table.pair_pred
        partner = table.pred_ids[other]
        kind, event = np.array(TRUE_KINDS, object)[kinds.true_kind], kinds.true_event
    else:
        ids, areas, own, other = table.pred_ids, table.pred_areas, table.pair_pred, table.pair_true
        partner = table.true_ids[other]
        kind, event = np.array(PRED_KINDS, object)[kinds.pred_kind], kinds.pred_event
    best = _first_of_each(own, np.lexsort((other, -table.iou, own)))

    def entered(pairs: NDArray[np.intp], values: NDArray[Any], missing: float) -> NDArray[Any]:
        column = np.full(len(ids), missing, values.dtype)
        column[own[pairs]] = values
        return column

    return {
        "label": ids,
        "area": areas,
        "kind": kind,
        "match": entered(matched, partner[matched], 0),
        "iou": entered(matched, table.iou[matched], 0),
        "best": entered(best, partner[best], 0),
        "best_iou": entered(best, table.iou[best], 0),
        "event": event,
        "pieces": pieces,
        **{
            name: entered(matched, getattr(boundaries, source), np.nan)
            for name, source in BOUNDARY.items()
        },
    }


def _first_of_each(own: NDArray[np.intp], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return of pairs, in an order by object, the first of each object."""
    first = np.ones(len(order), bool)
    first[1:] = own[order][1:] != own[order][:-1]
    return order[first]


def events_of(table: Contingency, matched: NDArray[np.intp], kinds: Kinds) -> list[dict[str, Any]]:
    """Return the kind of each event and the ids of the true and predicted objects in it.

    A matched object is in the event of its partner too, even where it has one of its own.
    """
    true_at, pred_at = table.pair_true[matched], table.pair_pred[matched]
    n = len(kinds.event_kind)
    ids = [
        _members(
            np.concatenate((table.true_ids, table.true_ids[true_at])),
            np.concatenate((kinds.true_event, kinds.pred_event[pred_at])),
            n,
        ),
        _members(
            np.concatenate((table.pred_ids, table.pred_ids[pred_at])),
            np.concatenate((kinds.pred_event, kinds.true_event[true_at])),
            n,
        ),
    ]
    return [
        {"kind": TRUE_KINDS[kind], "true": true_ids, "pred": pred_ids}
        for kind, true_ids, pred_ids in zip(kinds.event_kind, *ids, strict=True)
    ]


def _members(ids: NDArray[np.uint64], event: NDArray[np.int64], n: int) -> Sequence[list[int]]:
    """Return the ids in each event, ascending, each once."""
    order = np.lexsort((ids, event))
    ids, event = ids[order], event[order]
    new = np.ones(len(ids), bool)
    new[1:] = (ids[1:] != ids[:-1]) | (event[1:] != event[:-1])
    ids, event = ids[new], event[new]
    ends = np.searchsorted(event, np.arange(1, n + 2))
    return [ids[ends[k] : ends[k + 1]].tolist() for k in range(n)]


def pieces(labels: NDArray[Any], ids: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return of how many pieces each object is; pieces touch if they share so much as a corner.

    Parameters
    ----------
    labels
        Labels of one to three axes.
    ids
        The objects, ascending.
    """
    from skimage.measure import label as connected  # noqa: PLC0415 - slow to import

    unsigned = labels.astype(f"{labels.dtype.kind}8").view(np.int64)
    piece, n = connected(  # type: ignore[no-untyped-call]
        unsigned, background=0, return_num=True, connectivity=labels.ndim
    )
    id_of_piece = np.zeros(n + 1, np.int64)
    id_of_piece[piece.ravel()] = unsigned.ravel()
    present, count = np.unique(id_of_piece[1:].view(np.uint64), return_counts=True)
    return count[np.searchsorted(present, ids)]
