"""Recipes: a TOML file, checked to the last key, from which a data set follows."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from generators.dials import Setting, extremes
from generators.errors import RecipeError, nearest
from generators.sections import (
    SECTIONS,
    check_section,
    check_sweep,
    dials_of,
    section_of,
    unknown_key,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    distractors: Section = {}
    optics: Section = {}
    camera: Section = {}


class Recipe(BaseModel):
    """A recipe.

    The sections named as in `SECTIONS` hold settings of dials; whatever they leave out has the
    dial's default. `cells`, `spots` and `distractors` are made only if their section is there.
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
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$")],
        Annotated[tuple[str, ...], Field(min_length=1)],
    ] = {}
    layout: Section = {}
    nuclei: Section = {}
    shading: Section = {}
    cells: Section | None = None
    spots: Section | None = None
    distractors: Section | None = None
    optics: Section = {}
    camera: Section = {}
    variants: tuple[Variant, ...] = ()
    sweep: dict[str, tuple[float, ...]] = {}

    @model_validator(mode="after")
    def _has_what_it_names(self) -> Self:
        if not any(self.splits.values()):
            raise ValueError("splits: no split has a scene")
        for name, layers in self.channels.items():
            for layer in layers:
                if layer not in LAYERS:
                    hint = nearest(layer, LAYERS)
                    raise ValueError(f"channels.{name}: no layer {layer!r}; {hint}")
                self._require(layer, f"channels.{name}")
        for dial in self.sweep:
            self._require(str(section_of(dial)), f"sweep.{dial}")
        for variant in self.variants:
            for section in ("cells", "spots", "distractors"):
                if getattr(variant, section):
                    self._require(section, f"variants, {variant.name}")
        if self.spots is not None and self.spots.get("inside") in {"cells", "cytoplasm"}:
            self._require("cells", "spots.inside")
        return self

    @model_validator(mode="after")
    def _images_points(self) -> Self:
        for variant in self.variants or (None,):
            optics = self.sections(variant)["optics"]
            place = "optics" if variant is None else f"variants, {variant.name}, optics"
            measured = optics.get("psf", "gaussian") != "gaussian"
            if (measured or max(self._span("defocus", variant)) > 0) and not self.pixel_size_um:
                raise ValueError(f"{place}: diffraction and defocus need pixel_size_um = …")
            if max(self._span("numerical_aperture", variant)) > 0.99 * min(
                self._span("refractive_index", variant)
            ):
                raise ValueError(f"{place}: numerical_aperture must stay below refractive_index")
        return self

    def _require(self, section: str, place: str) -> None:
        if getattr(self, section) is None:
            raise ValueError(f"{place}: this recipe makes no {section}; add a [{section}] table")

    @model_validator(mode="after")
    def _varies_soundly(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("variants: two have the same name")
        for variant in self.variants or (None,):
            highest = max(self._span("offset", variant))
            if highest >= 2 ** round(min(self._span("bit_depth", variant))) - 1:
                place = "camera" if variant is None else f"variants, {variant.name}, camera"
                raise ValueError(f"{place}: offset {highest:g} leaves no grey level for light")
        return self

    def _span(self, dial: str, variant: Variant | None) -> tuple[float, ...]:
        """Return the extreme values of a dial, those of a sweep included."""
        section = str(section_of(dial))
        setting = self.sections(variant)[section].get(dial, dials_of(section)[dial]["default"])
        return (*extremes(cast("Setting", setting)), *self.sweep.get(dial, ()))

    @property
    def turned(self) -> frozenset[str]:
        """The dials that the recipe names anywhere."""
        tables = [
            table for variant in (None, *self.variants) for table in self.sections(variant).values()
        ]
        return frozenset(self.sweep).union(*tables)

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

    def part(self, split: str) -> Recipe:
        """Return the recipe of one split: the same samples, without the others.

        Raises
        ------
        RecipeError
            If the recipe has no such split.
        """
        if not self.splits.get(split):
            known = [name for name, count in self.splits.items() if count]
            raise RecipeError(
                f"recipe {self.name} has no split {split!r}", mend=nearest(split, known)
            )
        return self.model_copy(update={"splits": {split: self.splits[split]}})

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
                check_section(name, table[name], prefix, where)
    if isinstance(document.get("sweep"), dict):
        check_sweep(document["sweep"], where)
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        raise _explained(error, where) from None


def _explained(error: ValidationError, where: str | Path) -> RecipeError:
    """Return the error for the first thing that is wrong with a recipe."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = Variant.model_fields if "variants" in first["loc"] else Recipe.model_fields
        return unknown_key(place, str(first["loc"][-1]), known, where)
    if first["type"] == "missing":
        return RecipeError(f"the key {place} is missing", where=where, mend=f"add {place} = …")
    if "size" in first["loc"]:
        mend = "size = 256, size = [192, 256] or size.choices = [256, [192, 256]]; 16 to 8192 px"
        return RecipeError("this is no size of a frame", where=where, mend=mend)
    what = first["msg"].removeprefix("Value error, ")
    return RecipeError(f"{place}: {what}" if place else what, where=where)
