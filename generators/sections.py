"""The sections of a recipe: the dials of each, and whether what they are set to is sound."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from generators.camera import Camera
from generators.cells import Cells
from generators.dials import extremes, read_setting
from generators.distractors import Distractors
from generators.errors import RecipeError, nearest
from generators.optics import Optics
from generators.outlines import Shape
from generators.scene import Layout
from generators.spots import Spots
from generators.texture import Shading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SECTIONS: dict[str, type] = {
    "layout": Layout,
    "nuclei": Shape,
    "shading": Shading,
    "cells": Cells,
    "spots": Spots,
    "distractors": Distractors,
    "optics": Optics,
    "camera": Camera,
}
SETTINGS = "a number, { min = 1, max = 2 }, or { choices = [1, 2] }"


def dials_of(section: str) -> dict[str, Mapping[str, Any]]:
    """Return what is known of each dial of a section: its default, limits, unit, meaning."""
    return {
        entry.name: {"default": entry.default, **entry.metadata}
        for entry in dataclasses.fields(SECTIONS[section])
    }


def section_of(dial: str) -> str | None:
    """Return the section that a dial stands in; numbers have unique names, words need not."""
    return next((name for name in SECTIONS if dial in dials_of(name)), None)


def check_section(section: str, table: Mapping[str, Any], prefix: str, where: str | Path) -> None:
    """Check every key and value of a section.

    Parameters
    ----------
    section
        Its name.
    table
        What the recipe says there.
    prefix
        Where the section stands, before its name: "" or "variants.0.".
    where
        The recipe's file.

    Raises
    ------
    RecipeError
        For the first key that is unknown or value that is no setting or out of its limits.
    """
    known = dials_of(section)
    for key, value in table.items():
        place = f"{prefix}{section}.{key}"
        if key not in known:
            raise unknown_key(place, key, known, where)
        options = known[key].get("options")
        if options is not None:
            endings = known[key]["files"]
            if value not in options and not str(value).endswith(endings):
                paths = f"; or a path that ends in {' or '.join(endings)}" if endings else ""
                raise RecipeError(
                    f"{place} cannot be {value!r}",
                    where=where,
                    mend=f"one of: {', '.join(options)}{paths}",
                )
            continue
        try:
            low, high = extremes(read_setting(value))
        except ValueError as error:
            raise RecipeError(f"{place}: {error}", where=where, mend=SETTINGS) from None
        _check_limits(place, (low, high), known[key], where)


def _check_limits(
    place: str, values: tuple[float, float], dial: Mapping[str, Any], where: str | Path
) -> None:
    low, high = values
    # Written so that a NaN, which compares false with everything, fails as well.
    if not (dial["low"] <= low and high <= dial["high"]):
        raise RecipeError(
            f"{place} is out of its limits: {low:g} to {high:g}",
            where=where,
            mend=f"keep it within {dial['low']:g} to {dial['high']:g} {dial['unit']}",
        )


def check_sweep(sweep: Mapping[str, Any], where: str | Path) -> None:
    """Check that a sweep names dials and gives each a list of levels within its limits.

    Raises
    ------
    RecipeError
        For the first that does not.
    """
    known = [dial for name in SECTIONS for dial, about in dials_of(name).items() if "low" in about]
    for key, levels in sweep.items():
        section = section_of(key) if key in known else None
        if section is None:
            raise unknown_key(f"sweep.{key}", key, known, where)
        good = isinstance(levels, list) and levels
        if not good or not all(type(v) in {int, float} for v in levels):
            raise RecipeError(
                f"sweep.{key} is no list of numbers", where=where, mend=f"{key} = [1, 2, 4]"
            )
        if len(set(levels)) < len(levels):
            raise RecipeError(
                f"sweep.{key} names a level twice", where=where, mend="name each level once"
            )
        for level in levels:
            _check_limits(f"sweep.{key}", (level, level), dials_of(section)[key], where)


def unknown_key(place: str, key: str, known: Iterable[str], where: str | Path) -> RecipeError:
    """Return the error for a key that does not belong where it stands."""
    known = list(known)
    homes = [f"[{name}]" for name in SECTIONS if key in dials_of(name)]
    mend = f"{key!r} belongs into {' or '.join(homes)}" if homes else nearest(key, known)
    return RecipeError(f"unknown key {place}", where=where, mend=mend)
