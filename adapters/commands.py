"""`bench algorithms`: list, install, check and show segmenters."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cyclopts import App
from rich.table import Table
from rich.text import Text

from adapters import console
from adapters.adapter import Adapter
from adapters.environments import describe, ensure
from adapters.errors import AdapterError, BuildError
from adapters.registry import find, folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

app = App(name="algorithms", help="List, install, check and show segmenters.")


@app.command(name="list")
def list_(*, json: bool = False) -> None:
    """List the segmenters that have a name here.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    """
    rows = [_row(name, folder) for name, folder in folders().items()]
    if json:
        console.print_json(rows)
        return
    table = Table(box=None)
    for column in ("name", "title", "model", "track", "targets", "environment"):
        table.add_column(column, no_wrap=column in {"name", "model", "track"})
    for row in rows:
        facts = (row["name"], row["title"])
        rest = (", ".join(row["targets"]), row["environment"] or "broken")
        for model, track in row["models"].items() or [("", "")]:
            star = " *" if model == row["default_model"] and len(row["models"]) > 1 else ""
            table.add_row(*map(Text, (*facts, model + star, track, *rest)))
            facts, rest = ("", ""), ("", "")
    console.out.print(table)
    console.out.print("* the model a run takes when none is named")
    for row in rows:
        if row["error"]:
            console.err.print(f"{row['name']}: {row['error']}", soft_wrap=True)


@app.command
def install(*names: str, json: bool = False) -> None:
    """Build the environments of segmenters, so that a run need not; those built are left alone.

    Parameters
    ----------
    names
        Names or folders; none: all that have a name here.
    json
        Print JSON instead of a table.
    """
    rows: list[dict[str, Any]] = []
    for name in names or folders():
        row: dict[str, Any] = {"name": name, "python": None, "folder": None, "error": None}
        try:
            adapter, _ = find(name)
            with _telling() as tell:
                environment = ensure(adapter, tell)
        except (AdapterError, BuildError) as error:
            row["error"] = str(error)
        else:
            row["python"] = environment.version
            row["folder"] = None if environment.folder is None else str(environment.folder)
        rows.append(row)
    if json:
        console.print_json(rows)
    else:
        table = Table("name", "python", "environment", box=None)
        for row in rows:
            place = row["error"] or row["folder"] or "none needed"
            table.add_row(*(Text(cell) for cell in (row["name"], row["python"] or "-", place)))
        console.out.print(table)
    sys.exit(1 if any(row["error"] for row in rows) else 0)


@app.command
def check(name: str, *, device: str = "cpu", json: bool = False) -> None:
    """Put a segmenter through the conformance cases. Exit code: 0 all passed, 1 not.

    Parameters
    ----------
    name
        A name, `name:model`, or the folder of your own adapter.
    device
        Where it runs: cpu, cuda, mps.
    json
        Print JSON instead of a table.
    """
    # NumPy and tifffile are slow to import; the other commands do without them.
    from adapters import conformance  # noqa: PLC0415

    adapter, model = find(name)
    with _telling() as tell:
        environment = ensure(adapter, tell)
        tell(f"{adapter.name}:{model.name}: at work")
        cases = conformance.check(adapter, model, environment, device=device)
    passed = all(case.passed for case in cases)
    if json:
        rows = [asdict(case) for case in cases]
        console.print_json(
            {"algorithm": adapter.name, "model": model.name, "passed": passed, "cases": rows}
        )
    else:
        table = Table("case", "verdict", "why", box=None)
        for case in cases:
            verdict = Text("pass", "green") if case.passed else Text("fail", "red")
            table.add_row(Text(case.name), verdict, Text(case.why))
        console.out.print(table)
        count = sum(case.passed for case in cases)
        console.out.print(f"{adapter.name}:{model.name}: {count} of {len(cases)} passed")
    sys.exit(0 if passed else 1)


@app.command
def show(name: str, *, json: bool = False) -> None:
    """Show a segmenter: licences, citation, models and parameters.

    Parameters
    ----------
    name
        A name, or the folder of your own adapter.
    json
        Print JSON instead of text.
    """
    adapter, _ = find(name)
    described = adapter.model_dump(mode="json")
    described["environment"]["state"] = _environment(adapter)
    if json:
        console.print_json(described)
        return
    facts = {
        "summary": adapter.summary,
        "citation": adapter.citation,
        "homepage": adapter.homepage,
        "code": adapter.licence.code,
        "weights": adapter.licence.weights,
        "targets": ", ".join(adapter.targets),
        "python": adapter.environment.python,
        "environment": described["environment"]["state"],
        "folder": str(adapter.folder),
        "training": "bench train" if adapter.training else "none",
    }
    console.out.print(Text(f"{adapter.name}: {adapter.title}", "bold"))
    for key, fact in facts.items():
        console.out.print(f"  {key:<12} {fact or '-'}")
    models = Table("model", "track", "licence", "summary", box=None)
    for key, model in adapter.models.items():
        licence = model.licence or adapter.licence.weights
        models.add_row(*map(Text, (key, model.track, licence, model.summary)))
    console.out.print(models)
    if adapter.parameters:
        parameters = Table("parameter", "type", "default", "summary", box=None)
        for key, parameter in adapter.parameters.items():
            default = "its own choice" if parameter.default is None else str(parameter.default)
            parameters.add_row(*map(Text, (key, parameter.type, default, parameter.summary)))
        console.out.print(parameters)


def _row(name: str, folder: Path) -> dict[str, Any]:
    """Describe a segmenter in one row; a broken one says so and hides no other."""
    row: dict[str, Any] = {"name": name, "title": "", "models": {}, "default_model": None}
    row |= {"targets": [], "environment": None, "error": None}
    try:
        adapter = Adapter.load(folder)
    except AdapterError as error:
        return row | {"error": str(error)}
    return row | {
        "title": adapter.title,
        "models": {key: model.track for key, model in adapter.models.items()},
        "default_model": adapter.model().name,
        "targets": list(adapter.targets),
        "environment": _environment(adapter),
    }


def _environment(adapter: Adapter) -> str:
    try:
        environment = describe(adapter)
    except (AdapterError, BuildError) as error:
        return error.what
    if environment.folder is None:
        return "none needed"
    return "built" if environment.built else "not built"


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a line on stderr: one that changes, or line after line."""
    if not console.err.is_terminal:
        yield lambda line: console.err.print(line, soft_wrap=True)
        return
    with console.err.status("") as status:
        yield lambda line: status.update(Text(line))
