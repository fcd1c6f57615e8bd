"""The `bench` command: mounts each folder's sub-commands by name, so that help needs none of them.

Each folder owns its commands. They are imported only when called, which keeps `bench --help`
instant and lets this module name `generators` and `reports` without importing them.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

from cyclopts import App, CycloptsError

from adapters.errors import BenchError

app = App(
    name="bench",
    help="Which cell segmenter is best on images like yours, and did a change make it worse?",
    version=lambda: version("cellgen-bench"),
    help_format="plaintext",
)
app.command(
    "benchmark.commands.run:run",
    name="run",
    help="Run segmenters on a data set and print the leaderboard.",
)
app.command(
    "generators.commands:generate",
    name="generate",
    help="Generate a data set with exact labels from a recipe.",
)
app.command(
    "benchmark.commands.train:train",
    name="train",
    help="Train a segmenter through its own training interface.",
)
app.command(
    "benchmark.commands.dataset:app",
    name="dataset",
    help="Inspect, verify, import and export data sets.",
)
app.command(
    "adapters.commands:app", name="algorithms", help="List, install, check and show segmenters."
)
app.command(
    "reports.commands:report", name="report", help="Write the HTML report of a finished run."
)


def main() -> None:
    """Run `bench`; a `BenchError` becomes a message on stderr and exit code 2."""
    try:
        app(exit_on_error=False, print_error=True)
    except CycloptsError:
        sys.exit(2)
    except BenchError as error:
        from adapters.console import err  # noqa: PLC0415 - rich is slow to import, help needs none of it

        err.print(f"error: {error}", soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command continues where it stopped\n")
        sys.exit(130)
