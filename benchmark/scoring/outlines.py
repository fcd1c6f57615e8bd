"""The compiled pass that collects the outlines of chosen objects of a label image.

An outline pixel is a pixel of an object with a face neighbour that is not of the object; beyond the
image is outside. A row is compared with its neighbours as a whole, in vector instructions, so only
outline pixels cost more than that. Ids are looked up in a hash table where they change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmark.scoring.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Layout(NamedTuple):
    """How the place of a pixel is packed into one integer, so that places sort row by row.

    From the highest bit: z, y, x, and one bit that says whether the next pixel of the row is of the
    same object.
    """

    y_bits: int
    x_bits: int


class Outlines(NamedTuple):
    """Outlines of n objects.

    Parameters
    ----------
    start
        Where the pixels of each object start, int64, shape ``(n + 1,)``.
    pixels
        Packed places, int64, those of one object in ascending order.
    """

    start: NDArray[np.int64]
    pixels: NDArray[np.int64]


def outlines(labels: NDArray[Any], ids: NDArray[np.uint64]) -> tuple[Outlines, Layout]:
    """Collect the outlines of some objects.

    Parameters
    ----------
    labels
        Label image of one to three axes, of any integer type without negative ids.
    ids
        The objects, each of which occurs, in any order.

    Returns
    -------
    Outlines
        In the order of `ids`. The last axis of the image is x; what it lacks before that is one
        pixel long.
    Layout
        How to read them; it depends on the shape of the image alone.

    Examples
    --------
    >>> found, layout = outlines(np.array([[5, 5, 0], [5, 5, 0], [5, 5, 0]]), np.array([5], "u8"))
    >>> found.start.tolist()
    [0, 6]
    >>> [(place >> 1 + layout.x_bits, place >> 1 & 3, place & 1) for place in found.pixels.tolist()]
    [(0, 0, 1), (0, 1, 0), (1, 0, 1), (1, 1, 0), (2, 0, 1), (2, 1, 0)]
    """
    native = labels.astype(labels.dtype.newbyteorder("="), copy=False)
    plain = np.require(native, requirements=("C", "A"))
    volume = plain.view(f"u{plain.itemsize}", np.ndarray).reshape(
        (1,) * (3 - labels.ndim) + labels.shape
    )
    volume.flags.writeable = False  # one kind of array, so that nothing is compiled twice
    layout = Layout(volume.shape[1].bit_length(), volume.shape[2].bit_length())
    return _outlines(volume, ids, labels.ndim, layout), layout


@compiled
def _outlines(
    volume: NDArray[Any], ids: NDArray[np.uint64], n_axes: int, layout: Layout
) -> Outlines:
    """Collect the outlines of the objects `ids` in one pass."""
    depth, height, width = volume.shape
    dictionary = _dictionary(ids)
    outside = np.zeros(width, volume.dtype)
    marked = np.zeros((width + 7) // 8 * 8, np.bool_)
    places = np.empty(len(marked) + 1, np.int64)
    room = 1024 + volume.size // 32
    slots, pixels = np.empty(room, np.int32), np.empty(room, np.int64)
    n = 0
    for z in range(depth):
        for y in range(height):
            row = volume[z, y]
            _mark(row, _around(volume, z, y, n_axes, outside), marked)
            n_marked = _gather(marked, places)
            if n + width > len(slots):
                slots, pixels = _grown(slots, 2 * n + width), _grown(pixels, 2 * n + width)
            first = (z << layout.y_bits | y) << layout.x_bits
            n = _collect(row, places[:n_marked], dictionary, first, (slots, pixels, n))
    return _grouped(slots[:n], pixels, len(ids))


@compiled
def _around(
    volume: NDArray[Any], z: int, y: int, n_axes: int, outside: NDArray[Any]
) -> tuple[NDArray[Any], ...]:
    """Return the four rows beside one; along an axis that the image lacks, the row itself."""
    depth, height, _ = volume.shape
    above = below = before = behind = volume[z, y]
    if n_axes > 1:
        above = volume[z, y - 1] if y > 0 else outside
        below = volume[z, y + 1] if y < height - 1 else outside
    if n_axes > 2:
        before = volume[z - 1, y] if z > 0 else outside
        behind = volume[z + 1, y] if z < depth - 1 else outside
    return above, below, before, behind


@compiled
def _mark(row: NDArray[Any], around: tuple[NDArray[Any], ...], marked: NDArray[np.bool_]) -> None:
    """Mark the pixels of a row that are of an object and have a neighbour that is not."""
    above, below, before, behind = around
    n = len(row)
    for x in range(n):
        here = row[x]
        marked[x] = (
            (above[x] != here) | (below[x] != here) | (before[x] != here) | (behind[x] != here)
        )
    inner, left, right = row[1:-1], row[:-2], row[2:]
    for x in range(len(inner)):
        marked[x + 1] |= (left[x] != inner[x]) | (right[x] != inner[x])
    marked[0] = marked[n - 1] = True
    for x in range(n):
        marked[x] &= row[x] != 0


@compiled
def _collect(
    row: NDArray[Any],
    places: NDArray[np.int64],
    dictionary: tuple[NDArray[np.uint64], NDArray[np.int32]],
    first: int,
    found: tuple[NDArray[np.int32], NDArray[np.int64], int],
) -> int:
    """Append the pixels at some places of a row that are of an object of the dictionary.

    `first` is the packed place of the row without its last bit. Returns how many pixels there are.
    """
    keys, values = dictionary
    slots, pixels, n = found
    width = len(row)
    last, slot = np.uint64(0), -1
    for x in places:
        label = np.uint64(row[x])
        if label != last:
            last, slot = label, _find(keys, values, label)
        if slot >= 0:
            slots[n] = slot
            pixels[n] = (first | x) << 1 | (x < width - 1 and row[x + 1] == row[x])
            n += 1
    return n


@compiled
def _gather(marked: NDArray[np.bool_], places: NDArray[np.int64]) -> Any:
    """List the marked places, and return how many there are; marks are read eight at a time."""
    eights = marked.view(np.uint64)
    n: Any = 0
    for eight in range(len(eights)):
        word = eights[eight]
        if word == 0:
            continue
        for x in range(8 * eight, 8 * eight + 8):  # without a branch on what cannot be foreseen
            places[n] = x
            n += np.int64(word & np.uint64(1))
            word >>= np.uint64(8)
    return n


@compiled
def _grown(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Return a copy with room for more."""
    grown = np.empty(size, values.dtype)
    for i in range(len(values)):
        grown[i] = values[i]
    return grown


