"""One self-contained HTML page about an audit: it loads nothing and trusts no name."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, UndefinedError
from markupsafe import Markup

from benchmark.audit.distances import QUANTILES
from benchmark.audit.faithfulness import BINS
from benchmark.audit.measures import CELL, IMAGE, RAW
from benchmark.audit.parts import PARTS, PICTURES, RECORD
from benchmark.audit.patches import VIEWS
from benchmark.audit.spectrum import BANDS
from benchmark.audit.summary import columns_of, rows_of
from benchmark.dataset.names import inside
from benchmark.errors import BenchError, RunError
from benchmark.files import write_bytes
from reports.audit_lines import Line, bars, lines
from reports.audit_verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TITLES = {
    "synthetic": "Synthetic",
    "baseline": "Baseline",
    "real": "Real",
    "reference": "Reference",
}
MAX_PICTURE = 100_000
"""A picture of a patch has some kilobytes; a larger file is none; bytes."""
_PART = attrgetter("part")


@dataclass(frozen=True)
class Strip:
    """The most telling patches of one comparison, as data URIs."""

    column: str
    view: str
    made: Sequence[str]
    real: Sequence[str]


def write_page(audit: Path) -> Path:
    """Write `audit.html` into the folder of an audit.

    The same audit gives the same bytes.

    Parameters
    ----------
    audit
        A folder that `bench dataset audit` wrote.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        If the folder holds no finished audit, or a file of it is damaged.
    """
    record = read_record(audit)
    try:
        page = render(record, _strips(record, audit))
    except (LookupError, TypeError, ValueError, AttributeError, UndefinedError) as error:
        raise RunError(
            f"the audit is not as it was written: {error!r}",
            where=audit / RECORD,
            mend="run the audit again",
        ) from error
    path = audit / "audit.html"
    write_bytes(path, page.encode())
    return path


def read_record(audit: Path) -> dict[str, Any]:
    """Read `audit.json`.

    Raises
    ------
    RunError
        If there is none, or the audit was not finished.
    """
    path = audit / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(
            f"there is no audit here: {error}", where=path, mend="name the folder of an audit"
        ) from error
    if not isinstance(record, dict) or not record.get("finished"):
        raise RunError(
            "the audit was not finished",
            where=path,
            mend="give the command of the audit again; it goes on where it stopped",
        )
    return record


def render(record: Mapping[str, Any], strips: Sequence[Strip]) -> str:
    """Return the page about an audit."""
    columns = columns_of(record)
    parts = record["parts"]
    page: str = _template().render(
        record=record,
        columns=columns,
        titles=TITLES,
        groups=[(part, list(rows)) for part, rows in groupby(rows_of(record), _PART)],
        parts=parts,
        missing=[part for part in PARTS if part not in parts],
        verdicts=verdicts(record),
        strips=strips,
        cell=CELL,
        image=tuple(f"image:{name}" for name in IMAGE),
        raw=RAW,
        views=VIEWS,
        quantiles=list(QUANTILES),
        bands=BANDS,
        edges={kind: _histogram(parts, columns, kind) for kind in ("isolated", "touching")},
        power=_power(parts, columns),
        style=Markup(_asset("report.css") + _asset("audit.css")),  # noqa: S704 - own files
    )
    return page


def _histogram(parts: Mapping[str, Any], columns: Sequence[str], kind: str) -> Markup | None:
    """Draw how far edges lie from labels, each column as a line of shares."""
    found = parts.get("faithfulness", {}).get("columns", {})
    drawn = []
    for name in columns:
        counts = found.get(name, {}).get(kind, {}).get("histogram")
        if counts:
            total = sum(counts)
            middles = [float(a + b) / 2 for a, b in pairwise(BINS)]
            drawn.append(Line(name, middles, [count / total for count in counts]))
    return lines(drawn, "distance of the edge from the label's boundary, px") if drawn else None


def _power(parts: Mapping[str, Any], columns: Sequence[str]) -> Markup | None:
    """Draw the power spectrum over that of the reference in each band."""
    found = parts.get("statistics", {}).get("columns", {})
    ratios = {name: found[name]["power_ratio"] for name in columns if name in found}
    return bars(ratios, BANDS) if ratios else None


def _strips(record: Mapping[str, Any], audit: Path) -> list[Strip]:
    """Read the pictures of patches; those that are not there are passed over."""
    result = record["parts"].get("classifier", {})
    known = set(map(str, result.get("pictures", ())))
    found = []
    for column in columns_of(record):
        for view in VIEWS:
            strips = {
                kind: [
                    uri
                    for number in range(len(known))
                    if (name := f"{column}-{view}-{kind}-{number}.png") in known
                    and (uri := _picture(audit, name))
                ]
                for kind in ("made", "real")
            }
            if strips["made"] or strips["real"]:
                found.append(Strip(column, view, strips["made"], strips["real"]))
    return found


def _picture(audit: Path, name: str) -> str | None:
    try:
        path = inside(audit, f"{PICTURES}/{name}")
        if path.stat().st_size > MAX_PICTURE:
            return None
        content = path.read_bytes()
    except (BenchError, OSError):
        return None
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


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
    environment.filters["measure"] = _measure
    return environment.get_template("audit.html.j2")


def _figure(value: float | None, digits: int = 3) -> str:
    """Return a number with so many decimals, a dash where there is none."""
    return "\N{EN DASH}" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def _measure(value: float | None) -> str:
    """Return a number of any size with four digits, a dash where there is none."""
    if value is None or math.isnan(value):
        return "\N{EN DASH}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _asset(name: str) -> str:
    return files("reports").joinpath("templates", name).read_text(encoding="utf-8")
