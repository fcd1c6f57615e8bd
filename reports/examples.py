"""Which images stand for an algorithm: the best, the median and the worst by mean AP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.dataset import Dataset
from benchmark.dataset.names import inside
from benchmark.errors import BenchError
from benchmark.run.predictions import read_prediction
from reports.overlays import Overlay, draw_overlay

if TYPE_CHECKING:
    import pandas as pd

    from reports.run_folder import DatasetOfRun, Row, RunFolder


@dataclass(frozen=True)
class Example:
    """One image of one algorithm.

    Parameters
    ----------
    place
        "best", "median" or "worst"; "only image" where there is one.
    sample
        The image's id.
    ap50, mean_ap
        Scores of this image.
    n_true, n_pred
        Number of objects in the whole image.
    overlay
        The drawing; None where it could not be made, for the reason in `problem`.
    """

    place: str
    sample: str
    ap50: float
    mean_ap: float
    n_true: int
    n_pred: int
    overlay: Overlay | None
    problem: str | None = None


def open_dataset(described: DatasetOfRun) -> Dataset | str:
    """Open the data set that a run read, or say why its images cannot be shown."""
    if described.path is None or not Path(described.path).is_dir():
        return "The data set is no longer where this run read it, so its images cannot be shown."
    try:
        dataset = Dataset.open(described.path)
    except BenchError as error:
        return f"The data set cannot be opened any more: {error.what}."
    if dataset.digest != described.digest:
        return "The data set has changed since this run, so its images cannot be shown."
    return dataset


def examples_of(run: RunFolder, row: Row, dataset: Dataset) -> list[Example]:
    """Return the best, the median and the worst image of an algorithm, as far as there are three.

    Failed images, and those without any object, are no examples. Of images with equal scores the
    first by id is taken as the better one.
    """
    results = run.results_of(row)
    scored = results[(results["status"] == "ok") & results["mean_ap"].notna()]
    ordered = scored.sort_values(["mean_ap", "sample"], ascending=[False, True])
    return [
        _example(run, dataset, place, ordered.iloc[position])
        for position, place in _places(len(ordered)).items()
    ]


def _places(n: int) -> dict[int, str]:
    """Name the positions among `n` images, best first; no position has two names."""
    if n < 2:
        return {0: "only image"} if n else {}
    # Of two images the median is one of the others, which come later and win.
    return dict(sorted({n // 2: "median", 0: "best", n - 1: "worst"}.items()))


def _example(run: RunFolder, dataset: Dataset, place: str, record: pd.Series[Any]) -> Example:
    sample = str(record["sample"])
    overlay, problem = None, None
    try:
        overlay = draw_overlay(
            dataset.read_image(sample),
            dataset.read_labels(sample, run.plan.dataset.target),
            read_prediction(inside(run.path, str(record["prediction"]))),
        )
    except BenchError as error:
        problem = error.what
    except (OSError, ValueError) as error:
        problem = f"the prediction cannot be read: {error}"
    return Example(
        place=place,
        sample=sample,
        ap50=float(record["ap50"]),
        mean_ap=float(record["mean_ap"]),
        n_true=int(record["n_true"]),
        n_pred=int(record["n_pred"]),
        overlay=overlay,
        problem=problem,
    )
