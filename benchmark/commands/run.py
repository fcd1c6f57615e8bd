"""`bench run`: from names of segmenters to a leaderboard."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.box import SIMPLE_HEAD
from rich.table import Table

from adapters import console
from adapters.worker import Limits
from benchmark.dataset import open_any
from benchmark.errors import BenchError, RunError
from benchmark.files import write_bytes
from benchmark.leaderboard import leaderboard, to_csv, to_json
from benchmark.run import (
    execute,
    make_plan,
    results_table,
    run_folder,
    scores_table,
    write_objects,
    write_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.run import Outcome, Plan

POSITIVE = Number(gt=0)
DEFAULT_ALGORITHMS = "cellpose,u2net,otsu-watershed,oracle,empty,random"


def run(
    dataset: str = "builtin",
    *,
    algorithms: Annotated[str, Parameter(alias="-a")] = DEFAULT_ALGORITHMS,
    split: str | None = None,
    target: str | None = None,
    binary: Annotated[bool, Parameter(negative="")] = False,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
    out: Path | None = None,
    device: str = "cpu",
    timeout: Annotated[float, Parameter(validator=POSITIVE)] = 600.0,
    memory: Annotated[int | None, Parameter(validator=POSITIVE)] = None,
    limit: Annotated[int | None, Parameter(validator=POSITIVE)] = None,
    timings: bool = True,
    report: bool = True,
    json: bool = False,
) -> None:
    """Run segmenters on a data set and print the leaderboard.

    The same command continues a run that was interrupted. Exit code: 0 all samples of all
    algorithms ok, 1 some failed or were skipped, 2 wrong usage or nothing ran.

    Parameters
    ----------
    dataset
        A data set folder, any folder of images with labels, or the name of a set that is shipped,
        see `bench dataset released`; `builtin` is the first of them.
    algorithms
        Names separated by commas: `cellpose`, `cellpose:cyto3`, `cellpose:./weights`, `./mine`.
    split
        Which split to segment; by default `test`, or the only one.
    target
        What to segment; by default the data set's first target. For a folder that is no data set
        yet, what its labels are of.
    binary
        The labels of a folder are masks of 0 and 255; each connected piece is an object.
    settings
        A parameter, `--set cellpose.diameter=30`; may be repeated.
    out
        The run folder; by default one under bench-runs/ named after data set, split and target.
    device
        Where the networks run: cpu, cuda, mps.
    timeout
        Seconds an image may take before its worker is killed.
    memory
        Megabytes a worker may take before it is killed; by default no limit.
    limit
        Take only the first so many samples.
    timings
        Write seconds and memory; without them the tables depend on the labels alone, to the byte.
    report
        Write the HTML report.
    json
        Print the leaderboard as JSON instead of a table.
    """
    with console.counting(f"importing {dataset}") as tell:
        opened = open_any(dataset, target=target, binary=binary, progress=tell)
    plan = make_plan(
        opened,
        [name for part in algorithms.split(",") if (name := part.strip())],
        split=split,
        target=target,
        device=device,
        limit=limit,
        settings=_settings(settings),
    )
    folder = out or Path("bench-runs") / (
        f"{opened.name}-{opened.version}-{plan.split}-{plan.target}-{opened.digest[:8]}"
    )
    with run_folder(plan, folder):
        with _Display() as display:
            limits = Limits(seconds=timeout, memory_mb=memory)
            outcomes = execute(plan, folder, limits=limits, progress=display)
        board = _write_tables(plan, outcomes, folder, timings=timings)
        if json:
            console.print_json(board)
        else:
            _print_board(board)
        _report(folder, wanted=report, tell=not json)
    sys.exit(_exit_code(board["rows"]))


def _settings(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read `algorithm.parameter=value`; the adapter gives the value its type."""
    settings: dict[str, dict[str, str]] = {}
    for text in texts:
        place, equals, value = text.partition("=")
        algorithm, dot, parameter = place.rpartition(".")
        if not (equals and dot and algorithm and parameter):
            raise RunError(
                f"--set takes algorithm.parameter=value, not {text!r}",
                mend="for example --set cellpose.diameter=30",
            )
        settings.setdefault(algorithm, {})[parameter] = value
    return settings


