"""`bench dataset released`: which data sets have a digest that everybody knows."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.table import Table

from adapters import console
from benchmark.dataset.released import Release, releases


def released(*, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """List the data sets that were released, and their digests.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    """
    found = releases()
    if json:
        console.print_json([release.model_dump(mode="json") for release in found])
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("data set", "splits", "made by", "digest"):
        table.add_column(name, overflow="fold")
    for release in found:
        table.add_row(
            f"{release.name} {release.version}",
            _splits(release),
            release.command,
            release.digest,
        )
    console.out.print(table)


def _splits(release: Release) -> str:
    return ", ".join(
        f"{count} {split}" + (" (shipped)" if split in release.shipped else "")
        for split, count in release.splits.items()
    )
