"""Recipes: a TOML file, checked to the last key, from which a data set follows."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from generators.camera import Camera
from generators.cells import Cells
from generators.dials import Setting, extremes, read_setting
from generators.errors import RecipeError, nearest
from generators.optics import Optics
from generators.outlines import Shape
from generators.scene import Layout
from generators.spots import Spots
from generators.texture import Shading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECTIONS: dict[str, type] = {
    "layout": Layout,
    "nuclei": Shape,
    "shading": Shading,
    "cells": Cells,
    "spots": Spots,
    "optics": Optics,
    "camera": Camera,
}
LAYERS = ("nuclei", "cells", "spots")
HOME = Path(__file__).with_name("recipes")
_STRICT = ConfigDict(extra="forbid", frozen=True)

Pixels = Annotated[int, Field(ge=16, le=8192)]
Section = dict[str, Setting | str]


class Sizes(BaseModel):
    """Frame sizes, each used equally often."""

    model_config = _STRICT

    choices: tuple[Pixels | tuple[Pixels, Pixels], ...] = Field(min_length=1)


class Variant(BaseModel):
    """A kind of scene: what it changes of the recipe, and how often it is used."""

    model_config = _STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    weight: float = Field(default=1, gt=0, allow_inf_nan=False)
    size: Pixels | tuple[Pixels, Pixels] | Sizes | None = None
    layout: Section = {}
    nuclei: Section = {}
    shading: Section = {}
    cells: Section = {}
    spots: Section = {}
    optics: Section = {}
    camera: Section = {}


class Recipe(BaseModel):
    """A recipe.

    The sections named as in `SECTIONS` hold settings of dials; whatever they leave out has the
    dial's default. `cells` and `spots` are made only if their section is there.
    """

    model_config = _STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    version: str = Field(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")
    summary: str = ""
    licence: str = "CC0-1.0"
    pixel_size_um: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    size: Pixels | tuple[Pixels, Pixels] | Sizes = 256
    splits: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], Annotated[int, Field(ge=0, le=10**6)]
    ] = {"test": 12}
    channels: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$")], tuple[str, ...]
    ] = {}
    layout: Section = {}
    nuclei: Section = {}
    shading: Section = {}
    cells: Section | None = None
    spots: Section | None = None
    optics: Section = {}
    camera: Section = {}
    variants: tuple[Variant, ...] = ()
    sweep: dict[str, tuple[float, ...]] = {}

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        if not any(self.splits.values()):
            raise ValueError("splits: no split has a scene")
        for name, layers in self.channels.items():
            for layer in layers:
                if layer not in LAYERS:
                    raise ValueError(
                        f"channels.{name}: no layer {layer!r}, {nearest(layer, LAYERS)}"
                    )
                if layer != "nuclei" and getattr(self, layer) is None:
                    raise ValueError(
                        f"channels.{name}: there are no {layer}, add a [{layer}] table"
                    )
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("variants: two have the same name")
        return self

    @property
    def layers(self) -> dict[str, tuple[str, ...]]:
        """For each channel the layers it shows; without a table of channels, one for each layer."""
        if self.channels:
            return dict(self.channels)
        layers = {"dna": ("nuclei",), "cell": ("cells",), "spots": ("spots",)}
        return {
            name: shown
            for name, shown in layers.items()
            if shown == ("nuclei",) or getattr(self, shown[0]) is not None
        }

    @property
    def targets(self) -> tuple[str, ...]:
        """What the labels are of."""
        return ("nuclei",) if self.cells is None else ("nuclei", "cells")

    def sections(self, variant: Variant | None) -> dict[str, Section]:
        """Return the settings of every section in use, those of a variant over the recipe's."""
        return {
            name: {**own, **({} if variant is None else getattr(variant, name))}
            for name in SECTIONS
            if (own := getattr(self, name)) is not None
        }


