"""One compiled pass over two label images: which ids meet, and on how many pixels.

Labels are constant over long runs of pixels. The pass compares each pixel with the one before, 64
at once, and does work only where truth or prediction changes: a run's length is added to the entry
of its two ids in a hash table. A row repeats what the row above it has, so nearly every run finds
its entry at the first try, in the fastest cache, and the processor need not guess what comes next.
The table grows with the number of pairs, so an id of 2**40 takes no more room than an id of 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.scoring.compiled import changes, compiled, set_bits, trailing_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels compared before any run is counted; small enough for the fastest cache.
_CHUNK = 4096
_ROOM = 128  # entries of a new table, a power of two; a table is never more than a quarter full
# What ids are multiplied by: odd, and of bits without order, so that the highest bits of the sum of
# both products tell pairs apart whichever bits of the ids do.
_TRUE_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_PRED_SPREAD = np.uint64(0xC2B2AE3D27D4EB4F)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)


class Counter:
    """What a pass has counted so far.

    Attributes
    ----------
    table
        Hash table, uint64, shape ``(room, 3)``: true id, predicted id and the pixels they share; an
        entry with no pixels is free. The background, 0, is an id like any other.
    """

    def __init__(self) -> None:
        self.table = np.zeros((_ROOM, 3), np.uint64)
        # Entries taken; that of background on background may come on top, unnoticed, since it looks
        # like a free one.
        self._entered = np.zeros(1, np.int64)

    def add(self, truth: NDArray[Any], prediction: NDArray[Any]) -> None:
        """Count the pixels of two flat arrays of one unsigned type."""
        truth, prediction = np.ascontiguousarray(truth), np.ascontiguousarray(prediction)
        done = 0
        while done < len(truth):
            done += _scan(truth[done:], prediction[done:], self.table, self._entered)
            if 4 * self._entered[0] >= len(self.table):
                self.table = _larger(self.table)

    def pairs(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
        """Return the two ids of each pair that was met, in no order, and the pixels they share."""
        true_ids, pred_ids, pixels = _taken(self.table, self._entered[0] + 1)
        return true_ids, pred_ids, pixels.view(np.int64)


@compiled
def _scan(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    table: NDArray[np.uint64],
    entered: NDArray[np.int64],
) -> Any:
    """Count pixels, to the end or until a quarter of the table is taken; return how many."""
    size = len(truth)
    mask = np.uint64(len(table) - 1)
    shift = np.uint64(64 - trailing_zeros(np.uint64(len(table))))
    places = np.empty(_CHUNK + 4, np.uint32)  # where runs end; four more than can be
    full = False
    start = np.uint64(0)
    true_id, pred_id = np.uint64(truth[0]), np.uint64(prediction[0])
    for low in range(1, size + 1, _CHUNK):
        high = min(low + _CHUNK, size)
        n = _changed(truth, prediction, low, high, places)
        if high == size:
            places[n] = size - low
            n += _ONE
        k = np.uint64(0)
        while k < n:
            place = np.uint64(low) + np.uint64(places[k])
            at = _first(true_id, pred_id, shift)
            if table[at, 0] != true_id or table[at, 1] != pred_id:
                at = _search(table, true_id, pred_id, at, mask, entered)
                full = 4 * entered[0] >= len(table)
            table[at, 2] += place - start
            start = place
            if full or place == np.uint64(size):
                return np.int64(place)
            true_id, pred_id = np.uint64(truth[place]), np.uint64(prediction[place])
            k += _ONE
    return size


@compiled
def _changed(
    truth: NDArray[Any], prediction: NDArray[Any], low: int, high: int, places: NDArray[np.uint32]
) -> Any:
    """List, counted from `low`, where a pixel differs from the one before; return their number."""
    n = np.uint64(0)
    at = low
    while at + 64 <= high:
        bits = changes(truth, prediction, at)
        end = n + np.uint64(set_bits(bits))
        # Four at a time, some of them for nothing: cheaper than to guess how many there are.
        while bits != 0:
            for k in range(4):
                places[n + np.uint64(k)] = np.uint64(at - low + trailing_zeros(bits))
                bits &= bits - _ONE  # the lowest bit that is set, off
            n += _FOUR
        n = end
        at += 64
    while at < high:
        if truth[at] != truth[at - 1] or prediction[at] != prediction[at - 1]:
            places[n] = at - low
            n += _ONE
        at += 1
    return n


@compiled
def _first(true_id: np.uint64, pred_id: np.uint64, shift: np.uint64) -> Any:
    """Return where in a table of 2 ** (64 - shift) entries the search for a pair begins."""
    return (true_id * _TRUE_SPREAD + pred_id * _PRED_SPREAD) >> shift


@compiled
def _search(
    table: NDArray[np.uint64],
    true_id: np.uint64,
    pred_id: np.uint64,
    at: np.uint64,
    mask: np.uint64,
    entered: NDArray[np.int64],
) -> Any:
    """Return the entry of a pair from where the search begins; a new pair is entered."""
    while table[at, 0] != true_id or table[at, 1] != pred_id:
        if table[at, 2] == 0:
            table[at, 0], table[at, 1] = true_id, pred_id
            entered[0] += 1
            break
        at = (at + _ONE) & mask
    return at


@compiled
def _larger(table: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the same pairs in a table of four times the room."""
    larger = np.zeros((4 * len(table), 3), np.uint64)
    mask = np.uint64(len(larger) - 1)
    shift = np.uint64(64 - trailing_zeros(np.uint64(len(larger))))
    for old in range(len(table)):
        if table[old, 2] == 0:
            continue
        at = _first(table[old, 0], table[old, 1], shift)
        while larger[at, 2] != 0:
            at = (at + _ONE) & mask
        larger[at] = table[old]
    return larger


@compiled
def _taken(table: NDArray[np.uint64], most: int) -> NDArray[np.uint64]:
    """Return the entries that are taken, `most` at most, one a column."""
    taken = np.empty((3, most), np.uint64)
    k = 0
    for at in range(len(table)):
        if table[at, 2] != 0:
            for field in range(3):
                taken[field, k] = table[at, field]
            k += 1
    return taken[:, :k]
