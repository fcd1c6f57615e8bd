"""The guide's own adapters do what the guide says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.adapter import Adapter, Model, Parameter
from adapters.conformance import check
from adapters.environments import ensure

GUIDE = Path(__file__).parents[2] / "docs" / "adapters.md"
FILE = re.compile(r"^`(?P<path>\S+/\S+)`:\n\n```\w*\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def files():
    return {match["path"]: match["text"] for match in FILE.finditer(GUIDE.read_text())}


@pytest.mark.parametrize(
    "name", ["threshold", "blobs", pytest.param("plugin", marks=pytest.mark.slow)]
)
def test_its_adapters_pass(files, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    for path, text in files.items():
        # The environment is left out here: building it is tested elsewhere, and takes a minute.
        if path.startswith(f"{name}/") and not path.endswith("requirements.txt"):
            (tmp_path / path).write_text(text)
    adapter = Adapter.load(folder)
    cases = check(adapter, adapter.model(), ensure(adapter))
    assert [case for case in cases if not case.passed] == []
    assert len(cases) == 11


def test_it_lists_every_key():
    table = GUIDE.read_text().partition("all keys")[2]
    for model, prefix in ((Adapter, ""), (Model, "models.NAME"), (Parameter, "parameters.NAME")):
        known = set(model.model_fields) - {"folder", "path", "licence", "environment", "models"}
        for key in known - {"parameters"} - ({"name"} if model is Model else set()):
            assert f"`{key}`" in table or f"{prefix}.{key}`" in table or f"`.{key}`" in table, key
