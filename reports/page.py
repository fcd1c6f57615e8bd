"""One self-contained HTML page about a finished run: it loads nothing and trusts no name."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benchmark.dataset import Dataset
from benchmark.files import write_bytes
from benchmark.statistics import mean_interval
from reports.curves import N_COLOURS, Curve, draw_curves
from reports.examples import Example, examples_of, open_dataset
from reports.headline import TRACKS, headlines, rank_text
from reports.run_folder import read_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reports.run_folder import Algorithm, Row, RunFolder

# Beyond this many failed images of an algorithm the rest is only counted.
_FAILURES_SHOWN = 20


@dataclass(frozen=True)
class Failure:
    """One image that an algorithm did not segment."""

    sample: str
    status: str
    message: str


@dataclass(frozen=True)
class Entry:
    """One algorithm as the page shows it.

    `interval` is where the mean AP lies with 95 % probability; `slot` the place in the palette,
    None for what has no colour of its own.
    """

    row: Row
    algorithm: Algorithm
    slot: int | None
    interval: tuple[float, float] | None
    examples: Sequence[Example]
    failures: Sequence[Failure]
    n_failures: int


def write_report(run: Path) -> Path:
    """Write `report.html` into a run folder.

    The same run gives the same bytes, as long as its data set stays where it is. Without it the
    page has no example images, and says why.

    Parameters
    ----------
    run
        A folder that `bench run` finished.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        The folder holds no finished run, a file of it is damaged, or the disk is full.
    """
    page = run / "report.html"
    write_bytes(page, render(read_run(run)).encode())
    return page


def render(run: RunFolder) -> str:
    """Return the page about a run."""
    dataset = open_dataset(run.plan.dataset)
    entries = _entries(run, dataset if isinstance(dataset, Dataset) else None)
    script = _asset("report.js")
    tracks = [
        (title, [entry for entry in entries if entry.row.track == track])
        for track, title in TRACKS.items()
    ]
    blank = run.results.loc[run.results["n_true"] == 0, "sample"]
    page: str = _template().render(
        run=run,
        plan=run.plan,
        headlines=headlines(run.rows),
        tracks=[(title, members) for title, members in tracks if members],
        entries=entries,
        n_blank=blank.nunique(),
        curves=_curves(run, entries),
        dataset=dataset if isinstance(dataset, Dataset) else None,
        problem=dataset if isinstance(dataset, str) else None,
        style=Markup(_asset("report.css")),  # noqa: S704 - the project's own files
        script=Markup(script),  # noqa: S704
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return page


def _entries(run: RunFolder, dataset: Dataset | None) -> list[Entry]:
    """Gather what is shown of each algorithm; those with results get colours in turn."""
    entries = []
    slot = 0
    for row in run.rows:
        coloured = row.track != "control" and row.mean_ap is not None
        results = run.results_of(row)
        failed = results[results["status"] != "ok"]
        entries.append(
            Entry(
                row=row,
                algorithm=run.algorithms[row.name],
                slot=slot if coloured else None,
                interval=_interval(results) if row.mean_ap is not None else None,
                examples=examples_of(run, row, dataset) if dataset else [],
                failures=[
                    Failure(*map(str, values))
                    for values in failed[["sample", "status", "message"]]
                    .head(_FAILURES_SHOWN)
                    .itertuples(index=False)
                ],
                n_failures=len(failed),
            )
        )
        slot += coloured
    return entries


def _interval(results: Any) -> tuple[float, float] | None:
    low, high = mean_interval(results["mean_ap"].to_numpy(), results["scene"].to_numpy(str))
    return None if math.isnan(low) else (float(low), float(high))


def _curves(run: RunFolder, entries: Sequence[Entry]) -> Markup | None:
    """Draw mean AP over images at each threshold, for every algorithm that has a result."""
    curves = []
    for entry in entries:
        if entry.row.mean_ap is None:
            continue
        means = run.scores_of(entry.row).groupby("threshold")["ap"].mean()
        curves.append(
            Curve(
                name=entry.row.name,
                slot=entry.slot,
                thresholds=means.index.to_numpy(np.float64),
                ap=means.to_numpy(np.float64),
            )
        )
    return draw_curves(curves) if curves else None


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _figure
    environment.filters["rank"] = rank_text
    environment.globals["n_colours"] = N_COLOURS
    return environment.get_template("report.html.j2")


def _figure(value: float | None, digits: int = 3) -> str:
    """Return a number with so many decimals, a dash where there is none."""
    return "\N{EN DASH}" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def _asset(name: str) -> str:
    return files("reports").joinpath("templates", name).read_text(encoding="utf-8")
