"""`bench algorithms`, as a user types it."""

from __future__ import annotations

import json

import pytest

from adapters import commands, registry
from adapters.commands import app
from adapters.errors import UnknownAlgorithmError

SEGMENTER = """
import numpy as np
class Segmenter:
    def __init__(self, model, parameters, device): pass
    def segment(self, image): return (image[0] > image[0].mean()).astype(int)
"""


TOO_OLD = """
name = "mine"
[environment]
python = "<3"
[models.m]
track = "control"
"""


@pytest.fixture
def bench(capsys):
    """A function that runs a command and returns exit code and output."""

    def bench(*words):
        try:
            app(list(words), exit_on_error=False, result_action="return_value")
            code = 0
        except SystemExit as end:
            code = end.code
        return code, capsys.readouterr().out

    return bench


def test_list(bench):
    code, text = bench("list")
    assert code == 0
    assert "otsu-watershed" in text
    rows = {row["name"]: row for row in json.loads(bench("list", "--json")[1])}
    assert rows["oracle"]["models"] == {"default": "control"}
    assert rows["oracle"]["targets"] == ["nuclei", "cells"]
    assert rows["oracle"]["environment"] == "none needed"
    assert rows["otsu-watershed"]["models"] == {"default": "classical"}


def test_a_broken_adapter_hides_no_other(bench, monkeypatch, tmp_path):
    known = {"bad": tmp_path, "oracle": commands.folders()["oracle"]}
    monkeypatch.setattr(commands, "folders", lambda: known)
    code, text = bench("list", "--json")
    rows = json.loads(text)
    assert code == 0
    assert "no adapter" in rows[0]["error"]
    assert rows[1]["error"] is None
    assert "broken" in bench("list")[1]


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"adapter.toml": TOO_OLD.replace("<3", "three")}, "'three' is no version specifier"),
        ({"requirements.txt": "-e .\n"}, "not part of the lock"),
    ],
)
def test_one_without_an_environment_hides_no_other(bench, make_adapter, monkeypatch, files, what):
    folder = make_adapter(segmenter__py=SEGMENTER, files=files)
    known = {"mine": folder, "oracle": commands.folders()["oracle"]}
    monkeypatch.setattr(commands, "folders", lambda: known)
    monkeypatch.setattr(registry, "folders", lambda: known)
    code, text = bench("list", "--json")
    assert code == 0
    assert what in json.loads(text)[0]["environment"]
    assert what in json.loads(bench("show", "mine", "--json")[1])["environment"]["state"]
    code, text = bench("install", "--json")
    rows = json.loads(text)
    assert code == 1
    assert what in rows[0]["error"]
    assert rows[1] == {"name": "oracle", "python": rows[1]["python"], "folder": None, "error": None}


def test_install_goes_on_after_a_broken_adapter(bench, monkeypatch, tmp_path):
    known = {"bad": tmp_path, "oracle": commands.folders()["oracle"]}
    monkeypatch.setattr(commands, "folders", lambda: known)
    monkeypatch.setattr(registry, "folders", lambda: known)
    code, text = bench("install", "--json")
    rows = json.loads(text)
    assert code == 1
    assert "no adapter" in rows[0]["error"]
    assert rows[1]["error"] is None


def test_show(bench):
    code, text = bench("show", "otsu-watershed")
    assert code == 0
    for fact in ("BSD-3-Clause", "Otsu, IEEE", "sigma", "classical", ">=3.11"):
        assert fact in text
    shown = json.loads(bench("show", "otsu-watershed", "--json")[1])
    assert shown["parameters"]["sigma"]["default"] == 1.0
    assert shown["environment"]["state"] in {"built", "not built"}


def test_check(bench, make_adapter):
    folder = make_adapter(segmenter__py=SEGMENTER)
    code, text = bench("check", str(folder))
    assert code == 0
    assert "11 of 11 passed" in text
    (folder / "segmenter.py").write_text(SEGMENTER.replace("astype(int)", "astype(float)"))
    code, text = bench("check", str(folder), "--json")
    verdict = json.loads(text)
    assert code == 1
    assert not verdict["passed"]
    assert "float64" in verdict["cases"][1]["why"]


def test_install(bench, make_adapter, monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    code, text = bench("install", "oracle", "--json")
    assert code == 0
    assert json.loads(text)[0]["folder"] is None
    folder = make_adapter(
        segmenter__py=SEGMENTER,
        requirements__txt="six==1.16.0\n",
        adapter__toml=TOO_OLD,
    )
    code, text = bench("install", str(folder), "oracle")
    assert code == 1
    assert "no Python <3" in " ".join(text.split())


def test_an_unknown_name_reaches_the_caller(bench):
    with pytest.raises(UnknownAlgorithmError):
        bench("show", "orcale")
