"""Which objects of truth and prediction overlap, and by how many pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import LabelError
from benchmark.scoring.labels import as_unsigned, require_labels, require_positive
from benchmark.scoring.scan import Counter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Pixels converted at once: small enough for the cache, large enough that calls cost nothing.
_BLOCK = 1 << 18


@dataclass(frozen=True)
class Contingency:
    """Objects of two label images and their overlaps; the background, 0, is no object.

    Parameters
    ----------
    true_ids, pred_ids
        Ids in ascending order, uint64, shapes ``(n_true,)`` and ``(n_pred,)``.
    true_areas, pred_areas
        Pixels of each object, int64, in the order of the ids.
    pair_true, pair_pred
        For each pair of overlapping objects the position of each in the ids above, shape
        ``(n_pairs,)``, ordered by truth and then by prediction.
    intersection
        Pixels that the two objects of a pair share, int64, at least 1.
    """

    true_ids: NDArray[np.uint64]
    true_areas: NDArray[np.int64]
    pred_ids: NDArray[np.uint64]
    pred_areas: NDArray[np.int64]
    pair_true: NDArray[np.intp]
    pair_pred: NDArray[np.intp]
    intersection: NDArray[np.int64]

    @property
    def n_true(self) -> int:
        """Number of true objects."""
        return len(self.true_ids)

    @property
    def n_pred(self) -> int:
        """Number of predicted objects."""
        return len(self.pred_ids)

    @cached_property
    def union(self) -> NDArray[np.int64]:
        """Pixels in either object of each pair, shape ``(n_pairs,)``."""
        areas = self.true_areas[self.pair_true] + self.pred_areas[self.pair_pred]
        return areas - self.intersection

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each pair, shape ``(n_pairs,)``."""
        return self.intersection / self.union


def contingency(truth: NDArray[Any], prediction: NDArray[Any]) -> Contingency:
    """Count the objects of two label images, their areas and their overlaps.

    Parameters
    ----------
    truth, prediction
        Integer arrays of the same shape, with one to three axes, of any width and byte order;
        0 is background. Ids may be sparse. All pixels of one id are one object, connected or not.

    Raises
    ------
    LabelError
        An argument is no integer array, has a negative id or more than three axes, or the shapes
        differ.

    Examples
    --------
    >>> truth = np.array([[1, 1, 0], [1, 1, 0]])
    >>> prediction = np.array([[7, 0, 0], [7, 9, 9]])
    >>> table = contingency(truth, prediction)
    >>> table.true_areas.tolist(), table.pred_areas.tolist()
    ([4], [2, 2])
    >>> table.intersection.tolist(), table.union.tolist()
    ([2, 1], [4, 5])
    """
    require_labels(truth, "truth")
    require_labels(prediction, "prediction")
    if truth.shape != prediction.shape:
        raise LabelError(
            f"truth has shape {truth.shape}, prediction {prediction.shape}",
            mend="score a prediction against the truth of the same image, at the same size",
        )
    if not 1 <= truth.ndim <= 3:
        raise LabelError(
            f"the images have {truth.ndim} axes, a label image has one to three: (Z, Y, X)",
            mend="score each time point or channel as an image of its own",
        )
    counter = Counter()
    for true_block, pred_block in _blocks(truth, prediction):
        counter.add(true_block, pred_block)
    true_ids, pred_ids, pixels = counter.pairs()
    true_ids, true_at, true_areas = _objects(true_ids, pixels)
    pred_ids, pred_at, pred_areas = _objects(pred_ids, pixels)
    width = max(truth.dtype.itemsize, prediction.dtype.itemsize)
    require_positive(true_ids, truth.dtype, width, "truth")
    require_positive(pred_ids, prediction.dtype, width, "prediction")
    both = np.flatnonzero((true_at >= 0) & (pred_at >= 0))
    pair_true, pair_pred = true_at[both], pred_at[both]
    order = np.lexsort((_narrow(pair_pred), _narrow(pair_true)))
    return Contingency(
        true_ids=true_ids,
        true_areas=true_areas,
        pred_ids=pred_ids,
        pred_areas=pred_areas,
        pair_true=pair_true[order],
        pair_pred=pair_pred[order],
        intersection=pixels[both][order],
    )


def _objects(
    ids: NDArray[np.uint64], pixels: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.intp], NDArray[np.int64]]:
    """Return the objects of a list of pairs.

    Their ids in ascending order, without the background; the position among them of each pair's, -1
    where it is the background; and their areas.
    """
    order = np.argsort(_narrow(ids), kind="stable")
    ascending = ids[order]
    first = np.diff(ascending, prepend=~ascending[:1]) != 0
    start = np.flatnonzero(first)
    background = int(not ascending[:1].all())
    position = np.empty(len(ids), np.intp)
    position[order] = np.cumsum(first) - 1 - background
    areas = np.add.reduceat(pixels[order], start)
    return ascending[start][background:], position, areas[background:]


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers in the narrowest type: up to 16 bits NumPy sorts in linear time."""
    return values.astype(np.min_scalar_type(values.max(initial=0)))


def _blocks(
    truth: NDArray[Any], prediction: NDArray[Any]
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield both arrays, flat and of one unsigned type, in parts where they have to be converted.

    A negative id turns into one of the upper half of the unsigned type.
    """
    width = max(truth.dtype.itemsize, prediction.dtype.itemsize)
    flat = truth.reshape(-1), prediction.reshape(-1)
    if all(part.dtype.isnative and part.dtype.itemsize == width for part in flat):
        yield _locked(flat[0].view(f"u{width}")), _locked(flat[1].view(f"u{width}"))
        return
    for start in range(0, truth.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        yield _locked(as_unsigned(flat[0][part], width)), _locked(as_unsigned(flat[1][part], width))


def _locked(view: NDArray[Any]) -> NDArray[Any]:
    """Make a view read-only: of one kind, so that the pass is not compiled again for the other."""
    view.flags.writeable = False
    return view


def without(
    table: Contingency, true_ids: NDArray[np.uint64], pred_ids: NDArray[np.uint64]
) -> Contingency:
    """Return a table as if the objects of these ids were background.

    Examples
    --------
    >>> table = contingency(np.array([1, 1, 2]), np.array([4, 4, 4]))
    >>> rest = without(table, np.array([1], np.uint64), np.array([], np.uint64))
    >>> rest.true_ids.tolist(), rest.pair_true.tolist(), rest.intersection.tolist()
    ([2], [0], [1])
    """
    true_stays = ~np.isin(table.true_ids, true_ids)
    pred_stays = ~np.isin(table.pred_ids, pred_ids)
    pairs = true_stays[table.pair_true] & pred_stays[table.pair_pred]
    return Contingency(
        true_ids=table.true_ids[true_stays],
        true_areas=table.true_areas[true_stays],
        pred_ids=table.pred_ids[pred_stays],
        pred_areas=table.pred_areas[pred_stays],
        pair_true=(np.cumsum(true_stays) - 1)[table.pair_true[pairs]],
        pair_pred=(np.cumsum(pred_stays) - 1)[table.pair_pred[pairs]],
        intersection=table.intersection[pairs],
    )
