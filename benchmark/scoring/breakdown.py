"""Where it goes wrong: figures by a factor of the images, errors by a property of the objects."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.errors import BenchError, nearest
from benchmark.scoring.aggregate import image_mean, pool_run
from benchmark.scoring.kinds import PRED_KINDS, TRUE_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FEW = 8
"""Up to so many different values a factor is taken value by value."""


def by_factor(
    results: pd.DataFrame,
    scores: pd.DataFrame,
    samples: pd.DataFrame,
    factor: str,
    *,
    bins: int | Sequence[float] | None = None,
) -> pd.DataFrame:
    """Compute the figures of each algorithm by a factor of the images.

    Parameters
    ----------
    results, scores
        The tables of `benchmark.run.results`.
    samples
        The samples of the data set, a row each, with ``id`` and the factor.
    factor
        A column of `samples`: the recipe's, such as ``snr``, or any other.
    bins
        Number of bins of equally many images, or their edges; by default five, or each value of a
        factor that is no number or has at most eight values.

    Returns
    -------
    pandas.DataFrame
        A row per algorithm, model and bin: the bin (see `binned`), ``n`` images, ``n_empty`` of
        them without any object, mean over images of ``ap50``, ``ap75``, ``mean_ap``, ``f1_50`` and
        ``pq``, and the same pooled with the prefix ``pooled_``. Images without the factor are left
        out.

    Raises
    ------
    BenchError
        There is no such column, the bins are none, or nothing is in them.
    """
    _require(factor, samples.columns, "factor of this data set")
    values = results["sample"].map(samples.set_index("id", drop=False)[factor]).rename(factor)
    table = _in_bins(results, values, bins)
    rows = []
    for (algorithm, model, name, low, high), images in table.groupby(
        ["algorithm", "model", "bin", "low", "high"], sort=False, dropna=False
    ):
        of = scores[
            (scores["algorithm"] == algorithm)
            & (scores["model"] == model)
            & scores["sample"].isin(images["sample"])
        ]
        pooled = pool_run(of, images)
        rows.append(
            {
                "algorithm": algorithm,
                "model": model,
                "bin": name,
                "low": low,
                "high": high,
                "n": len(images),
                "n_empty": int((images["n_true"] + images["n_pred"] == 0).sum()),
                **{figure: image_mean(images[figure]).value for figure in MEANS},
                **{f"pooled_{figure}": pooled[figure] for figure in MEANS},
            }
        )
    return _sorted(pd.DataFrame(rows))


MEANS = ("ap50", "ap75", "mean_ap", "f1_50", "pq")


def by_covariate(
    objects: pd.DataFrame,
    covariate: str,
    *,
    side: str = "true",
    bins: int | Sequence[float] | None = None,
) -> pd.DataFrame:
    """Compute what became of objects by one of their properties.

    Parameters
    ----------
    objects
        A row per algorithm and object, as `benchmark.run.results.write_objects` writes it, with the
        covariate as a column: see `with_truth`.
    covariate
        A column, such as ``area``, ``snr``, ``gap`` or ``hidden``.
    side
        "true" for the true objects, "pred" for the predicted ones, of which only ``area`` is known.
    bins
        As for `by_factor`, of equally many objects.

    Returns
    -------
    pandas.DataFrame
        A row per algorithm, model and bin: the bin, ``n`` objects, the share of each kind, which
        add up to 1, and of those matched the mean ``iou``, ``boundary_mean`` and ``boundary_bias``.
        Objects without the covariate are left out.

    Raises
    ------
    BenchError
        There is no such column, the bins are none, or nothing is in them.
    """
    _require(covariate, objects.columns, "property of these objects")
    rows = objects[objects["side"] == side]
    rows = _in_bins(rows, rows[covariate], bins)
    shares = {kind: rows["kind"] == kind for kind in (TRUE_KINDS if side == "true" else PRED_KINDS)}
    matched = rows["kind"] == "matched"
    table = rows.assign(**shares, iou=rows["iou"].where(matched), n=1)
    keys = ["algorithm", "model", "bin", "low", "high"]
    return _sorted(
        table.groupby(keys, sort=False, dropna=False, as_index=False).agg(
            {
                "n": "sum",
                **dict.fromkeys(shares, "mean"),
                **dict.fromkeys(("iou", "boundary_mean", "boundary_bias"), "mean"),
            }
        )
    )


def with_truth(objects: pd.DataFrame, truth: pd.DataFrame, target: str) -> pd.DataFrame:
    """Join what the data set knows of its objects to the rows of a run.

    Parameters
    ----------
    objects
        As `benchmark.run.results.write_objects` writes it.
    truth
        The objects of the data set, a row each, with ``sample``, ``target`` and ``label``.
    target
        What was segmented.
    """
    known = truth[truth["target"] == target].drop(columns=["target", "area"])
    known = known.assign(label=known["label"].astype("uint64"), side="true")
    return objects.merge(known, on=["sample", "label", "side"], how="left", validate="many_to_one")


def binned(values: pd.Series[Any], bins: int | Sequence[float] | None) -> dict[str, pd.Series[Any]]:
    """Return the bin of each value: its name, and its lower and upper edge.

    A bin holds its lower edge, and the last one its upper edge too. Values outside given edges
    belong to none. What is no number is its own bin, without edges.

    Examples
    --------
    >>> binned(pd.Series([1.0, 2.5, 4.0, 9.0]), [0, 2, 4])["bin"].tolist()
    ['0 to 2', '2 to 4', '2 to 4', nan]
    >>> binned(pd.Series(["dim", "bright"]), None)["bin"].tolist()
    ['dim', 'bright']
    """
    if not values.map(pd.api.types.is_hashable).all():
        raise BenchError(
            f"{values.name} holds a list an object and has no bins",
            mend="name a property that is a number or a word",
        )
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    few = values.nunique() <= FEW
    if bins is None and (few or not numeric):
        edge = values.astype("float64") if numeric else pd.Series(np.nan, values.index)
        names = values.map(lambda value: format(value, "g") if numeric else str(value))
        return {"bin": names.where(values.notna()), "low": edge, "high": edge}
    if not numeric:
        raise BenchError(
            f"{values.name} is no number and cannot be put in bins", mend="leave the bins out"
        )
    edges = _edges(values.dropna().to_numpy(np.float64), 5 if bins is None else bins)
    closed = [*edges[:-1], np.nextafter(edges[-1], np.inf)]
    place = pd.cut(values, closed, right=False, labels=False)
    spans = [f"{low:.3g} to {high:.3g}" for low, high in itertools.pairwise(edges)]
    return {
        "bin": place.map(dict(enumerate(spans))),
        "low": place.map(dict(enumerate(edges[:-1].tolist()))),
        "high": place.map(dict(enumerate(edges[1:].tolist()))),
    }


def _in_bins(
    rows: pd.DataFrame, values: pd.Series[Any], bins: int | Sequence[float] | None
) -> pd.DataFrame:
    """Return the rows whose value is in a bin, with that bin, or say that there is none."""
    if not values.notna().any():
        raise BenchError(
            f"{values.name} is not known of any of these",
            mend="name another; what the data set knows of objects is of the true ones",
        )
    table = rows.assign(**binned(values, bins)).dropna(subset=["bin"])
    if table.empty:
        raise BenchError(
            f"no {values.name} is in these bins: all are from {values.min():.3g} to "
            f"{values.max():.3g}",
            mend="give edges around those, or a number of bins",
        )
    return table


def _edges(values: NDArray[np.float64], bins: int | Sequence[float]) -> NDArray[np.float64]:
    """Return ascending edges: those given, or quantiles."""
    if isinstance(bins, int):
        shares = np.linspace(0, 1, max(bins, 0) + 1)
        edges = np.unique(np.quantile(values, shares)) if values.size else np.empty(0)
    else:
        edges = np.unique(np.asarray(bins, np.float64))
    if len(edges) < 2 or not np.isfinite(edges).all():
        raise BenchError(
            f"{bins} makes no bins of these values",
            mend="give a number of bins, or two edges or more",
        )
    return edges


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows by algorithm, then from low to high."""
    return table.sort_values(["algorithm", "model", "low", "bin"], kind="stable", ignore_index=True)


def _require(name: str, columns: pd.Index[Any], what: str) -> None:
    if name not in columns:
        raise BenchError(f"there is no {what} called {name!r}", mend=nearest(name, columns))
