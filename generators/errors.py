"""Errors of the generators; the whole tree is drawn in `adapters.errors`."""

from __future__ import annotations

from benchmark.errors import BenchError, nearest

__all__ = ["RecipeError", "ShapeError", "nearest"]


class RecipeError(BenchError):
    """A recipe cannot be read, has an unknown key, or a value out of its limits."""


class ShapeError(BenchError):
    """A source of shapes is unknown, cannot be fitted, or has no shape of the style asked for."""
