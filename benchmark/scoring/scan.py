"""One compiled pass over two label images: areas and overlaps.

Labels are constant over long runs of pixels. The pass compares each pixel with the one before, many
at once, and does work only where truth or prediction changes. Low ids are looked up in an array of
fixed length, others in a hash table that grows with the number of objects, so an id of 2**40 takes
no more room than an id of 2. Of the predictions that overlap a true object nearly all are its first
two: those are counted beside the object, and only the others in a table of pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.scoring.compiled import compiled, trailing_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels compared before any of them is looked at; small enough for the fastest cache.
_CHUNK = 4096
_ROOM = 128  # entries of a new table, a power of two; a table is never more than half full
_LOW_IDS = 1 << 16  # ids below are looked up directly
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: parts consecutive ids
_FLAGS = np.uint64(0x0102040810204080)  # times eight bytes of 0 or 1: these as bits of the highest
_HIGH = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


class Counter:
    """What a pass has counted so far.

    The background is the object at position 0 of either image.

    Attributes
    ----------
    counts
        Number of true objects, of predicted objects, of true and of predicted ones whose id is not
        low, and of pairs in `keys`.
    true_ids, pred_ids
        Objects in the order in which they were met; only the first `counts` entries count.
    near
        Positions of the first two predictions met on each true object, 0 where there is none.
    shares
        Pixels that each true object shares with the background and with those two.
    alone
        Pixels of each prediction on the true background.
    keys, key_pixels
        Hash table of further pairs: 0, or position of truth << 32 | position of prediction.
    """

    def __init__(self) -> None:
        room = _ROOM // 2
        self.counts = np.array([1, 1, 0, 0, 0])
        self.true_ids, self.pred_ids = np.zeros(room, np.uint64), np.zeros(room, np.uint64)
        self._true_places, self._pred_places = np.zeros((2, _LOW_IDS), np.int32)
        self._true_places[0] = self._pred_places[0] = 1
        self._true_table, self._pred_table = np.zeros((2, _ROOM, 2), np.uint64)
        self.near, self.shares = np.zeros((room, 2), np.int32), np.zeros((room, 3), np.int64)
        self.alone = np.zeros(room, np.int64)
        self.keys, self.key_pixels = np.zeros(_ROOM, np.uint64), np.zeros(_ROOM, np.int64)

    def add(self, truth: NDArray[Any], prediction: NDArray[Any]) -> None:
        """Count the pixels of two flat arrays of one unsigned type."""
        done = 0
        while done < len(truth):
            done += _scan(
                truth[done:],
                prediction[done:],
                self.counts,
                self._true_places,
                self._true_table,
                self.true_ids,
                self._pred_places,
                self._pred_table,
                self.pred_ids,
                self.near,
                self.shares,
                self.alone,
                self.keys,
                self.key_pixels,
            )
            self._make_room()

    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
        """Return the positions of both objects of each pair, and the pixels they share.

        Areas are those of an object's pairs, and `shares` with the background or `alone`.
        """
        true_at, slot = np.nonzero(self.near[: self.counts[0]])
        used = self.keys > 0
        keys = self.keys[used]
        return (
            np.concatenate((true_at, (keys >> _HIGH).astype(np.intp))),
            np.concatenate((self.near[true_at, slot], (keys & _LOW).astype(np.intp))),
            np.concatenate((self.shares[true_at, slot + 1], self.key_pixels[used])),
        )

    def _make_room(self) -> None:
        """Enlarge the tables that are full."""
        n_true, n_pred, n_true_high, n_pred_high, n_keys = self.counts.tolist()
        if n_true == len(self.true_ids):
            self.true_ids = _longer(self.true_ids)
            self.near, self.shares = _longer(self.near), _longer(self.shares)
        if n_pred == len(self.pred_ids):
            self.pred_ids, self.alone = _longer(self.pred_ids), _longer(self.alone)
        if 2 * n_true_high >= len(self._true_table):
            self._true_table = _table_of(self.true_ids, n_true, 4 * len(self._true_table))
        if 2 * n_pred_high >= len(self._pred_table):
            self._pred_table = _table_of(self.pred_ids, n_pred, 4 * len(self._pred_table))
        if 2 * n_keys >= len(self.keys):
            self.keys, self.key_pixels = _rehashed(self.keys, self.key_pixels)


def _longer(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array four times as long that starts with the same entries."""
    longer = np.zeros((4 * len(array), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


@compiled
def _scan(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    counts: NDArray[np.int64],
    true_places: NDArray[np.int32],
    true_table: NDArray[np.uint64],
    true_ids: NDArray[np.uint64],
    pred_places: NDArray[np.int32],
    pred_table: NDArray[np.uint64],
    pred_ids: NDArray[np.uint64],
    near: NDArray[np.int32],
    shares: NDArray[np.int64],
    alone: NDArray[np.int64],
    keys: NDArray[np.uint64],
    key_pixels: NDArray[np.int64],
) -> Any:
    """Count pixels until the end or until a table is full; return how many were counted."""
    size = len(truth)
    changed = np.empty(_CHUNK, np.uint8)
    words = changed.view(np.uint64)
    places = np.empty(_CHUNK + 1, np.int32)
    start: Any = 0
    true_at: Any = 0
    pred_at: Any = 0
    entered = False
    low_ids = np.uint64(_LOW_IDS)
    for low in range(0, size, _CHUNK):
        high = min(low + _CHUNK, size)
        _compare(truth, prediction, low, high, changed)
        n = _gather(words, places)
        if high == size:  # the end of the last run
            places[n] = size - low
            n += 1
        for k in range(n):
            place = low + places[k]
            length = place - start
            if true_at == 0:
                alone[pred_at] += length
            elif pred_at == 0:
                shares[true_at, 0] += length
            elif near[true_at, 0] == pred_at:
                shares[true_at, 1] += length
            elif near[true_at, 1] == pred_at:
                shares[true_at, 2] += length
            else:
                _add(near, shares, keys, key_pixels, counts, true_at, pred_at, length)
                entered = True
            start = place
            if place == size:
                break
            # Written out, since a call hands over every array.
            true_id, pred_id = truth[place], prediction[place]
            true_at = np.int64(true_places[true_id] if true_id < low_ids else 0) - 1
            if true_at < 0:
                true_at = _position(true_places, true_table, true_ids, counts, 0, true_id)
                entered = True
            pred_at = np.int64(pred_places[pred_id] if pred_id < low_ids else 0) - 1
            if pred_at < 0:
                pred_at = _position(pred_places, pred_table, pred_ids, counts, 1, pred_id)
                entered = True
            if entered:
                entered = False
                if (
                    counts[0] == len(true_ids)
                    or counts[1] == len(pred_ids)
                    or 2 * counts[2] >= len(true_table)
                    or 2 * counts[3] >= len(pred_table)
                    or 2 * counts[4] >= len(keys)
                ):
                    return start
    return size


@compiled
def _compare(
    truth: NDArray[Any], prediction: NDArray[Any], low: int, high: int, changed: NDArray[np.uint8]
) -> None:
    """Mark where a pixel differs from the one before; before the first there is background."""
    first = 1 if low == 0 else 0
    if first:
        changed[0] = truth[0] != 0 or prediction[0] != 0
    # Slices, since an index that might be negative keeps the compiler from using wide registers.
    true_now, true_before = truth[low + first : high], truth[low + first - 1 : high - 1]
    pred_now, pred_before = prediction[low + first : high], prediction[low + first - 1 : high - 1]
    marks = changed[first : high - low]
    for i in range(len(marks)):
        marks[i] = (true_now[i] != true_before[i]) | (pred_now[i] != pred_before[i])
    changed[high - low :] = 0


@compiled
def _gather(words: NDArray[np.uint64], places: NDArray[np.int32]) -> Any:
    """List the marked places, from marks of one byte read eight at a time; return their number."""
    n: Any = 0
    for low in range(0, len(words), 8):
        bits = np.uint64(0)
        for w in range(8):
            bits |= ((words[low + w] * _FLAGS) >> np.uint64(56)) << np.uint64(8 * w)
        while bits != 0:
            places[n] = 8 * low + trailing_zeros(bits)
            n += 1
            bits &= bits - np.uint64(1)  # the lowest bit that is set, off
    return n


@compiled
def _start(key: np.uint64, mask: int) -> Any:
    """Return where in a table the search for a key begins."""
    # The upper half is folded in, since ids may differ in their highest bits alone.
    return np.int64(((key ^ (key >> _HIGH)) * _SPREAD) >> _HIGH) & mask


@compiled
def _position(
    places: NDArray[np.int32],
    table: NDArray[np.uint64],
    ids: NDArray[np.uint64],
    counts: NDArray[np.int64],
    which: int,
    label: Any,
) -> Any:
    """Return the position of an id that is new or not low; a new one is entered."""
    if label < np.uint64(_LOW_IDS):
        ids[counts[which]] = label
        counts[which] += 1
        places[label] = counts[which]
        return counts[which] - 1
    wanted = np.uint64(label)
    mask = len(table) - 1
    at = _start(wanted, mask)
    while table[at, 1] != 0:
        if table[at, 0] == wanted:
            return np.int64(table[at, 1]) - 1
        at = (at + 1) & mask
    ids[counts[which]] = wanted
    counts[which] += 1
    counts[2 + which] += 1
    table[at, 0], table[at, 1] = wanted, counts[which]
    return counts[which] - 1


@compiled
def _add(
    near: NDArray[np.int32],
    shares: NDArray[np.int64],
    keys: NDArray[np.uint64],
    key_pixels: NDArray[np.int64],
    counts: NDArray[np.int64],
    true_at: int,
    pred_at: int,
    length: int,
) -> None:
    """Add pixels to a pair that is not among the first two of its true object."""
    for slot in range(2):
        if near[true_at, slot] == 0:
            near[true_at, slot] = pred_at
            shares[true_at, slot + 1] = length
            return
    key = np.uint64(true_at) << _HIGH | np.uint64(pred_at)
    mask = len(keys) - 1
    at = _start(key, mask)
    while keys[at] != 0 and keys[at] != key:
        at = (at + 1) & mask
    if keys[at] == 0:
        keys[at] = key
        counts[4] += 1
    key_pixels[at] += length


@compiled
def _table_of(ids: NDArray[np.uint64], n: int, room: int) -> NDArray[np.uint64]:
    """Return a hash table of those of n ids that are not low: id and 1 + position, or 0 and 0."""
    table = np.zeros((room, 2), np.uint64)
    mask = len(table) - 1
    for position in range(n):
        if ids[position] < np.uint64(_LOW_IDS):
            continue
        at = _start(ids[position], mask)
        while table[at, 1] != 0:
            at = (at + 1) & mask
        table[at, 0], table[at, 1] = ids[position], position + 1
    return table


@compiled
def _rehashed(
    keys: NDArray[np.uint64], pixels: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the same pairs in a table of four times the room."""
    new_keys = np.zeros(4 * len(keys), np.uint64)
    new_pixels = np.zeros(4 * len(keys), np.int64)
    mask = len(new_keys) - 1
    for old in range(len(keys)):
        if keys[old] == 0:
            continue
        at = _start(keys[old], mask)
        while new_keys[at] != 0:
            at = (at + 1) & mask
        new_keys[at], new_pixels[at] = keys[old], pixels[old]
    return new_keys, new_pixels
