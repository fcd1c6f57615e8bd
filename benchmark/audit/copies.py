"""Diversity and copies: how like objects are to each other, and to real ones learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.audit.aligned import cutouts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from benchmark.audit.aligned import Cutouts
    from benchmark.audit.sources import Sources

    Floats = NDArray[np.float32]

OBJECTS = 600
"""At most so many objects of each column; all columns have equally many."""
RARE = 0.01
"""A likeness that this share of real objects exceeds counts as a twin or a copy."""
SAME = 0.98
"""Overlap (IoU) above which two shapes count as the same whatever real ones do."""
_BLOCK = 1024


def copies(sources: Sources, limit: int | None, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """Find each object's nearest neighbour, in its own set and among the reference.

    Parameters
    ----------
    sources
        What is compared; the reference is what a generator may have learned from.
    limit
        At most so many images of each column. Of the reference all are taken, since a copy may be
        of any.
    tell
        Given the sets done and all of them.

    Returns
    -------
    dict
        By column `n`, and for `shape` (overlap, IoU) and `texture` (correlation of intensity
        inside) of `twins`, in the set, and `copies`, of the reference: `median`, `p99` and `share`
        beyond what `RARE` of real objects have; for shapes also `same`, the share beyond `SAME`.
        Of the column `real` that share is `RARE`, by definition.
    """
    total = len(sources.columns) + 1
    reference = cutouts(sources.reference)
    tell(1, total)
    found = {}
    for done, (name, source) in enumerate(sources.columns.items(), start=2):
        found[name] = cutouts(source, limit)
        tell(done, total)
    count = min(OBJECTS, *(len(one) for one in found.values()))
    if count < 2 or not len(reference):
        return {"problem": "a set has fewer than two objects inside its images", "columns": {}}
    likeness = {name: _likeness(one.some(count), reference) for name, one in found.items()}
    rare = {key: float(np.quantile(v, 1 - RARE)) for key, v in likeness["real"].items()}
    columns = {
        name: {"n": count} | {key: _figures(key, v, rare[key]) for key, v in values.items()}
        for name, values in likeness.items()
    }
    return {"n_reference": len(reference), "columns": columns}


def _figures(key: str, values: Floats, rare: float) -> dict[str, float]:
    figures = {
        "median": round(float(np.median(values)), 4),
        "p99": round(float(np.quantile(values, 0.99)), 4),
        "share": round(float(np.mean(values > rare)), 4),
    }
    return figures | (
        {"same": round(float(np.mean(values > SAME)), 4)} if key.startswith("shape") else {}
    )


def _likeness(some: Cutouts, reference: Cutouts) -> dict[str, Floats]:
    """Return the likeness of each object to its nearest neighbour, by kind and by where it is."""
    return {
        "shape_twins": nearest(some.masks, some.masks, overlap=True, others=True),
        "shape_copies": nearest(some.masks, reference.masks, overlap=True),
        "texture_twins": nearest(some.textures, some.textures, overlap=False, others=True),
        "texture_copies": nearest(some.textures, reference.textures, overlap=False),
    }


def nearest(a: Floats, b: Floats, *, overlap: bool, others: bool = False) -> Floats:
    """Return for each of a the greatest likeness to one of b, (N,).

    Half turns and mirror images count as the same.

    Parameters
    ----------
    a, b
        (N, Y, X) and (M, Y, X): masks of 0 and 1, or textures of norm 1.
    overlap
        Compare masks by IoU; otherwise by their product.
    others
        Leave out the one of the same number.

    Examples
    --------
    >>> masks = np.zeros((3, 2, 4), np.float32)
    >>> masks[0, :, :2] = masks[1, :, 2:] = masks[2, 0] = 1
    >>> nearest(masks, masks, overlap=True, others=True).tolist()
    [1.0, 1.0, 0.3333333432674408]
    """
    best = np.full(len(a), -1, np.float32)
    area = a.sum(axis=(1, 2))
    for start in range(0, len(b), _BLOCK):
        block = b[start : start + _BLOCK]
        flat = block.reshape(len(block), -1).T
        for flipped in _flips(a):
            alike = flipped.reshape(len(a), -1) @ flat
            if overlap:
                union = area[:, None] + block.sum(axis=(1, 2)) - alike
                alike = alike / np.maximum(union, 1)
            if others:
                own = np.arange(start, min(start + len(block), len(a)))
                alike[own, own - start] = -1
            np.maximum(best, alike.max(axis=1), out=best)
    return best


def _flips(stack: Floats) -> Iterator[Floats]:
    for flipped in (stack, stack[:, ::-1], stack[:, :, ::-1], stack[:, ::-1, ::-1]):
        yield np.ascontiguousarray(flipped)
