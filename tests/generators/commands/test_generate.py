"""`bench generate`: results on stdout, errors with their cure, nothing half-written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmark.dataset import Dataset, released
from benchmark.errors import BenchError, DatasetError
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


def test_a_part_has_the_samples_of_the_whole_and_a_digest_of_its_own(
    tiny, tmp_path, capsys, monkeypatch
):
    tiny.write_text(RECIPE.replace("test = 2", "train = 1\ntest = 2"))
    generate(str(tiny), out=tmp_path / "whole", workers=1)
    generate(str(tiny), out=tmp_path / "part", only="test", workers=1)
    assert Dataset.open(tmp_path / "part").name == "tiny-test"
    whole, part = (Dataset.open(tmp_path / name) for name in ("whole", "part"))
    assert part.ids() == whole.ids("test")
    assert all((part.read_image(i) == whole.read_image(i)).all() for i in part.ids())
    assert part.digest != whole.digest
    with pytest.raises(RecipeError, match="has no split 'tset'") as caught:
        generate(str(tiny), out=tmp_path / "none", only="tset")
    assert "test" in caught.value.mend


def test_a_part_that_was_released_bears_the_name_of_the_whole(tiny, tmp_path, capsys, monkeypatch):
    def release(shipped_digest):
        return released.Release(
            name="tiny",
            version="0.2.0",
            recipe="tiny",
            seed=0,
            digest="1" * 64,
            splits={"test": 2, "train": 3},
            shipped=("test",),
            shipped_digest=shipped_digest,
        )

    monkeypatch.setattr(released, "releases", lambda _path=None: (release("0" * 64),))
    with pytest.raises(SystemExit):
        generate(str(tiny), out=tmp_path / "part", only="test", workers=1)
    made = Dataset.open(tmp_path / "part", sealed=False)
    assert made.name == "tiny"
    monkeypatch.setattr(released, "releases", lambda _path=None: (release(made.digest),))
    capsys.readouterr()
    generate(str(tiny), out=tmp_path / "again", only="test", workers=1)
    assert ", as released" in capsys.readouterr().out
    card = (tmp_path / "again" / "DATACARD.md").read_text()
    assert "`bench generate tiny --only test --out FOLDER`" in card
    assert "This is a part of it; all of it: `bench generate tiny --out FOLDER`" in card


@pytest.mark.parametrize("option", [{"split": "train"}, {"channel": 1}])
def test_options_of_like_are_refused_without_it(tiny, tmp_path, option):
    with pytest.raises(BenchError, match="there is no --like") as caught:
        generate(str(tiny), out=tmp_path / "set", **option)
    assert "--only" in caught.value.mend


def test_a_set_names_the_networks_that_made_it(tiny, tmp_path):
    tiny.write_text(RECIPE.replace("diameter = 10", 'diameter = 10\nshapes = "outlines"'))
    generate(str(tiny), out=tmp_path / "set", workers=1)
    assert list(Dataset.open(tmp_path / "set").manifest.networks) == ["shapes-outlines"]


def test_a_bad_recipe_writes_nothing(tiny, tmp_path):
    tiny.write_text(RECIPE + "[optics]\nblurr = 2\n")
    with pytest.raises(RecipeError, match=r"unknown key optics\.blurr"):
        generate(str(tiny), out=tmp_path / "set")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.toml"]


@pytest.mark.slow
def test_images_of_ones_own_are_fitted_and_compared(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("generators.like.fitting.PILOT", 2)
    tiny.write_text(RECIPE.replace("48", "128").replace("diameter = 10", "diameter = 18"))
    generate(str(tiny), out=tmp_path / "mine", workers=1)
    capsys.readouterr()
    arguments = {"like": tmp_path / "mine", "out": tmp_path / "set", "workers": 1}
    generate(str(tiny), **arguments, json=True)
    told = json.loads(capsys.readouterr().out)
    figures = {row["figure"]: row for row in told["like"]["figures"]}
    assert abs(figures["diameter"]["off"]) < 0.15
    assert told["like"]["images"] == 2
    assert told["name"] == "like-mine"
    recipe = tmp_path / "set.toml"
    assert told["like"]["recipe"] == str(recipe)
    # The recipe stands for itself: it makes the same set again.
    generate(str(recipe), out=tmp_path / "again", workers=1)
    assert Dataset.open(tmp_path / "again").digest == told["digest"]
    (tmp_path / "other.toml").write_text("name = 1")
    with pytest.raises(BenchError, match="another recipe stands"):
        generate(str(tiny), **{**arguments, "out": tmp_path / "other"})


def test_a_fitted_recipe_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    from generators.commands import generate_like
    from generators.recipe import load

    class Found:
        document, recipe, rounds = {"name": "x"}, load("nuclei-parametric"), 1

    def failing(path, content):
        with path.open("wb") as file:
            file.write(content[:3])
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("generators.like.fitting.fit", lambda *_, **__: Found)
    monkeypatch.setattr("generators.like.measuring.measured", lambda _: None)
    (tmp_path / "mine").mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "mine" / "a.png")
    with monkeypatch.context() as broken:
        broken.setattr("pathlib.Path.write_bytes", failing)
        with pytest.raises(OSError, match="Input/output"):
            generate_like.fitted(tmp_path / "mine", "nuclei", 0, tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    generate_like.fitted(tmp_path / "mine", "nuclei", 0, tmp_path / "set")
    assert (tmp_path / "set.toml").read_text().endswith('name = "x"\n')


def test_a_place_that_is_taken_costs_no_fit(tmp_path, monkeypatch):
    def fitted(*_):
        pytest.fail("it was fitted first")

    monkeypatch.setattr("generators.commands.generate_like.fitted", fitted)
    (tmp_path / "set").mkdir()
    with pytest.raises(DatasetError, match="already"):
        generate(like=tmp_path, out=tmp_path / "set")
    assert not (tmp_path / "set.toml").exists()


def test_there_must_be_something_to_make(tmp_path):
    with pytest.raises(BenchError, match="there is no recipe"):
        generate(out=tmp_path / "set")


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Write a registry that says which digest was released."""
    path = tmp_path / "released.toml"

    def make(digest):
        path.write_text(
            '[[release]]\nname = "tiny"\nversion = "0.2.0"\nrecipe = "tiny"\nseed = 0\n'
            f'digest = "{digest}"\nsplits = {{ test = 2 }}\n'
        )
        released.releases.cache_clear()

    for function in (released.release_of, released.check):
        monkeypatch.setattr(function, "__defaults__", (path,))
    yield make
    released.releases.cache_clear()


def test_of_a_released_recipe_it_says_whether_the_digest_is_the_released_one(
    tiny, tmp_path, capsys, registry
):
    registry("0" * 64)
    with pytest.raises(SystemExit, match="1"):
        generate(str(tiny), out=tmp_path / "other", workers=1, json=True)
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert told["released"] is False
    assert f"not the released tiny 0.2.0, whose digest is {'0' * 64}" in shown.err
    registry(told["digest"])
    generate(str(tiny), out=tmp_path / "same", workers=1)
    assert f"digest {told['digest']}, as released" in capsys.readouterr().out
    generate(str(tiny), out=tmp_path / "seed", seed=3, workers=1, json=True)
    assert json.loads(capsys.readouterr().out)["released"] is None
