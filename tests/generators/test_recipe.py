"""Recipes: what is shipped is sound, what is wrong is named with its cure."""

from __future__ import annotations

import dataclasses

import pytest

from generators.errors import RecipeError
from generators.generate import plan, settle
from generators.recipe import load, parse, shipped
from generators.sections import SECTIONS, dials_of, section_of

LEAST = {"name": "x", "version": "1.0.0"}


def recipe(**more):
    return parse({**LEAST, **more}, "some.toml")


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipes_are_sound(name):
    assert load(name).name.startswith("cellgen-")


def test_the_least_recipe_has_nuclei_in_one_channel():
    least = recipe()
    assert least.targets == ("nuclei",)
    assert least.layers == {"dna": ("nuclei",)}


def test_sections_of_cells_and_spots_bring_channels_and_targets():
    full = recipe(cells={}, spots={})
    assert full.targets == ("nuclei", "cells")
    assert full.layers == {"dna": ("nuclei",), "cell": ("cells",), "spots": ("spots",)}


def test_variants_override_one_by_one():
    made = recipe(optics={"snr": 5, "blur": 2}, variants=[{"name": "dim", "optics": {"snr": 2}}])
    assert made.sections(made.variants[0])["optics"] == {"snr": 2, "blur": 2}
    assert made.sections(None)["optics"] == {"snr": 5, "blur": 2}


@pytest.mark.parametrize(
    ("document", "what", "mend"),
    [
        ({"optics": {"blurr": 1}}, "unknown key optics.blurr", "did you mean 'blur'?"),
        ({"optics": {"gap": 1}}, "unknown key optics.gap", "'gap' belongs into [layout]"),
        ({"optic": {}}, "unknown key optic", "did you mean 'optics'?"),
        ({"snr": 3}, "unknown key snr", "'snr' belongs into [optics]"),
        ({"variants": [{"name": "a", "optics": {"snrr": 1}}]}, "variants.0.optics.snrr", "'snr'"),
        ({"variants": [{"name": "a", "wait": 1}]}, "unknown key variants.0.wait", "weight"),
        ({"optics": {"snr": {"min": 1}}}, "optics.snr", "{ min = 1, max = 2 }"),
        ({"optics": {"snr": "high"}}, "optics.snr", "a number"),
        ({"optics": {"snr": -1}}, "optics.snr is out of its limits", "0.1 to 500"),
        ({"optics": {"snr": float("nan")}}, "optics.snr is out of its limits", "0.1 to 500"),
        ({"layout": {"gap": {"min": 0, "max": 1e9}}}, "layout.gap", "0 to 100 px"),
        ({"spots": {"inside": "nucleus"}}, "spots.inside cannot be 'nucleus'", "nuclei"),
        ({"sweep": {"snrr": [1]}}, "unknown key sweep.snrr", "did you mean 'snr'?"),
        ({"sweep": {"snr": 3}}, "sweep.snr is no list", "snr = [1, 2, 4]"),
        ({"sweep": {"snr": []}}, "sweep.snr is no list", "snr = [1, 2, 4]"),
        ({"sweep": {"snr": [2, 2]}}, "sweep.snr names a level twice", "once"),
        ({"sweep": {"snr": [0]}}, "sweep.snr is out of its limits", "0.1 to 500"),
        ({"size": 3}, "no size", "size = 256"),
        ({"size": [256, 256, 3]}, "no size", "size = 256"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_cure(document, what, mend):
    with pytest.raises(RecipeError) as caught:
        recipe(**document)
    assert what in caught.value.what
    assert mend in caught.value.mend
    assert caught.value.where == "some.toml"


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"splits": {"test": 0}}, "no split has a scene"),
        ({"splits": {"test": -1}}, "splits.test"),
        ({"splits": {"../x": 1}}, "splits"),
        ({"channels": {"c": ["cells"]}}, r"makes no cells; add a \[cells\] table"),
        ({"channels": {"c": ["cell"]}}, "no layer 'cell'; did you mean 'cells'"),
        ({"channels": {"c": []}}, "channels.c"),
        ({"sweep": {"reach": [0.2]}}, "makes no cells"),
        ({"spots": {"inside": "cells"}}, "makes no cells"),
        ({"variants": [{"name": "a", "cells": {"reach": 1}}]}, "makes no cells"),
        ({"variants": [{"name": "a"}, {"name": "a"}]}, "same name"),
        ({"camera": {"offset": 300, "bit_depth": 8}}, "no grey level"),
        ({"camera": {"offset": 300}, "sweep": {"bit_depth": [8, 12]}}, "no grey level"),
        ({"version": "1"}, "version"),
        ({"name": "../x"}, "name"),
        ({"optics": 3}, "optics"),
        ({"sweep": 3}, "sweep"),
        ({"variants": 3}, "variants"),
    ],
)
def test_what_does_not_fit_together_is_refused(document, what):
    with pytest.raises(RecipeError, match=what):
        recipe(**document)


