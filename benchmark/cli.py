"""The `bench` command: mounts each folder's sub-commands by name, so that help needs none of them.

Each folder owns its commands. They are imported only when called, which keeps `bench --help`
instant and lets this module name `generators` and `reports` without importing them.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version
from typing import NoReturn

from cyclopts import App, CycloptsError

from adapters.errors import BenchError

app = App(
    name="bench",
    help="Which cell segmenter is best on images like yours, and did a change make it worse?",
    version=lambda: version("cellgen-bench"),
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` says how to go on
)
app.command(
    "benchmark.commands.run:run",
    name="run",
    help="Run segmenters on a data set and print the leaderboard.",
)
app.command(
    "benchmark.commands.breakdown:breakdown",
    name="breakdown",
    help="Show a finished run by a factor of its images or a property of its objects.",
)
app.command(
    "generators.commands.generate:app",
    name="generate",
    help="Generate a data set with exact labels from a recipe, or masks with a network.",
)
app.command(
    "benchmark.commands.train:app",
    name="train",
    help="Train a segmenter, or the networks that make masks.",
)
app.command(
    "benchmark.commands.dataset:app",
    name="dataset",
    help="Inspect, verify, import, export and audit data sets.",
)
app.command(
    "adapters.commands:app", name="algorithms", help="List, install, check and show segmenters."
)
app.command(
    "benchmark.commands.score:app",
    name="score",
    help="Score label files, or tables of spots, against the truth.",
)
evaluate = App(name="evaluate", help="Measure how real what generators make is.")
evaluate.command(
    "generators.commands.evaluate_shapes:shapes",
    name="shapes",
    help="Measure how real the outlines of sources, or of masks, are.",
)
app.command(evaluate)
app.command(
    "generators.commands.weights:app",
    name="weights",
    help="Convert networks of others, such as official StyleGAN pickles.",
)
app.command(
    "reports.commands:report", name="report", help="Write the HTML report of a finished run."
)


def main() -> None:
    """Run `bench`; an error that the user can mend is a message on stderr and exit code 2."""
    try:
        app(exit_on_error=False, print_error=True)
    except CycloptsError:
        sys.exit(2)
    except BenchError as error:
        _fail(f"error: {error}")
    except BrokenPipeError:  # the reader of stdout, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # no room, no right, no such place: the system's own words
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        _fail(f"error: {error.strerror}\n  where: {error.filename or 'unknown'}")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; `bench run` and `bench train` continue where they stopped\n")
        sys.exit(130)


def _fail(message: str) -> NoReturn:
    # Paths and names may hold what the terminal's encoding cannot say.
    sys.stderr.write(message.encode(errors="replace").decode() + "\n")
    sys.exit(2)
