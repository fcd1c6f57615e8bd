"""`bench dataset audit`: how far a generated data set can be trusted."""

from __future__ import annotations

import importlib
import json as json_module
import shlex
import sys
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.box import SIMPLE_HEAD
from rich.table import Table

from adapters import console
from benchmark.audit.classifier import Budget
from benchmark.audit.parts import PARTS, Settings
from benchmark.audit.parts import audit as run_audit
from benchmark.audit.sources import sources_of
from benchmark.audit.summary import Row, rows_of
from benchmark.audit.transfer import Trials
from benchmark.commands.train import setting
from benchmark.dataset import open_any
from benchmark.errors import BenchError, RunError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

POSITIVE = Number(gt=0)
Flag = Annotated[bool, Parameter(negative="")]
Count = Annotated[int, Parameter(validator=POSITIVE)]


def audit(
    synthetic: str,
    *,
    real: str,
    out: Path,
    baseline: str | None = None,
    parts: str = ",".join(PARTS[:-1]),
    target: str | None = None,
    channel: str | None = None,
    images: Annotated[int | None, Parameter(validator=POSITIVE)] = 100,
    stats: Path | None = None,
    stats_row: str | None = None,
    steps: Count = 300,
    algorithm: str = "u2net",
    epochs: Count = 200,
    seeds: str = "0,1,2",
    training: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
    train_images: Annotated[int | None, Parameter(validator=POSITIVE)] = None,
    device: str = "cpu",
    threads: Count = 1,
    json: Flag = False,
) -> None:
    """Audit a generated data set against real images: labels, looks, use, variety.

    The same command continues an audit that was interrupted, and measures only what is new. What
    the figures mean: docs/audit.md.

    Parameters
    ----------
    synthetic
        The data set to audit, or any folder of images with labels.
    real
        Real images with labels. Its split `train` is the reference, `val` (or `test`) is held back.
    out
        A folder for the figures and the page, audit.html.
    baseline
        Another generated set to show beside it, such as one of a parametric recipe.
    parts
        Some of faithfulness, statistics, classifier, copies, transfer; or `all`. Only `transfer`,
        which trains networks, takes more than minutes; it is left out by default.
    target
        Which labels; by default the first of the data set.
    channel
        Which channel, where there are several; by default the first.
    images
        At most so many images of each set, except in training.
    stats
        A JSON file of statistics of real images to compare with.
    stats_row
        Where in that file, such as `bbbc039.train`.
    steps
        Batches that the classifier's network learns from.
    algorithm
        What is trained: an algorithm with a training interface.
    epochs
        How long it is trained.
    seeds
        One training for each, separated by commas.
    training
        A further option of the training, `--set precision=bfloat16`; may be repeated.
    train_images
        At most so many training images; by default as many as the smallest set has.
    device
        Where it is trained: cpu, cuda, mps.
    threads
        Processor threads of a training.
    json
        Print the figures as JSON instead of a table.
    """
    known = _known(stats, stats_row)
    settings = Settings(
        parts=_parts(parts),
        images=images,
        known=known,
        known_name=None if known is None else f"{stats.name if stats else ''} {stats_row}",
        budget=Budget(steps=steps),
        trials=Trials(
            algorithm,
            epochs,
            _seeds(seeds),
            train_images,
            dict(setting(text) for text in training),
            device,
            threads,
        ),
    )
    sources = sources_of(
        open_any(synthetic, target=target),
        open_any(real, target=target),
        open_any(baseline, target=target) if baseline else None,
        target=target,
        channel=channel,
    )
    with console.counting("auditing") as count:
        record = run_audit(
            sources,
            settings,
            out,
            command=shlex.join(["bench", *sys.argv[1:]]),
            tell=lambda text: console.err.print(text, soft_wrap=True),
            count=count,
        )
    problem = record["parts"].get("classifier", {}).get("network")
    if problem:
        console.err.print(f"classifier: {problem}", soft_wrap=True)
    page = _page(out)
    if json:
        console.print_json(record)
        return
    _print(rows_of(record), list(record["sources"]))
    console.out.print(f"figures: {out / 'audit.json'}")
    if page:
        console.out.print(f"page: {page}")


def _page(out: Path) -> Path | None:
    """Write the page; the figures are kept already."""
    try:
        # By name: reports look at benchmark's results, so benchmark may not import them.
        page: Path = importlib.import_module("reports.audit").write_page(out)
    except BenchError as error:
        console.err.print(f"the page could not be written: {error}")
        return None
    return page


def _parts(text: str) -> tuple[str, ...]:
    named = [name for part in text.split(",") if (name := part.strip())]
    if named == ["all"]:
        return PARTS
    for name in named:
        if name not in PARTS:
            raise RunError(f"an audit has no part {name!r}", mend=nearest(name, PARTS))
    if not named:
        raise RunError("no part of the audit is named", mend=f"--parts {','.join(PARTS)}")
    return tuple(part for part in PARTS if part in named)


def _seeds(text: str) -> tuple[int, ...]:
    try:
        seeds = tuple(int(part) for part in text.split(","))
    except ValueError:
        seeds = ()
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise RunError(
            f"--seeds takes different whole numbers from 0, not {text!r}", mend="--seeds 0,1,2"
        )
    return seeds


def _known(path: Path | None, place: str | None) -> Mapping[str, Any] | None:
    """Read the statistics of a real set from a file: `per_cell` and `per_image`."""
    if path is None:
        return None
    try:
        found = json_module.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"the statistics cannot be read: {error.strerror}", where=path) from error
    except ValueError as error:
        raise RunError(
            f"the statistics are no JSON: {error}", where=path, mend="correct the file"
        ) from error
    for name in place.split(".") if place else ():
        if not isinstance(found, dict) or name not in found:
            known = [key for key in found if not key.startswith("_")] if found else []
            raise RunError(
                f"the statistics have no entry {place!r}", where=path, mend=nearest(name, known)
            )
        found = found[name]
    if not isinstance(found, dict) or not {"per_cell", "per_image"} <= set(found):
        raise RunError(
            "there are no per_cell and per_image here",
            where=path,
            mend="name the entry that holds them: --stats-row bbbc039.train",
        )
    return found


def _print(rows: list[Row], columns: list[str]) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold")
    shown = [name for name in columns if name != "reference"]
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    part = None
    for row in rows:
        if row.part != part:
            part = row.part
            table.add_row(part, style="dim")
        table.add_row(f" {row.title}", *(row.text(name) for name in shown))
    console.out.print(table)
