"""Where `bench` writes: results to stdout, progress and messages to stderr.

Stands in the lowest folder because every command of every folder writes the same way.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Names of samples and algorithms come from strangers: never read them as markup or emoji.
out = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
err = Console(stderr=True, markup=False, emoji=False, highlight=False)


def print_json(value: Any) -> None:
    """Print a value to stdout as JSON; NaN is refused, it has to be None by now."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))  # noqa: T201


def print_verbatim(text: str) -> None:
    """Print a text for programs to stdout, to the character: `out` makes spaces of tabs."""
    print(text, end="")  # noqa: T201


def progress() -> Progress:
    """Return a progress display on stderr with counts, elapsed and remaining time."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    )


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of one job; yields what to call with the parts done and all of them."""
    with progress() as bars:
        line = bars.add_task(what, total=None, visible=False)
        yield lambda done, total: bars.update(line, completed=done, total=total, visible=True)