def test_a_missing_key_is_named():
    with pytest.raises(RecipeError, match="the key version is missing"):
        parse({"name": "x"})


def test_unknown_names_and_files(tmp_path):
    with pytest.raises(RecipeError, match="no recipe 'trian'") as caught:
        load("trian")
    assert "did you mean 'train'?" in caught.value.mend
    with pytest.raises(RecipeError, match="no such recipe"):
        load(tmp_path / "none.toml")
    folder = tmp_path / "x.toml"
    folder.mkdir()
    with pytest.raises(RecipeError, match="cannot be read"):
        load(folder)


def test_broken_toml_says_where(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "x"\nversion = \n')
    with pytest.raises(RecipeError, match="line 2") as caught:
        load(path)
    assert caught.value.where == str(path)


def test_names_of_dials_that_are_numbers_are_unique():
    known = [(d, about) for section in SECTIONS for d, about in dials_of(section).items()]
    names = [dial for dial, about in known if "low" in about]
    assert not set(names) & {dial for dial, about in known if "low" not in about}
    assert len(set(names)) == len(names)
    assert section_of("blur") == "optics"
    assert section_of("nothing") is None


def test_a_word_of_two_sections_is_told_of_both():
    with pytest.raises(RecipeError) as caught:
        recipe(optics={"painter": "spots"})
    assert caught.value.mend == "'painter' belongs into [shading] or [spots]"


@pytest.mark.parametrize("section", SECTIONS)
def test_defaults_are_within_their_limits(section):
    for entry in dataclasses.fields(SECTIONS[section]):
        if entry.default is not None and "low" in entry.metadata:
            assert entry.metadata["low"] <= entry.default <= entry.metadata["high"], entry.name


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"optics": {"psf": "airy"}}, "need pixel_size_um"),
        ({"sweep": {"defocus": [0, 2]}}, "need pixel_size_um"),
        (
            {"pixel_size_um": 0.3, "optics": {"psf": "airy", "numerical_aperture": 1.2}},
            "below refractive_index",
        ),
        ({"sweep": {"dead": [0, 50]}}, "makes no distractors"),
    ],
)
def test_optics_that_cannot_be_are_refused(more, says):
    with pytest.raises(RecipeError, match=says):
        parse({"name": "a", "version": "1.0.0", **more})


def test_quiet_dials_are_columns_only_where_they_are_turned():
    plain = parse({"name": "a", "version": "1.0.0"})
    assert "bleaching" not in settle(plain, plan(plain, 0)[0])[1]
    kinds = [{"name": "x"}, {"name": "y", "optics": {"bleaching": 0.1}}]
    turned = parse({"name": "a", "version": "1.0.0", "variants": kinds})
    found = [settle(turned, task)[1]["bleaching"] for task in plan(turned, 0)[:2]]
    assert found == [0.0, 0.1]
