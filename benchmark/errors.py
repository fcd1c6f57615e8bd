"""Errors of the benchmark; the whole tree is drawn in `adapters.errors`."""

from __future__ import annotations

from adapters.errors import BenchError, nearest

__all__ = ["BenchError", "DatasetError", "LabelError", "RunError", "nearest"]


class DatasetError(BenchError):
    """A data set is damaged, incomplete, in conflict with another, or unreadable."""


class LabelError(BenchError):
    """An array is no label image: negative, fractional, not finite, or of another shape."""


class RunError(BenchError):
    """A run cannot start or continue."""
