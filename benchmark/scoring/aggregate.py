"""From scores of images to figures of a data set.

Two ways, and on images of mixed sizes they differ by points: the mean over images, in which every
image counts the same and which is the headline, and pooling, in which every object counts the same.
An image without any object, true or predicted, has no figure. The mean leaves it out and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.scoring.figures import Rates, rates_of
from benchmark.scoring.metrics import COUNTS, LISTS, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

RATES = ("ap", "f1", "precision", "recall")

POOLED_BY: dict[str, Callable[[pd.DataFrame], pd.Series[Any]]] = {
    **dict.fromkeys(("mean_true_iou", "seg"), lambda images: images["n_true"]),
    **dict.fromkeys(("pq", "rq"), lambda images: images["n_true"] + images["n_pred"]),
    "sq": lambda images: images["rq"] * (images["n_true"] + images["n_pred"]),
    **dict.fromkeys(
        ("mean_matched_iou", "boundary_mean", "hausdorff_95", "boundary_f1", "boundary_bias"),
        lambda images: images["true_matched"],
    ),
}
"""The number of objects that each figure of an image is a mean over, up to a factor.

What is not here, DET and the aggregated Jaccard indices, is no mean over objects and is not pooled.
"""


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


def pool_images(images: pd.DataFrame) -> dict[str, float]:
    """Pool the figures that are means over objects, see `POOLED_BY`.

    Parameters
    ----------
    images
        One row per image, with those figures, ``n_true``, ``n_pred`` and ``true_matched``.
    """
    return {name: pool_figure(images[name], weight(images)) for name, weight in POOLED_BY.items()}


def pool_run(scores: pd.DataFrame, images: pd.DataFrame) -> dict[str, float]:
    """Pool what a run's tables hold of one algorithm.

    Parameters
    ----------
    scores
        One row per image and threshold, as for `pool_table`.
    images
        One row per image, as for `pool_images`.

    Returns
    -------
    dict
        ``ap50``, ``ap75``, ``mean_ap``, ``f1_50`` and what `pool_images` returns.
    """
    rates = pool_table(scores, by=[]).set_index("threshold")
    return {
        "ap50": float(rates["ap"][0.5]),
        "ap75": float(rates["ap"][0.75]),
        "mean_ap": float(rates["ap"].mean()),
        "f1_50": float(rates["f1"][0.5]),
        **pool_images(images),
    }


def summarise(
    scores: Sequence[Mapping[str, Any]], *, empty: float = float("nan")
) -> dict[str, Any]:
    """Put the scores of many images together, both ways.

    Parameters
    ----------
    scores
        What `Score.to_dict` returns, one an image, all at the same thresholds.
    empty
        What a pooled rate is where no image has an object: the profile's `empty`.

    Returns
    -------
    dict
        ``n`` images, ``n_empty`` of them without any object, the sums of counts and kinds, the
        ``thresholds``, and under ``mean`` and ``pooled`` the figures, those per threshold as lists.
        A pooled figure that there is no way to pool is absent, one that is not defined NaN.

    Raises
    ------
    BenchError
        There is no score, or they differ in their thresholds.

    Examples
    --------
    >>> from benchmark.scoring import score
    >>> found, missed = np.array([1, 0, 0, 0]), np.array([1, 2, 3, 0])
    >>> nothing = np.zeros(4, int)
    >>> pairs = [(found, found), (missed, nothing), (nothing, nothing)]
    >>> whole = summarise([score(*pair).to_dict(objects=False) for pair in pairs])
    >>> whole["n"], whole["n_empty"], whole["mean"]["mean_ap"], whole["pooled"]["mean_ap"]
    (3, 1, 0.5, 0.25)
    """
    import pandas as pd  # noqa: PLC0415 - half a second, which who scores one image need not wait

    if len({tuple(one["thresholds"]) for one in scores}) != 1:
        raise BenchError(
            "scores at different thresholds cannot be put together"
            if scores
            else "there is no score to put together",
            mend="score all images at the same thresholds",
        )
    images = pd.DataFrame(
        [
            {
                **{name: one[name] for name in (*NUMBERS, *COUNTS)},
                "true_matched": one["true_kinds"]["matched"],
            }
            for one in scores
        ]
    ).astype(dict.fromkeys(NUMBERS, np.float64))
    lists = {name: np.array([one[name] for one in scores], np.float64) for name in LISTS}
    rates = rates_of(
        *(lists[name].astype(np.int64).sum(axis=0) for name in ("tp", "fp", "fn")), empty=empty
    )
    mean = {name: image_mean(images[name]).value for name in NUMBERS}
    n_empty = int((images["n_true"] + images["n_pred"] == 0).sum())
    pooled = pool_images(images)
    if n_empty == len(scores):  # nothing to pool: what each image counts
        pooled = {name: mean[name] for name in pooled}
    return {
        "n": len(scores),
        "n_empty": n_empty,
        **{name: int(images[name].sum()) for name in COUNTS},
        **{
            kinds: {kind: sum(one[kinds][kind] for one in scores) for kind in scores[0][kinds]}
            for kinds in ("true_kinds", "pred_kinds")
        },
        "thresholds": list(scores[0]["thresholds"]),
        "mean": {
            **{name: [image_mean(column).value for column in lists[name].T] for name in RATES},
            **mean,
        },
        "pooled": {
            **{name: getattr(rates, name).tolist() for name in LISTS},
            "mean_ap": float(rates.ap.mean()),
            "mean_f1": float(rates.f1.mean()),
            **pooled,
        },
    }
