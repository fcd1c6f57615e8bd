"""Commands as a user calls them."""

from __future__ import annotations

import pytest

from benchmark.cli import app
from benchmark.errors import BenchError


@pytest.fixture
def bench(capsys):
    """A function that runs a command and returns exit code, output and messages."""

    def bench(*words):
        code, message = 0, ""
        try:
            app([str(word) for word in words], exit_on_error=False, result_action="return_value")
        except SystemExit as end:
            code = end.code
        except BenchError as error:  # which `main` prints
            code, message = 2, str(error)
        done = capsys.readouterr()
        return code, done.out, done.err + message

    return bench
