"""From the tables of a run to the rows of a leaderboard.

The headline is the mean over images; the same measures pooled over all objects stand beside it.
An image on which truth and prediction are both empty has no score: it is left out of the means and
counted. A failed image counts as no detection. Ranks are intervals and tiers, made within a track,
since models trained on different data are no peers; controls are not ranked.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.scoring import SCORER_VERSION
from benchmark.scoring.aggregate import pool_run
from benchmark.scoring.kinds import PRED_KINDS, TRUE_KINDS
from benchmark.scoring.metrics import NUMBERS
from benchmark.statistics import tiers

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

TRACKS = ("same-data", "as-published", "own", "classical", "control")
MEANS = (
    "ap50",
    "ap75",
    "mean_ap",
    "f1_50",
    "precision_50",
    "recall_50",
    *(name for name in NUMBERS if name != "mean_ap"),
)
Row = dict[str, Any]


def leaderboard(
    dataset: dict[str, Any], results: pd.DataFrame, scores: pd.DataFrame
) -> dict[str, Any]:
    """Make a leaderboard.

    Parameters
    ----------
    dataset
        Name, version, digest, split, target and n of what was segmented.
    results, scores
        The tables of `benchmark.run.results`.

    Returns
    -------
    dict
        `{"dataset": …, "scorer": …, "rows": […]}` with plain numbers and None, best first within
        each track.
    """
    rows = [
        _row(group, scores[(scores["algorithm"] == algorithm) & (scores["model"] == model)])
        for (algorithm, model), group in results.groupby(["algorithm", "model"], sort=False)
    ]
    ranks = _ranks(results)
    for row in rows:
        row["rank"], row["tier"] = ranks.get((row["algorithm"], row["model"]), (None, None))
    rows.sort(key=_order)
    return {"dataset": dataset, "scorer": SCORER_VERSION, "rows": rows}


def _row(results: pd.DataFrame, scores: pd.DataFrame) -> Row:
    first = results.iloc[0]
    ok = results[results["status"] == "ok"]
    warm = ok[ok["start_seconds"].isna()]
    cold = ok[ok["start_seconds"].notna()]
    scored = results if len(ok) else results.iloc[:0]
    return {
        "algorithm": first["algorithm"],
        "model": first["model"],
        "track": first["track"],
        "status": _status(results),
        "reason": _reason(results),
        "n": len(results),
        "n_ok": len(ok),
        "n_empty": int(scored["mean_ap"].isna().sum()),
        **{name: _number(scored[name].mean()) for name in MEANS},
        "pooled": _pooled(scores, results) if len(ok) else None,
        "kinds": _kinds(results) if len(ok) else None,
        "seconds_warm": _number(warm["seconds"].median()),
        "seconds_cold": _number((cold["start_seconds"] + cold["seconds"]).median()),
        "peak_mb": _number(ok["peak_mb"].max()),
    }


def _status(results: pd.DataFrame) -> str:
    kinds = set(results["status"])
    if kinds == {"ok"}:
        return "ok"
    if "ok" in kinds:
        return "partial"
    return "skipped" if kinds == {"skipped"} else "failed"


def _reason(results: pd.DataFrame) -> str | None:
    """Return the first failure's own words."""
    failed = results[results["status"] != "ok"]
    if failed.empty:
        return None
    first = failed.iloc[0]
    return f"{first['status']} on {len(failed)} of {len(results)}: {first['message']}"


def _pooled(scores: pd.DataFrame, results: pd.DataFrame) -> dict[str, float | None]:
    """Return the figures of all images put together."""
    return {name: _number(value) for name, value in pool_run(scores, results).items()}


def _kinds(results: pd.DataFrame) -> dict[str, int]:
    """Return how many true and predicted objects there are of each kind."""
    names = [f"true_{kind}" for kind in TRUE_KINDS] + [f"pred_{kind}" for kind in PRED_KINDS]
    return {name: int(results[name].sum()) for name in names}


def _ranks(results: pd.DataFrame) -> dict[tuple[Hashable, ...], tuple[list[int], int]]:
    """Return interval of the rank, and tier, by mean AP, of who has a rival in the same track."""
    ranks: dict[tuple[Hashable, ...], tuple[list[int], int]] = {}
    for track in TRACKS:
        peers = results[results["track"] == track]
        names = [
            name
            for name, group in peers.groupby(["algorithm", "model"], sort=False)
            if (group["status"] == "ok").any()
        ]
        if track == "control" or len(names) < 2:
            continue
        table = peers.pivot_table(
            index="sample", columns=["algorithm", "model"], values="mean_ap", dropna=False
        )
        scenes = peers.drop_duplicates("sample").set_index("sample")["scene"]
        values = table[names].to_numpy().T
        found = tiers(values, scenes[table.index].to_numpy())
        for position, name in enumerate(names):
            interval = [int(found.rank_low[position]), int(found.rank_high[position])]
            ranks[name] = interval, int(found.tier[position])
    return ranks


def _order(row: Row) -> tuple[int, float, str, str]:
    best_first = -row["mean_ap"] if row["mean_ap"] is not None else math.inf
    return TRACKS.index(row["track"]), best_first, row["algorithm"], row["model"]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def to_json(board: dict[str, Any]) -> bytes:
    """Return the bytes of `leaderboard.json`."""
    return json.dumps(board, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def to_csv(rows: Sequence[Row]) -> bytes:
    """Return the bytes of `leaderboard.csv`: one row an algorithm, the rank as two columns."""
    flat = [
        {
            **{
                name: value
                for name, value in row.items()
                if name not in {"pooled", "kinds", "rank"}
            },
            **{f"pooled_{name}": value for name, value in (row["pooled"] or {}).items()},
            **(row["kinds"] or {}),
            "rank_low": row["rank"][0] if row["rank"] else None,
            "rank_high": row["rank"][1] if row["rank"] else None,
        }
        for row in rows
    ]
    table = pd.DataFrame(flat).astype({"rank_low": "Int64", "rank_high": "Int64"})
    return table.to_csv(index=False, lineterminator="\n").encode()
