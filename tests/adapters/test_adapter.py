"""`adapter.toml`: what is read, what is refused, and in which words."""

from __future__ import annotations

import pytest

from adapters.adapter import Adapter, Parameter
from adapters.errors import AdapterError, UnknownModelError

SEGMENTER = "class Segmenter: ...\n"
FULL = """
name = "mine"
title = "Mine"
kind = "python"
summary = "s"
citation = "c"
homepage = "https://example.org"
targets = ["nuclei"]
default_model = "b"

[licence]
code = "MIT"
weights = "CC-BY-4.0"

[environment]
python = ">=3.9,<3.12"

[models.a]
track = "as-published"
licence = "CC-BY-NC-4.0"

[models.b]
track = "same-data"
file = "weights/b.bin"
summary = "small"

[parameters.diameter]
type = "float"
minimum = 0
maximum = 100

[parameters.tiles]
type = "bool"
default = true

[parameters.mode]
type = "str"
default = "fast"
choices = ["fast", "slow"]

[parameters.steps]
type = "int"
default = 3
"""


@pytest.fixture
def load(make_adapter):
    def load(toml):
        return Adapter.load(make_adapter(adapter__toml=toml, segmenter__py=SEGMENTER))

    return load


def test_every_key_is_read(load):
    adapter = load(FULL)
    assert adapter.name == "mine"
    assert adapter.targets == ("nuclei",)
    assert adapter.licence.weights == "CC-BY-4.0"
    assert adapter.environment.python == ">=3.9,<3.12"
    assert adapter.model().name == "b"
    assert adapter.model("a").licence == "CC-BY-NC-4.0"
    assert adapter.model("b").file == "weights/b.bin"
    assert adapter.model("a").argument == "a"
    assert adapter.requirements is None
    assert adapter.training is None


def test_a_lone_segmenter_has_defaults(make_adapter):
    adapter = Adapter.load(make_adapter(segmenter__py=SEGMENTER))
    assert adapter.name == "mine"
    assert adapter.model().name == "default"
    assert adapter.model().track == "own"
    assert adapter.targets == ("nuclei", "cells")


MINIMAL = 'name = "mine"\n[models.m]\ntrack = "as-published"\n'


PARAMETER = '[parameters.d]\ntype = "int"\n'


@pytest.mark.parametrize(
    ("toml", "message", "place", "mend"),
    [
        ("name = ", "no TOML", "adapter.toml", ""),
        ('[models.m]\ntrack = "control"', "missing", "adapter.toml: name", ""),
        ('name = "mine"', "missing", "adapter.toml: models", ""),
        ('name = "mine"\nmodels = {}', "at least one model", "models", ""),
        ("tilte = 1\n" + MINIMAL, "unknown key", "tilte", "'title'"),
        (MINIMAL + 'trak = "x"', "unknown key", "models.m.trak", "'track'"),
        (MINIMAL + "[licence]\ncodes = 1", "unknown key", "licence.codes", "'code'"),
        (MINIMAL + '[environment]\npyton = "3"', "unknown key", "environment.pyton", "'python'"),
        (MINIMAL + '[parameters.d]\ntype = "int"\nmin = 1', "unknown key", "parameters.d.min", ""),
        (MINIMAL + 'name = "other"', "unknown key", "models.m.name", ""),
        (MINIMAL + 'path = "/etc"', "unknown key", "models.m.path", ""),
        ('folder = "/etc"\n' + MINIMAL, "unknown key", "folder", ""),
        (MINIMAL.replace("as-published", "best"), "'as-published'", "models.m.track", ""),
        (MINIMAL + 'file = "../secret"', "outside", "models.m.file", ""),
        (MINIMAL + 'file = "/etc/passwd"', "outside", "models.m.file", ""),
        (MINIMAL + '[models.n]\ntrack = "control"', "default", "default_model", ""),
        ('default_model = "x"\n' + MINIMAL, "no model 'x'", "default_model", ""),
        ("needs_truth = true\n" + MINIMAL, "control", "needs_truth", ""),
        ('kind = "command"\n' + MINIMAL, "{image} and {labels}", "command", ""),
        ('kind = "command"\ncommand = ["a", "{image}"]\n' + MINIMAL, "{labels}", "command", ""),
        (MINIMAL.replace("mine", "../mine"), "match", "name", ""),
        (
            MINIMAL + '[parameters.d]\ntype = "int"\ndefault = 1.5',
            "1.5 is no int",
            "parameters.d",
            "",
        ),
        (
            MINIMAL + '[parameters.d]\ntype = "int"\ndefault = 1\nminimum = 2',
            "below the minimum of 2",
            "parameters.d",
            "",
        ),
    ],
)
def test_a_wrong_key_is_named(load, toml, message, place, mend):
    with pytest.raises(AdapterError) as caught:
        load(toml)
    assert message in caught.value.what
    assert str(caught.value.where).endswith(place)
    assert mend in (caught.value.mend or "")


def test_a_folder_without_anything_is_no_adapter(tmp_path):
    with pytest.raises(AdapterError, match="no adapter"):
        Adapter.load(tmp_path)


def test_a_python_adapter_needs_a_segmenter(make_adapter):
    with pytest.raises(AdapterError, match=r"segmenter\.py"):
        Adapter.load(make_adapter(adapter__toml=MINIMAL))


def test_an_unknown_model_gets_the_nearest(load):
    adapter = load(FULL.replace("models.a]", "models.cyto3]"))
    with pytest.raises(UnknownModelError, match=r"(?s)no model 'cyto'.*'cyto3'"):
        adapter.model("cyto")


def test_parameters_are_filled_in_parsed_and_ordered(load):
    values = load(FULL).resolve({"steps": "7", "tiles": "no", "diameter": 30})
    assert values == {"diameter": 30.0, "mode": "fast", "steps": 7, "tiles": False}
    assert list(values) == sorted(values)
    assert [type(value) for value in values.values()] == [float, str, int, bool]


def test_a_default_has_its_parameters_type(load):
    adapter = load(
        MINIMAL + '[parameters.d]\ntype = "float"\ndefault = 3\n[parameters.e]\ntype = "int"'
    )
    assert adapter.resolve({}) == {"d": 3.0, "e": None}
    assert type(adapter.resolve({})["d"]) is float


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"diametre": 3}, "'diameter'"),
        ({"diameter": "wide"}, "diameter of mine: 'wide' is no float"),
        ({"diameter": -1}, "below the minimum of 0"),
        ({"diameter": 101.0}, "above the maximum of 100"),
        ({"diameter": float("nan")}, "minimum"),
        ({"steps": 1.5}, "no int"),
        ({"steps": True}, "no int"),
        ({"tiles": 1}, "no bool"),
        ({"tiles": "maybe"}, "no bool"),
        ({"mode": "medium"}, "none of fast, slow"),
        ({"mode": 3}, "no str"),
    ],
)
def test_a_wrong_parameter_is_explained(load, given, message):
    with pytest.raises(AdapterError, match=message):
        load(FULL).resolve(given)


def test_text_becomes_the_parameters_type():
    assert Parameter(type="int").read(" 12 ") == 12
    assert Parameter(type="bool").read("True") is True
    assert Parameter(type="str").read("12") == "12"
    assert Parameter(type="float").read("1e3") == 1000.0
