"""Errors of the generators; the whole tree is drawn in `adapters.errors`."""

from __future__ import annotations

from benchmark.errors import BenchError, nearest

__all__ = ["RecipeError", "nearest"]


class RecipeError(BenchError):
    """A recipe cannot be read, has an unknown key, or a value out of its limits."""
