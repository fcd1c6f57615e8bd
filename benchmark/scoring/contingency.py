"""Which objects of truth and prediction overlap, and by how many pixels, in one pass.

Labels are constant over long runs of pixels. Only the places where truth or prediction differs from
the pixel before are looked at, so the work after one comparison of neighbours grows with the length
of the outlines and not with the number of pixels, and nothing is allocated per possible id.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import LabelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels looked at together: small enough for the cache, large enough that calls cost nothing.
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
        Integer arrays of the same shape, with any number of axes, of any width and byte order;
        0 is background. Ids may be sparse. All pixels of one id are one object, connected or not.

    Raises
    ------
    LabelError
        An argument is no integer array, has a negative id, or the shapes differ.

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
    _require_labels(truth, "truth")
    _require_labels(prediction, "prediction")
    if truth.shape != prediction.shape:
        raise LabelError(
            f"truth has shape {truth.shape}, prediction {prediction.shape}",
            mend="score a prediction against the truth of the same image, at the same size",
        )
    true_ids, pred_ids, pixels = _pairs(truth, prediction)
    true_unique, true_index = np.unique(true_ids, return_inverse=True)
    pred_unique, pred_index = np.unique(pred_ids, return_inverse=True)
    true_areas = _areas(true_index, pixels, len(true_unique))
    pred_areas = _areas(pred_index, pixels, len(pred_unique))
    # The background is told by its id, never by its place: an image may have none.
    no_truth = int(len(true_unique) > 0 and true_unique[0] == 0)
    no_pred = int(len(pred_unique) > 0 and pred_unique[0] == 0)
    both = (true_ids > 0) & (pred_ids > 0)
    return Contingency(
        true_ids=true_unique[no_truth:].astype(np.uint64),
        true_areas=true_areas[no_truth:],
        pred_ids=pred_unique[no_pred:].astype(np.uint64),
        pred_areas=pred_areas[no_pred:],
        pair_true=true_index[both] - no_truth,
        pair_pred=pred_index[both] - no_pred,
        intersection=pixels[both],
    )


def _require_labels(labels: Any, name: str) -> None:
    """Refuse what is no array of integers; negative ids are found later, among the runs."""
    if not isinstance(labels, np.ndarray) or isinstance(labels, np.ma.MaskedArray):
        raise LabelError(
            f"{name} is of type {type(labels).__name__}, not a NumPy array",
            mend="convert it with numpy.asarray; fill a masked array with 0 first",
        )
    if labels.dtype.kind in "iu":
        return
    if labels.dtype.kind == "b":
        raise LabelError(
            f"{name} is a boolean mask, which cannot tell one object from the next",
            mend="give each object an id of its own, for example with skimage.measure.label",
        )
    not_finite = labels.dtype.kind == "f" and not np.isfinite(labels).all()
    raise LabelError(
        f"{name} has type {labels.dtype}" + (" and holds NaN or infinity" if not_finite else ""),
        mend="labels are whole numbers: round and cast on purpose, with labels.astype('int32')",
    )


def _pairs(
    truth: NDArray[Any], prediction: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Return each (true id, predicted id) but (0, 0) that occurs, sorted, and its pixels."""
    flat_truth, flat_prediction = truth.reshape(-1), prediction.reshape(-1)
    blocks = [
        _add_up(*_runs(flat_truth[start : start + _BLOCK], flat_prediction[start : start + _BLOCK]))
        for start in range(0, truth.size, _BLOCK)
    ]
    if len(blocks) == 1:
        return blocks[0]
    empty = np.empty(0, np.uint8), np.empty(0, np.uint8), np.empty(0, np.int64)
    true_ids, pred_ids, pixels = zip(empty, *blocks, strict=True)
    return _add_up(np.concatenate(true_ids), np.concatenate(pred_ids), np.concatenate(pixels))


def _runs(
    truth: NDArray[Any], prediction: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Return ids and length of each stretch over which neither array changes.

    Stretches that are background in both are left out.
    """
    changes = truth[1:] != truth[:-1]
    changes |= prediction[1:] != prediction[:-1]
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    lengths = np.diff(starts, append=len(truth))
    true_ids, pred_ids = truth[starts], prediction[starts]
    kept = (true_ids != 0) | (pred_ids != 0)
    return _narrow(true_ids[kept], "truth"), _narrow(pred_ids[kept], "prediction"), lengths[kept]


def _narrow(ids: NDArray[Any], name: str) -> NDArray[Any]:
    """Return ids in the narrowest unsigned type: up to 16 bits NumPy sorts in linear time."""
    if ids.dtype.kind == "i" and ids.min(initial=0) < 0:
        raise LabelError(
            f"{name} has the negative id {int(ids.min())}",
            mend="0 is background and objects have ids from 1: set ignored pixels to 0",
        )
    return ids.astype(np.min_scalar_type(ids.max(initial=0)))


def _add_up(
    true_ids: NDArray[Any], pred_ids: NDArray[Any], pixels: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Add up the pixels of equal pairs of ids; the pairs come out sorted."""
    if len(pixels) == 0:
        return true_ids, pred_ids, pixels
    order = np.lexsort((pred_ids, true_ids))
    true_ids, pred_ids = true_ids[order], pred_ids[order]
    changes = (true_ids[1:] != true_ids[:-1]) | (pred_ids[1:] != pred_ids[:-1])
    first = np.concatenate(([0], np.flatnonzero(changes) + 1))
    return true_ids[first], pred_ids[first], np.add.reduceat(pixels[order], first)


def _areas(index: NDArray[np.intp], pixels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Add up pixels by index, in integers."""
    areas = np.zeros(n, np.int64)
    np.add.at(areas, index, pixels)
    return areas
