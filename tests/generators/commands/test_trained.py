"""What the three commands that train networks say at their end."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")

from generators.commands import trained

RESULT = {"kimg": 2.0, "metrics": {"L1": 0.123456}, "seconds": 61.0, "painter": "a/painter.file"}


def test_a_result_is_told_as_lines_or_as_json(capsys):
    trained.tell(RESULT, "2 kimg", "painter", json=False)
    assert capsys.readouterr().out.splitlines() == [
        "2 kimg in 0:01:01",
        "L1 0.1235",
        "painter: a/painter.file",
    ]
    trained.tell(RESULT, "2 kimg", "painter", json=True)
    assert json.loads(capsys.readouterr().out) == RESULT


def test_the_last_figures_are_those_of_the_last_tick():
    lines = [{"metrics": {"L1": 1}}, {"metrics": {"L1": 2}, "timing": {"seconds": 3}}]
    assert trained.last_figures(SimpleNamespace(lines=lines)) == {
        "metrics": {"L1": 2},
        "seconds": 3,
    }
    assert trained.last_figures(SimpleNamespace(lines=[])) == {"metrics": {}, "seconds": 0.0}
