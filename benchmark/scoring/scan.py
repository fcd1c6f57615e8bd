"""One compiled pass over two label images: areas and overlaps.

Labels are constant over long runs of pixels. The pass compares each pixel with the one before, many
at once, and does work only where truth or prediction changes. Ids are looked up in hash tables that
grow with the number of objects, so an id of 2**40 costs what an id of 2 costs. Of the predictions
that overlap a true object nearly all are its first two: those are counted beside the object, and
only the others in a table of pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.scoring.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels compared before any of them is looked at; small enough for the fastest cache.
_CHUNK = 4096
_ROOM = 128  # entries of a new table, a power of two; a table is never more than half full
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: parts consecutive ids
_HIGH = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


class Counter:
    """What a pass has counted so far.

    The background is the object at position 0 of either image, so that the pass needs no branch
    for it; its overlaps are not counted.

    Attributes
    ----------
    counts
        Number of true objects, of predicted objects, and of pairs in `keys`.
    true_ids, pred_ids, true_areas, pred_areas
        Objects in the order in which they were met; only the first `counts` entries count.
    near, near_pixels
        Positions of the first two predictions met on each true object, 0 where there is none, and
        the pixels they share with it, shape ``(room, 2)``.
    keys, key_pixels
        Hash table of further pairs: 0, or position of truth << 32 | position of prediction.
    """

    def __init__(self) -> None:
        room = _ROOM // 2
        self.counts = np.array([1, 1, 0])
        self.true_ids, self.pred_ids = np.zeros(room, np.uint64), np.zeros(room, np.uint64)
        self.true_areas, self.pred_areas = np.zeros(room, np.int64), np.zeros(room, np.int64)
        self._true_table, self._pred_table = (
            _table_of(self.true_ids, 1),
            _table_of(self.pred_ids, 1),
        )
        self.near, self.near_pixels = np.zeros((room, 2), np.int32), np.zeros((room, 2), np.int64)
        self.keys, self.key_pixels = np.zeros(_ROOM, np.uint64), np.zeros(_ROOM, np.int64)

    def add(self, truth: NDArray[Any], prediction: NDArray[Any]) -> None:
        """Count the pixels of two flat arrays of one unsigned type."""
        done = 0
        while done < len(truth):
            done += _scan(
                truth[done:],
                prediction[done:],
                self.counts,
                self._true_table,
                self.true_ids,
                self.true_areas,
                self._pred_table,
                self.pred_ids,
                self.pred_areas,
                self.near,
                self.near_pixels,
                self.keys,
                self.key_pixels,
            )
            self._make_room()

    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
        """Return the positions of both objects of each pair, and the pixels they share."""
        true_at, slot = np.nonzero(self.near[: self.counts[0]])
        keys = self.keys[self.keys > 0]
        return (
            np.concatenate((true_at, (keys >> _HIGH).astype(np.intp))),
            np.concatenate((self.near[true_at, slot], (keys & _LOW).astype(np.intp))),
            np.concatenate((self.near_pixels[true_at, slot], self.key_pixels[self.keys > 0])),
        )

    def _make_room(self) -> None:
        """Enlarge the tables that are full."""
        n_true, n_pred, n_keys = self.counts.tolist()
        if n_true == len(self.true_ids):
            self.true_ids, self.true_areas = _longer(self.true_ids), _longer(self.true_areas)
            self.near, self.near_pixels = _longer(self.near), _longer(self.near_pixels)
            self._true_table = _table_of(self.true_ids, n_true)
        if n_pred == len(self.pred_ids):
            self.pred_ids, self.pred_areas = _longer(self.pred_ids), _longer(self.pred_areas)
            self._pred_table = _table_of(self.pred_ids, n_pred)
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
    true_table: NDArray[np.uint64],
    true_ids: NDArray[np.uint64],
    true_areas: NDArray[np.int64],
    pred_table: NDArray[np.uint64],
    pred_ids: NDArray[np.uint64],
    pred_areas: NDArray[np.int64],
    near: NDArray[np.int32],
    near_pixels: NDArray[np.int64],
    keys: NDArray[np.uint64],
    key_pixels: NDArray[np.int64],
) -> Any:
    """Count pixels until the end or until a table is full; return how many were counted."""
    size = len(truth)
    changed = np.empty(_CHUNK, np.uint8)
    words = changed.view(np.uint64)
    places = np.empty(_CHUNK + 1, np.int64)
    start, true_at, pred_at = 0, 0, 0
    for low in range(0, size, _CHUNK):
        high = min(low + _CHUNK, size)
        _compare(truth, prediction, low, high, changed)
        n = _gather(words, (high - low + 7) >> 3, low, places)
        if high == size:  # the end of the last run
            places[n] = size
            n += 1
        for k in range(n):
            place = places[k]
            length = place - start
            true_areas[true_at] += length
            pred_areas[pred_at] += length
            # Sums rather than branches: whether a run is background cannot be foreseen.
            first, second = near[true_at, 0] == pred_at, near[true_at, 1] == pred_at
            near_pixels[true_at, 0] += length * first
            near_pixels[true_at, 1] += length * (second & (not first))
            if (true_at > 0) & (pred_at > 0) & (not first) & (not second):
                _add(near, near_pixels, keys, key_pixels, counts, true_at, pred_at, length)
            start = place
            if place == size:
                break
            true_at = _position(true_table, true_ids, counts, 0, np.uint64(truth[place]))
            pred_at = _position(pred_table, pred_ids, counts, 1, np.uint64(prediction[place]))
            if (
                counts[0] == len(true_ids)
                or counts[1] == len(pred_ids)
                or 2 * counts[2] >= len(keys)
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
def _gather(words: NDArray[np.uint64], n_words: int, low: int, places: NDArray[np.int64]) -> Any:
    """List the marked places, from marks of one byte read eight at a time; return their number."""
    n: Any = 0
    for w in range(n_words):
        word = words[w]
        if word == 0:
            continue
        place = low + (w << 3)
        for _ in range(8):  # no branch: where the marks are cannot be foreseen
            places[n] = place
            n += np.int64(word & np.uint64(1))
            word >>= np.uint64(8)
            place += 1
    return n


@compiled
def _start(key: np.uint64, mask: int) -> Any:
    """Return where in a table the search for a key begins."""
    # The upper half is folded in, since ids may differ in their highest bits alone.
    return np.int64(((key ^ (key >> _HIGH)) * _SPREAD) >> _HIGH) & mask


@compiled
def _position(
    table: NDArray[np.uint64],
    ids: NDArray[np.uint64],
    counts: NDArray[np.int64],
    which: int,
    wanted: np.uint64,
) -> Any:
    """Return the position of an id, entered if it is new."""
    mask = len(table) - 1
    at = _start(wanted, mask)
    while True:
        if table[at, 1] == 0:
            position = counts[which]
            counts[which] = position + 1
            table[at, 0], table[at, 1] = wanted, position + 1
            ids[position] = wanted
            return position
        if table[at, 0] == wanted:
            return np.int64(table[at, 1]) - 1
        at = (at + 1) & mask


@compiled
def _add(
    near: NDArray[np.int32],
    near_pixels: NDArray[np.int64],
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
            # What was counted here so far was background.
            near[true_at, slot], near_pixels[true_at, slot] = pred_at, length
            return
    key = np.uint64(true_at) << _HIGH | np.uint64(pred_at)
    mask = len(keys) - 1
    at = _start(key, mask)
    while keys[at] != 0 and keys[at] != key:
        at = (at + 1) & mask
    if keys[at] == 0:
        keys[at] = key
        counts[2] += 1
    key_pixels[at] += length


@compiled
def _table_of(ids: NDArray[np.uint64], n: int) -> NDArray[np.uint64]:
    """Return a hash table of the first n ids: id and 1 + position, 0 where an entry is free."""
    table = np.zeros((2 * len(ids), 2), np.uint64)
    mask = len(table) - 1
    for position in range(n):
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
