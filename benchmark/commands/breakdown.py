"""`bench breakdown`: where each algorithm goes wrong."""

from __future__ import annotations

import json as jsons
from pathlib import Path  # noqa: TC003 - cyclopts reads the signature
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.table import Table

from adapters import console
from benchmark.commands.score import print_rows, require_one
from benchmark.dataset import open_any
from benchmark.errors import BenchError, RunError
from benchmark.scoring import SCORER_VERSION
from benchmark.scoring.breakdown import by_covariate, by_factor, with_truth

if TYPE_CHECKING:
    from benchmark.dataset import Dataset


def breakdown(
    run: Path,
    *,
    by: str | None = None,
    objects: str | None = None,
    side: Literal["true", "pred"] = "true",
    bins: str | None = None,
    csv: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Show the figures of a finished run by a factor of its images or a property of its objects.

    Give one of --by and --objects. By a factor there are means over images and, with the prefix
    pooled_, figures of all objects together. By a property there are the shares of objects that
    were matched, missed, split, merged or lost in a catastrophe.

    Parameters
    ----------
    run
        The folder of a finished run.
    by
        A factor of the images, such as snr, blur or density: any column of the data set's samples.
    objects
        A property of the objects, such as area, snr, gap or hidden: any column of the data set's
        objects.
    side
        Whose objects: the true ones, or the predicted ones, of which only the area is known.
    bins
        Number of bins, or their edges separated by commas: 0,2,4,8.
    csv
        Print comma-separated values instead of a table.
    json
        Print JSON instead of a table.
    """
    require_one(json=json, csv=csv)
    if (by is None) == (objects is None):
        raise BenchError(
            "a breakdown is by a factor or by a property of objects",
            mend="give one of --by and --objects, for example --by snr",
        )
    dataset, target = _dataset_of(run)
    if by is not None:
        table = by_factor(
            _table(run, "results"), _table(run, "scores"), dataset.samples, by, bins=_bins(bins)
        )
    else:
        rows = with_truth(_table(run, "objects"), dataset.objects, target)
        table = by_covariate(rows, str(objects), side=side, bins=_bins(bins))
    if json:
        console.print_json(_plain(table))
    elif csv:
        print_rows(_plain(table))
    else:
        _print(table, str(by or objects))


def _dataset_of(run: Path) -> tuple[Dataset, str]:
    """Open the data set of a run, and see that it and the scorer are still the same."""
    path = run / "run.json"
    try:
        whole = jsons.loads(path.read_text(encoding="utf-8"))
        described, scorer = whole["dataset"], whole["scorer"]
        place, digest, target = described["path"], described["digest"], described["target"]
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(
            "this is no folder of a run", where=path, mend="name the folder that `bench run` wrote"
        ) from None
    if scorer != SCORER_VERSION:
        raise RunError(
            f"the run was scored by version {scorer} of the scorer, and this is {SCORER_VERSION}",
            where=path,
            mend="run the same `bench run` again: it keeps the predictions and scores them anew",
        )
    dataset = open_any(place)
    if dataset.digest != digest:
        raise RunError(
            "the data set has changed since this run",
            where=place,
            mend="run again: what was predicted on equal images is kept",
        )
    return dataset, str(target)


def _table(run: Path, name: str) -> pd.DataFrame:
    path = run / f"{name}.parquet"
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError):
        raise RunError(
            "the table is missing or cannot be read",
            where=path,
            mend="run the same `bench run` again: it writes its tables anew",
        ) from None


def _bins(text: str | None) -> int | list[float] | None:
    """Read a number of bins, or their edges."""
    if text is None:
        return None
    try:
        return int(text) if "," not in text else [float(edge) for edge in text.split(",")]
    except ValueError:
        raise BenchError(
            f"{text!r} is neither a number of bins nor their edges",
            where="--bins",
            mend="for example --bins 5 or --bins 0,2,4,8",
        ) from None


# What fits a terminal; the rest is in --csv and --json.
HEADINGS = {
    "n": "n",
    "ap50": "AP50",
    "mean_ap": "mAP",
    "f1_50": "F1",
    "pq": "PQ",
    "pooled_ap50": "pooled AP50",
    "pooled_mean_ap": "pooled mAP",
    "matched": "match",
    "missed": "miss",
    "spurious": "spur.",
    "split": "split",
    "merged": "merge",
    "catastrophe": "cata.",
    "iou": "IoU",
    "boundary_bias": "bias",
}


def _print(table: pd.DataFrame, by: str) -> None:
    """Print a block an algorithm, its bins from low to high."""
    shown = [name for name in HEADINGS if name in table.columns]
    printed = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    printed.add_column(by, no_wrap=True)
    for name in shown:
        printed.add_column(HEADINGS[name], justify="right", no_wrap=True)
    for (algorithm, model), rows in table.groupby(["algorithm", "model"], sort=False):
        printed.add_section()
        printed.add_row(str(algorithm) if model == "default" else f"{algorithm}:{model}")
        for row in rows.to_dict("records"):
            printed.add_row(f" {row['bin']}", *(_cell(row[name]) for name in shown))
    console.out.print(printed)


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows with None in the place of NaN."""
    rows = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if pd.isna(value) else f"{value:.2f}"
    return str(value)
