"""What pages of `docs/` tell users to type is what the command line takes."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmark.cli import app
from generators.recipe import parse

ROOT = Path(__file__).parents[1]
WALK = ROOT / "docs" / "cellgen-walkthrough.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page):
    """Return the `bench` commands in a page's indented blocks, as words."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"(?m)^    (bench [^>|\n]+)", text)  # up to where the shell takes the output
    return [shlex.split(line, comments=True)[1:] for line in lines if "…" not in line]


def fenced(kind):
    """Return the walk-through's blocks of a kind."""
    return re.findall(rf"(?ms)^```{kind}\n(.*?)^```$", WALK.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_are_understood(page):
    for words in commands(page):
        app.parse_args(words, exit_on_error=False, print_error=False)


def test_a_command_with_an_option_that_does_not_exist_is_noticed():
    from cyclopts import CycloptsError

    with pytest.raises(CycloptsError):
        app.parse_args(["run", "--no-such"], exit_on_error=False, print_error=False)
    assert len(commands(WALK)) > 8


def test_recipes_and_pictures_of_the_walk_through_are_there():
    names = [parse(tomllib.loads(text)).name for text in fenced("toml")]
    assert names == ["spots-alone", "walkthrough"]
    pictures = re.findall(r"!\[.*?\]\((.+?)\)", WALK.read_text(encoding="utf-8"))
    held = {f"walkthrough/{file.name}" for file in (WALK.parent / "walkthrough").iterdir()}
    assert set(pictures) == held


SMALL = {
    "--data bbbc039 --split train --out tex": "--data builtin --split val --out tex",
    "--ngf 16 --ndf 16": "--ngf 2 --ndf 2",
    "--niter 15 --niter_decay 15": "--niter 1 --niter_decay 0 --max_dataset_size 2",
    "--fineSize 128": "--fineSize 32",
    "--seeds 0-23": "--seeds 0-1",
    "spots.toml": "spots.toml --workers 1",
    "data.toml": "data.toml --workers 1",
}


def smaller(command):
    for long, short in SMALL.items():
        command = command.replace(long, short)
    return command


@pytest.mark.training
@pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra networks")
def test_the_walk_through_ends_in_pairs_that_can_be_scored(tmp_path, monkeypatch):
    from benchmark.dataset import open_any

    monkeypatch.chdir(tmp_path)
    for text, name in zip(fenced("toml"), ("spots.toml", "data.toml"), strict=True):
        Path(name).write_text(text.replace("test = 24", "test = 2"))
    steps = [
        shlex.join(words)
        for words in commands(WALK)
        if words[:2] == ["train", "textures"]
        or (words[0] == "generate" and words[-1] in {"masks", "cells", "spots", "data"})
    ]
    assert len(steps) == 5
    for step in steps:
        app(shlex.split(smaller(step)), result_action="return_value")
    snippet = next(text for text in fenced("python") if "pairs" in text)
    exec(compile(snippet, "combine.py", "exec"), {})
    for folder in ("pairs", "data"):
        found = open_any(folder)
        assert len(found.samples) == 2
