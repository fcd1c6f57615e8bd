"""Dials: what a recipe can turn, each said once, beside the code that uses it.

A group of dials is a frozen dataclass whose fields are made by `dial`. The recipe's validation and
the table in the documentation are both derived from those fields.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

if TYPE_CHECKING:
    import numpy as np


def dial(
    default: float | None, *, low: float, high: float, unit: str, says: str, quiet: bool = False
) -> Any:
    """Declare a dial: its default, limits (both inclusive), unit and meaning.

    A quiet one is a column of the table of samples only where the recipe turns it: so a dial that
    is added leaves the digests of older recipes as they were.
    """
    metadata = {"low": low, "high": high, "unit": unit, "says": says, "quiet": quiet}
    return dataclasses.field(default=default, metadata=metadata)


def word(
    default: str, *, options: tuple[str, ...], says: str, files: tuple[str, ...] | str = ()
) -> Any:
    """Declare a choice between words, the same for all scenes of a recipe.

    Where `files` is given, a path with such an ending may stand in place of a word; that of a
    folder ends in a slash.
    """
    endings = (files,) if isinstance(files, str) else files
    metadata = {"options": options, "says": says, "files": endings}
    return dataclasses.field(default=default, metadata=metadata)


class Range(BaseModel):
    """A value drawn anew for every scene, uniformly, or uniformly in its logarithm."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: float
    max: float
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.min <= self.max:
            msg = f"min {self.min:g} is above max {self.max:g}"
            raise ValueError(msg)
        if self.scale == "log" and self.min <= 0:
            msg = f'scale = "log" needs min above 0, not {self.min:g}'
            raise ValueError(msg)
        return self


class Choices(BaseModel):
    """A value drawn anew for every scene, each of a list equally often."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    choices: Annotated[tuple[float, ...], Field(min_length=1)]


Setting = float | Range | Choices


def read_setting(value: Any) -> Setting:
    """Return a setting as a recipe gives it.

    Raises
    ------
    ValueError
        If it is none, saying what is wrong with it.
    """
    if type(value) in {int, float}:
        return float(value)
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is no setting of a dial")  # noqa: TRY004 - it came from a file
    try:
        return Choices(**value) if "choices" in value else Range(**value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place} {first['msg'].removeprefix('Value error, ')}".strip()) from None


def extremes(setting: Setting) -> tuple[float, float]:
    """Return the smallest and largest value that a setting can give."""
    match setting:
        case Range():
            return setting.min, setting.max
        case Choices():
            return min(setting.choices), max(setting.choices)
        case _:
            return setting, setting


def draw(setting: Setting, rng: np.random.Generator) -> float:
    """Return one value of a setting.

    Examples
    --------
    >>> import numpy as np
    >>> draw(3.0, np.random.default_rng(0))
    3.0
    >>> draw(Choices(choices=(2, 4)), np.random.default_rng(0)) in (2, 4)
    True
    """
    # One variate is spent whatever the kind of setting, so that turning a range into a fixed value
    # leaves whatever else is drawn from this generator as it was.
    u = float(rng.random())
    match setting:
        case Range(scale="log"):
            low, high = math.log(setting.min), math.log(setting.max)
            return math.exp(low + u * (high - low))
        case Range():
            return setting.min + u * (setting.max - setting.min)
        case Choices():
            return setting.choices[int(u * len(setting.choices))]
        case _:
            return setting
