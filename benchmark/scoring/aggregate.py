"""From scores of images to figures of a data set.

Two ways, and on images of mixed sizes they differ by points: the mean over images, in which every
image counts the same and which is the headline, and pooling, in which every object counts the same.
An image without any object, true or predicted, has no figure. The mean leaves it out and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.scoring.figures import Rates, rates_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class ImageMean:
    """A mean over images.

    Parameters
    ----------
    value
        The mean over images that have a figure; NaN where none has.
    n
        Number of those images.
    n_undefined
        Number of images left out because their figure is NaN.
    """

    value: float
    n: int
    n_undefined: int


def image_mean(values: ArrayLike) -> ImageMean:
    """Average a figure over images, leaving out and counting those where it is NaN.

    Parameters
    ----------
    values
        One figure per image, shape ``(n_images,)``.

    Examples
    --------
    >>> image_mean([1.0, 0.5, float("nan")])
    ImageMean(value=0.75, n=2, n_undefined=1)
    """
    every = np.asarray(values, np.float64)
    defined = every[~np.isnan(every)]
    value = float(defined.mean()) if defined.size else float("nan")
    return ImageMean(value, defined.size, every.size - defined.size)


def pool_counts(tp: ArrayLike, fp: ArrayLike, fn: ArrayLike) -> Rates:
    """Add up counts over images and compute the rates of the sums.

    Parameters
    ----------
    tp, fp, fn
        Counts of shape ``(n_images, ...)``, the first axis being that of the images.

    Examples
    --------
    One match in an image of one object, none in an image of nine: the mean of AP is 0.5.

    >>> pool_counts([1, 0], [0, 0], [0, 9]).ap.item()
    0.1
    """
    return rates_of(*(np.asarray(count, np.int64).sum(axis=0) for count in (tp, fp, fn)))


def pool_figure(values: ArrayLike, weights: ArrayLike) -> float:
    """Pool a figure that is a sum over objects divided by a number of objects.

    Mean matched IoU is pooled with the number of matches as weight, PQ with the number of true and
    predicted objects. An image of weight 0 has no say, whatever its figure.

    Parameters
    ----------
    values, weights
        Figure and number of objects per image, shape ``(n_images,)``.

    Examples
    --------
    >>> pool_figure([0.9, 0.5, float("nan")], [3, 1, 0])
    0.8
    """
    figure, weight = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    counted = weight > 0
    if not counted.any():
        return float("nan")
    return float(np.average(figure[counted], weights=weight[counted]))


def pool_table(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Pool a run's table of scores over its images.

    Parameters
    ----------
    scores
        One row per image and threshold, with columns ``threshold``, ``tp``, ``fp``, ``fn`` and
        those named in `by`.
    by
        Columns that tell one algorithm from another.

    Returns
    -------
    pandas.DataFrame
        One row per group and threshold, sorted by both: `by`, ``threshold``, ``tp``, ``fp``,
        ``fn``, ``ap``, ``f1``, ``precision``, ``recall``.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame(
    ...     {"algorithm": "a", "threshold": [0.5, 0.5], "tp": [1, 0], "fp": 0, "fn": [0, 9]}
    ... )
    >>> pool_table(scores, by=["algorithm"])["ap"].tolist()
    [0.1]
    """
    keys = [*by, "threshold"]
    table = scores.groupby(keys, as_index=False, sort=True)[["tp", "fp", "fn"]].sum()
    counts: list[NDArray[Any]] = [table[name].to_numpy(np.int64) for name in ("tp", "fp", "fn")]
    rates = rates_of(*counts)
    return table.assign(ap=rates.ap, f1=rates.f1, precision=rates.precision, recall=rates.recall)
