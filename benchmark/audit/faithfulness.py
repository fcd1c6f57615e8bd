"""Faithfulness: how far rendered edges lie from the boundaries of labels, over a set of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.audit.edges import edges

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmark.audit.edges import Edges
    from benchmark.audit.sources import Source, Sources

    Floats = NDArray[np.float64]

KINDS = ("isolated", "whole", "touching")
BINS = np.round(np.arange(-3, 3.01, 0.1), 1)
"""Limits of the bins of the histogram; px."""


def faithfulness(
    sources: Sources, limit: int | None, tell: Callable[[int, int], None]
) -> dict[str, Any]:
    """Measure the edges of every column; `tell` is given the images done and all of them."""
    total = sum(min(len(one), limit or len(one)) for one in sources.columns.values())
    done = 0
    columns = {}
    for name, source in sources.columns.items():
        found = []
        for _, image, labels in source.images(limit):
            found.append(edges(image, labels))
            done += 1
            tell(done, total)
        columns[name] = summary(found)
    return columns


def measured(source: Source, limit: int | None = None) -> dict[str, Any]:
    """Return the figures of one set of images."""
    return summary([edges(image, labels) for _, image, labels in source.images(limit)])


def summary(found: list[Edges]) -> dict[str, Any]:
    """Return the figures of the edges of some images.

    Returns
    -------
    dict
        `n_images`, `n_points`, the median `width` of edges in px and, for each of `KINDS`, the
        figures of `offsets`. `whole` is `isolated` with the level of the whole object's inside in
        place of that of the same normal: what shading there is towards the edge moves it inwards.
    """
    widths = [one.width for one in found if not np.isnan(one.width)]
    considered = {
        "isolated": sum(one.n_isolated for one in found),
        "whole": sum(one.n_isolated for one in found),
        "touching": sum(one.n_touching for one in found),
    }
    return {
        "n_images": len(found),
        "n_points": sum(one.n_points for one in found),
        "width": round(float(np.median(widths)), 3) if widths else None,
        **{
            kind: offsets([getattr(one, kind) for one in found], considered[kind]) for kind in KINDS
        },
    }


def offsets(by_image: list[Floats], considered: int) -> dict[str, Any]:
    """Summarise signed distances of edges from labels.

    Parameters
    ----------
    by_image
        The distances in each image; px, positive outside the label.
    considered
        How many points there were, used or not.

    Returns
    -------
    dict
        `n` used, `considered`, `share` used; `signed`, the median; `images`, the 5 % and 95 %
        quantiles of the medians of images; `absolute` and `absolute_95`, median and 95 % of the
        distance; `spread` and `spread_95`, of the distance from the median; `histogram`, counts
        in `BINS`, the outermost including what lies beyond. None where nothing was used.

    Examples
    --------
    >>> found = offsets([np.array([-0.5, -0.4, -0.1])], 4)
    >>> found["signed"], found["spread"], found["share"]
    (-0.4, 0.1, 0.75)
    """
    every = np.concatenate(by_image) if by_image else np.zeros(0)
    base: dict[str, Any] = {"n": int(every.size), "considered": considered}
    base["share"] = round(every.size / considered, 4) if considered else None
    names = ("signed", "images", "absolute", "absolute_95", "spread", "spread_95", "histogram")
    if every.size == 0:
        return base | dict.fromkeys(names)
    median = float(np.median(every))
    about = np.abs(every - median)
    medians = [np.median(one) for one in by_image if one.size]
    counts, _ = np.histogram(np.clip(every, BINS[0], BINS[-1]), BINS)
    values = (
        median,
        [round(float(q), 4) for q in np.quantile(medians, [0.05, 0.95])],
        float(np.median(np.abs(every))),
        float(np.quantile(np.abs(every), 0.95)),
        float(np.median(about)),
        float(np.quantile(about, 0.95)),
        counts.tolist(),
    )
    rounded = [round(v, 4) if isinstance(v, float) else v for v in values]
    return base | dict(zip(names, rounded, strict=True))
