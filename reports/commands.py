"""`bench report`: the page about a finished run."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line is read from annotations

from adapters import console
from reports.page import write_report


def report(run: Path, *, json: bool = False) -> None:
    """Write the HTML report of a finished run.

    Parameters
    ----------
    run
        The folder that `bench run` wrote.
    json
        Print the path of the page as JSON.
    """
    page = write_report(run)
    if json:
        console.print_json({"report": str(page)})
    else:
        console.out.print(str(page))