def dials_of(section: str) -> dict[str, Mapping[str, Any]]:
    """Return what is known of each dial of a section: its default, limits, unit, meaning."""
    return {
        entry.name: {"default": entry.default, **entry.metadata}
        for entry in dataclasses.fields(SECTIONS[section])
    }


def section_of(dial: str) -> str | None:
    """Return the section that a dial stands in; dials' names are unique."""
    return next((name for name in SECTIONS if dial in dials_of(name)), None)


def load(recipe: str | Path) -> Recipe:
    """Read a recipe from a file, or one that is shipped by its name.

    Raises
    ------
    RecipeError
        If there is none, it is no TOML, or a key or a value is wrong.
    """
    path = Path(recipe)
    if path.suffix != ".toml" and not path.is_file():
        path = HOME / f"{recipe}.toml"
        if str(recipe) not in shipped():
            raise RecipeError(
                f"no recipe {str(recipe)!r}",
                where=recipe,
                mend=f"{nearest(str(recipe), shipped())}; or give the path of a .toml file",
            )
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(
            "there is no such recipe", where=path, mend=nearest(path.stem, shipped())
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe cannot be read: {error}", where=path) from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(
            f"the recipe is not valid TOML: {error}", where=path, mend="correct that line"
        ) from error
    return parse(document, path)


def shipped() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.stem for path in HOME.glob("*.toml"))


def parse(document: Mapping[str, Any], where: str | Path = "recipe") -> Recipe:
    """Check a recipe's content.

    Raises
    ------
    RecipeError
        Naming the key, what is wrong with it, and the nearest known one.
    """
    tables = [("", document)]
    variants = document.get("variants", [])
    if isinstance(variants, list):
        tables += [(f"variants.{n}.", v) for n, v in enumerate(variants) if isinstance(v, dict)]
    for prefix, table in tables:
        for name in SECTIONS:
            if isinstance(table.get(name), dict):
                _check_section(name, table[name], prefix, where)
    _check_sweep(document.get("sweep", {}), where)
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        raise _explained(error, where) from None


def _check_section(section: str, table: Mapping[str, Any], prefix: str, where: str | Path) -> None:
    known = dials_of(section)
    for key, value in table.items():
        place = f"{prefix}{section}.{key}"
        if key not in known:
            raise _unknown(place, key, known, where)
        options = known[key].get("options")
        if options is not None:
            if value not in options:
                raise RecipeError(
                    f"{place} cannot be {value!r}",
                    where=where,
                    mend=f"one of: {', '.join(options)}",
                )
            continue
        try:
            low, high = extremes(read_setting(value))
        except ValueError as error:
            raise RecipeError(f"{place}: {error}", where=where, mend=SETTINGS) from None
        _check_limits(place, (low, high), known[key], where)


SETTINGS = "a number, { min = 1, max = 2 }, or { choices = [1, 2] }"


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


def _check_sweep(sweep: Any, where: str | Path) -> None:
    if not isinstance(sweep, dict):
        return
    known = [dial for name in SECTIONS for dial, about in dials_of(name).items() if "low" in about]
    for key, levels in sweep.items():
        section = section_of(key) if key in known else None
        if section is None:
            raise _unknown(f"sweep.{key}", key, known, where)
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


def _unknown(place: str, key: str, known: Iterable[str], where: str | Path) -> RecipeError:
    known = list(known)
    home = section_of(key)
    mend = nearest(key, known) if home is None else f"{key!r} belongs into [{home}]"
    return RecipeError(f"unknown key {place}", where=where, mend=mend)


def _explained(error: ValidationError, where: str | Path) -> RecipeError:
    """Return the error for the first thing that is wrong with a recipe."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = Variant.model_fields if "variants" in first["loc"] else Recipe.model_fields
        return _unknown(place, str(first["loc"][-1]), known, where)
    if first["type"] == "missing":
        return RecipeError(f"the key {place} is missing", where=where, mend=f"add {place} = …")
    what = first["msg"].removeprefix("Value error, ")
    return RecipeError(f"{place}: {what}" if place else what, where=where)
