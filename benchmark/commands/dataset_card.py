"""`bench dataset card`: the data card of a data set, with the figures of its audit."""

from __future__ import annotations

import json as json_module
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import Annotated, Any

from cyclopts import Parameter

from adapters import console
from benchmark.audit.parts import RECORD
from benchmark.audit.summary import columns_of, rows_of
from benchmark.dataset import Dataset, card
from benchmark.errors import RunError


def write_card(
    dataset: str,
    *,
    audit: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write the data card of a data set, DATACARD.md, into its folder.

    Every generated data set has one; with an audit it also says what that found.

    Parameters
    ----------
    dataset
        The folder of a data set, or the name of one that is shipped, such as `builtin`.
    audit
        The folder of its audit.
    json
        Print the path as JSON.
    """
    opened = Dataset.open(dataset)
    figures = [] if audit is None else _figures(audit, opened.digest)
    path = card.write(opened.path, opened.manifest, opened.samples, figures)
    if json:
        console.print_json({"card": str(path), "figures": len(figures)})
    else:
        console.out.print(str(path))


def _figures(audit: Path, digest: str) -> list[tuple[str, str]]:
    """Return what an audit found, which has to be one of this data set."""
    path = audit / RECORD
    try:
        record: dict[str, Any] = json_module.loads(path.read_text(encoding="utf-8"))
        audited = record["sources"]["synthetic"]["digest"]
        rows = rows_of(record)
        columns = columns_of(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"the audit cannot be read: {error!r}", where=path, mend="run the audit again"
        ) from error
    if audited != digest:
        raise RunError(
            f"this is the audit of another data set: digest {audited[:12]}, not {digest[:12]}",
            where=path,
            mend="name the folder of this data set's audit",
        )
    return [
        (f"{row.part}: {row.title}", "; ".join(f"{name} {row.text(name)}" for name in columns))
        for row in rows
    ]
