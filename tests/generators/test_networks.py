"""Which networks a recipe uses."""

from __future__ import annotations

import hashlib

import pytest

from generators.errors import RecipeError
from generators.networks import networks_of
from generators.recipe import load, parse


def recipe(**sections):
    return parse({"name": "x", "version": "1.0.0", **sections}, "test")


def test_what_is_not_learned_uses_none():
    assert networks_of(load("builtin")) == {}


def test_variants_count_and_each_network_once():
    variants = [
        {"name": "a", "shading": {"painter": "nuclei-mixed"}},
        {"name": "b", "nuclei": {"shapes": "stylegan3"}, "layout": {"fields": "stylegan3"}},
        {"name": "c"},
    ]
    used = networks_of(recipe(nuclei={"shapes": "outlines"}, variants=variants))
    assert list(used) == [
        "fields-stylegan3", "light-nuclei-mixed", "shapes-outlines", "shapes-stylegan3",
    ]  # fmt: skip


def test_own_files_are_numbered_and_told_by_their_content(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.safetensors").write_bytes(name.encode())
    files = {name: str(tmp_path / f"{name}.safetensors") for name in ("a", "b")}
    variants = [{"name": name, "shading": {"painter": files[name]}} for name in files]
    used = networks_of(recipe(variants=variants))
    assert used == {
        "light-own": hashlib.sha256(b"a").hexdigest(),
        "light-own-2": hashlib.sha256(b"b").hexdigest(),
    }


def test_a_file_that_is_missing_is_named(tmp_path):
    path = tmp_path / "none.safetensors"
    with pytest.raises(RecipeError, match="cannot be read") as caught:
        networks_of(recipe(shading={"painter": str(path)}))
    assert caught.value.where == str(path)