def _write_tables(
    plan: Plan, outcomes: Sequence[Outcome], folder: Path, *, timings: bool
) -> dict[str, Any]:
    """Write the run's tables and return its leaderboard."""
    results = results_table(plan, outcomes, timings=timings)
    scores = scores_table(outcomes)
    described = {k: v for k, v in plan.describe()["dataset"].items() if k != "path"}
    described["distances_in"] = "pixel" if plan.dataset.manifest.pixel_size_um is None else "µm"
    board = leaderboard(described, results, scores)
    write_table(results, folder / "results.parquet")
    write_table(scores, folder / "scores.parquet")
    write_objects(plan, outcomes, folder / "objects.parquet")
    write_bytes(folder / "leaderboard.csv", to_csv(board["rows"]))
    write_bytes(folder / "leaderboard.json", to_json(board))
    return board


def _report(folder: Path, *, wanted: bool, tell: bool) -> None:
    """Write the page, or remove the one of an earlier run; the figures are out already."""
    page = folder / "report.html"
    if not wanted:
        page.unlink(missing_ok=True)
        return
    try:
        # By name: reports look at benchmark's results, so benchmark may not import them.
        page = importlib.import_module("reports.page").write_report(folder)
    except BenchError as error:
        console.err.print(f"the report could not be written: {error}")
    else:
        (console.out if tell else console.err).print(f"report: {page}")


def _exit_code(rows: Sequence[dict[str, Any]]) -> int:
    if all(row["status"] == "ok" for row in rows):
        return 0
    return 1 if any(row["n_ok"] for row in rows) else 2


def _print_board(board: dict[str, Any]) -> None:
    dataset = board["dataset"]
    title = (
        f"{dataset['name']} {dataset['version']}, {dataset['split']}, {dataset['target']}, "
        f"n = {dataset['n']}"
    )
    # Narrow enough for 80 columns: a track is a line of its own and cells are padded once.
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("algorithm", overflow="fold")
    for name in ("rank", "AP50", "AP75", "mAP", "F1", "IoU", "PQ", "sec", "ok"):
        table.add_column(name, justify="right", no_wrap=True)
    track = None
    for row in board["rows"]:
        if row["track"] != track:
            track = row["track"]
            table.add_row(f"{track}", style="dim")
        table.add_row(*_cells(row))
    console.out.print(table)
    for row in board["rows"]:
        if row["reason"]:
            console.out.print(f"{_name(row)}: {row['reason']}")


def _name(row: dict[str, Any]) -> str:
    only = row["model"] == "default"
    return str(row["algorithm"]) if only else f"{row['algorithm']}:{row['model']}"


def _cells(row: dict[str, Any]) -> list[str]:
    rank = row["rank"]
    figures = ("ap50", "ap75", "mean_ap", "f1_50", "mean_matched_iou", "pq")
    return [
        f" {_name(row)}",
        "" if rank is None else str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}-{rank[1]}",
        *(_figure(row[name], ".3f") for name in figures),
        _figure(row["seconds_warm"], ".3f"),
        f"{row['n_ok']}/{row['n']}" if row["status"] in {"ok", "partial"} else row["status"],
    ]


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


class _Display:
    """Progress on stderr: a bar on a terminal, a line an algorithm elsewhere."""

    def __enter__(self) -> Self:
        self._bars = console.progress()
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def start(self, name: str, total: int, done: int) -> None:
        self._task = self._bars.add_task(name, total=total, completed=done)
        if not console.err.is_terminal:
            console.err.print(
                f"{name}: {total} samples" + (f", {done} of them done before" if done else "")
            )

    def say(self, text: str) -> None:
        console.err.print(text)

    def advance(self) -> None:
        self._bars.advance(self._task)
