"""What a command needs beyond the plain installation."""

from __future__ import annotations

from importlib.util import find_spec

from benchmark.errors import BenchError


def require_networks() -> None:
    """Make sure that networks can be run.

    Raises
    ------
    BenchError
        The extra `networks` is not installed.
    """
    missing = [name for name in ("torch", "safetensors") if find_spec(name) is None]
    if missing:
        raise BenchError(
            f"networks need {' and '.join(missing)}, which this installation lacks",
            mend='pip install "cellgen-bench[networks]"',
        )
