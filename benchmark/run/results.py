"""The tables of a finished run, made from its records: the same records, the same bytes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.files import replacing
from benchmark.run.execute import score_of
from benchmark.scoring.kinds import PRED_KINDS, TRUE_KINDS
from benchmark.scoring.metrics import COUNTS, NUMBERS
from benchmark.scoring.objects import BOUNDARY

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
    "ap50": "float64",
    "ap75": "float64",
    "f1_50": "float64",
    "precision_50": "float64",
    "recall_50": "float64",
    **dict.fromkeys(NUMBERS, "float64"),
    **dict.fromkeys(COUNTS, "int64"),
    **{f"true_{kind}": "int64" for kind in TRUE_KINDS},
    **{f"pred_{kind}": "int64" for kind in PRED_KINDS},
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
OBJECTS_TYPES = {
    "algorithm": "string",
    "model": "string",
    "sample": "string",
    "side": "string",
    "label": "uint64",
    "area": "int64",
    "kind": "string",
    "match": "uint64",
    "iou": "float64",
    "best": "uint64",
    "best_iou": "float64",
    "event": "int64",
    "pieces": "int64",
    **dict.fromkeys(BOUNDARY, "float64"),
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
                    **figures_of(record["score"]),
                }
            )
    return pd.DataFrame(rows, columns=list(RESULTS_TYPES)).astype(RESULTS_TYPES)


def figures_of(score: dict[str, Any]) -> dict[str, Any]:
    """Pick from a score, as `Score.to_dict` has it, what stands in the results table."""
    at_50, at_75 = score["thresholds"].index(0.5), score["thresholds"].index(0.75)
    return {
        **{name: score[name] for name in (*NUMBERS, *COUNTS)},
        **{f"true_{kind}": n for kind, n in score["true_kinds"].items()},
        **{f"pred_{kind}": n for kind, n in score["pred_kinds"].items()},
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


def write_objects(plan: Plan, outcomes: Sequence[Outcome], path: Path) -> None:
    """Write a row per algorithm, sample and object as Parquet, whole or not at all.

    Columns and types of `OBJECTS_TYPES`: the objects of the truth, where ``side`` is "true", and
    those of the prediction, "pred"; the rest as `benchmark.scoring.objects.object_columns` has it.
    An image that failed has only true objects, all of them missed. One algorithm is held in memory
    at a time.
    """
    with replacing(path) as temporary, ExitStack() as stack:
        writer = None
        for outcome in outcomes:
            table = pa.Table.from_pandas(_objects(plan, outcome), preserve_index=False)
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(temporary, table.schema))
            writer.write_table(table)


def _objects(plan: Plan, outcome: Outcome) -> pd.DataFrame:
    """Return the objects of all samples of one algorithm."""
    rows = []
    for record in outcome.records:
        sample = record["sample"]
        if record["status"] == "ok":
            score = outcome.journal.whole(sample)["score"]
        else:
            score = score_of(plan, sample, None).to_dict()
        for side in ("true", "pred"):
            columns = score[f"{side}_objects"]
            n = len(columns["label"])
            rows.append(pd.DataFrame({"sample": [sample] * n, "side": [side] * n, **columns}))
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    table["algorithm"] = outcome.entry.adapter.name
    table["model"] = outcome.entry.model.name
    return table.reindex(columns=list(OBJECTS_TYPES)).astype(OBJECTS_TYPES)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, whole or not at all."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)
