"""The tables of a finished run, made from its records: the same records, the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.files import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmark.run.execute import Outcome
    from benchmark.run.plan import Plan

RESULTS_TYPES = {
    "algorithm": "string",
    "model": "string",
    "track": "string",
    "sample": "string",
    "scene": "string",
    "split": "string",
    "status": "string",
    "message": "string",
    "seconds": "float64",
    "start_seconds": "float64",
    "peak_mb": "float64",
    "prediction": "string",
    "digest": "string",
    "n_true": "int64",
    "n_pred": "int64",
    "ap50": "float64",
    "ap75": "float64",
    "mean_ap": "float64",
    "f1_50": "float64",
    "precision_50": "float64",
    "recall_50": "float64",
    "mean_matched_iou": "float64",
    "pq": "float64",
    "sq": "float64",
    "rq": "float64",
}
SCORES_TYPES = {
    "algorithm": "string",
    "model": "string",
    "sample": "string",
    "threshold": "float64",
    "tp": "int64",
    "fp": "int64",
    "fn": "int64",
    "ap": "float64",
    "f1": "float64",
    "precision": "float64",
    "recall": "float64",
}


def results_table(plan: Plan, outcomes: Sequence[Outcome], *, timings: bool) -> pd.DataFrame:
    """Return a row per algorithm and sample: what happened, how long it took, how good it was.

    Parameters
    ----------
    plan
        The plan that was carried out.
    outcomes
        One an entry.
    timings
        Whether seconds and memory are kept; without them two runs of one plan are equal to the
        byte on any machine that computes the same labels.

    Returns
    -------
    DataFrame
        Columns and types of `RESULTS_TYPES`. `seconds` is what the algorithm itself took;
        `start_seconds`, where present, is what loading it took just before, which marks the row as
        cold. `peak_mb` is the worker's peak memory so far. Scores that are not defined are NaN.
    """
    scenes = plan.dataset.samples.set_index("id")["scene"]
    rows = []
    for outcome in outcomes:
        entry = outcome.entry
        for record in outcome.records:
            sample = record["sample"]
            rows.append(
                {
                    "algorithm": entry.adapter.name,
                    "model": entry.model.name,
                    "track": entry.model.track,
                    "sample": sample,
                    "scene": scenes[sample],
                    "split": plan.split,
                    "status": record["status"],
                    "message": record["message"],
                    "seconds": record["seconds"] if timings else None,
                    "start_seconds": record["start_seconds"] if timings else None,
                    "peak_mb": record["peak_mb"] if timings else None,
                    "prediction": f"predictions/{entry.key}/{sample}.tif"
                    if record["status"] == "ok"
                    else None,
                    "digest": record["digest"],
                    **_headline(record["score"]),
                }
            )
    return pd.DataFrame(rows, columns=list(RESULTS_TYPES)).astype(RESULTS_TYPES)


def _headline(score: dict[str, Any]) -> dict[str, Any]:
    """Pick from a score what stands in the results table."""
    at_50, at_75 = score["thresholds"].index(0.5), score["thresholds"].index(0.75)
    whole = ("n_true", "n_pred", "mean_ap", "mean_matched_iou", "pq", "sq", "rq")
    return {
        **{name: score[name] for name in whole},
        "ap50": score["ap"][at_50],
        "ap75": score["ap"][at_75],
        "f1_50": score["f1"][at_50],
        "precision_50": score["precision"][at_50],
        "recall_50": score["recall"][at_50],
    }


def scores_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return a row per algorithm, sample and IoU threshold; columns and types of `SCORES_TYPES`."""
    columns = ("tp", "fp", "fn", "ap", "f1", "precision", "recall")
    rows = [
        {
            "algorithm": outcome.entry.adapter.name,
            "model": outcome.entry.model.name,
            "sample": record["sample"],
            "threshold": threshold,
            **{name: record["score"][name][i] for name in columns},
        }
        for outcome in outcomes
        for record in outcome.records
        for i, threshold in enumerate(record["score"]["thresholds"])
    ]
    return pd.DataFrame(rows, columns=list(SCORES_TYPES)).astype(SCORES_TYPES)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, whole or not at all."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)
