"""`bench generate`: results on stdout, errors with their cure, nothing half-written."""

from __future__ import annotations

import json

import pytest

from benchmark.dataset import Dataset
from generators.commands.generate import generate
from generators.errors import RecipeError

RECIPE = """
name = "tiny"
version = "0.2.0"
size = 48
[splits]
test = 2
[nuclei]
diameter = 10
"""


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


def test_json_tells_what_was_made(tiny, tmp_path, capsys):
    generate(str(tiny), out=tmp_path / "set", workers=1, json=True)
    told = json.loads(capsys.readouterr().out)
    made = Dataset.open(tmp_path / "set")
    assert told["digest"] == made.digest
    assert told["splits"] == {"test": 2}
    assert told["n"] == 2
    assert told["seed"] == 0


def test_plain_output_names_set_digest_and_place(tiny, tmp_path, capsys):
    generate(str(tiny), out=tmp_path / "set", seed=5, workers=1)
    printed = capsys.readouterr().out
    assert "tiny-seed5 0.2.0: 2 test" in printed
    assert Dataset.open(tmp_path / "set").digest in printed


def test_a_bad_recipe_writes_nothing(tiny, tmp_path):
    tiny.write_text(RECIPE + "[optics]\nblurr = 2\n")
    with pytest.raises(RecipeError, match=r"unknown key optics\.blurr"):
        generate(str(tiny), out=tmp_path / "set")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.toml"]
