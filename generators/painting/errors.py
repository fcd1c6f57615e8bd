"""What can be wrong with a painter."""

from __future__ import annotations

from benchmark.errors import BenchError


class PainterError(BenchError):
    """A painter is unknown, or its file is missing, damaged, or holds something else."""
