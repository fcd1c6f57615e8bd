"""The documentation's tables of dials are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from generators.recipe import shipped
from generators.sections import SECTIONS, dials_of

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"


def row(name, about):
    if "options" in about:
        return (
            f"| `{name}` | {about['default']} | {', '.join(about['options'])} | | {about['says']} |"
        )
    default = "unset" if about["default"] is None else f"{about['default']:g}"
    limits = f"{about['low']:g} to {about['high']:g}"
    return f"| `{name}` | {default} | {limits} | {about['unit']} | {about['says']} |"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_dial_is_documented_as_it_is(section):
    text = PAGE.read_text(encoding="utf-8")
    assert f"### `[{section}]`" in text
    for name, about in dials_of(section).items():
        assert row(name, about) in text


def test_every_shipped_recipe_is_documented():
    text = PAGE.read_text(encoding="utf-8")
    for name in shipped():
        assert f"`{name}`" in text