@compiled
def _grouped(slots: NDArray[np.int32], pixels: NDArray[np.int64], n_slots: int) -> Outlines:
    """Sort the pixels by slot, keeping their order."""
    start = np.zeros(n_slots + 1, np.int64)
    for slot in slots:
        start[slot + 1] += 1
    for slot in range(n_slots):
        start[slot + 1] += start[slot]
    grouped = np.empty(len(slots), np.int64)
    place = start.copy()
    for k in range(len(slots)):
        grouped[place[slots[k]]] = pixels[k]
        place[slots[k]] += 1
    return Outlines(start, grouped)


@compiled
def _dictionary(ids: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Return an open-addressing hash table from an id to its position; key 0 is a free place."""
    size = 16
    while size < 2 * len(ids):
        size *= 2
    keys, values = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    for position in range(len(ids)):
        place = _place(ids[position], size)
        while keys[place] != 0:
            place = (place + 1) & (size - 1)
        keys[place], values[place] = ids[position], position
    return keys, values


@compiled
def _find(keys: NDArray[np.uint64], values: NDArray[np.int32], label: np.uint64) -> int:
    """Return the position of an id, or -1."""
    place = _place(label, len(keys))
    while keys[place] != label and keys[place] != 0:
        place = (place + 1) & (len(keys) - 1)
    return int(values[place])


@compiled
def _place(label: np.uint64, size: int) -> np.int64:
    """Return where to look first: the highest bits of a product spread ids at any step."""
    spread = (label * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    return np.int64((spread * np.uint64(size)) >> np.uint64(32))
