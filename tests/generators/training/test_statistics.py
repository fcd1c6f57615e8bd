from __future__ import annotations

import json
import math
import sys

import pytest

from benchmark.errors import RunError
from generators.training.statistics import History, Means, board, post, series


def line(pictures, **figures):
    return {"tick": pictures // 10, "pictures": pictures, "figures": figures, "timing": {}}


def test_means_are_of_the_steps_that_had_the_figure():
    means = Means()
    for k in range(4):
        means.add({"loss": float(k)} | ({"r1": 5.0} if k == 2 else {}))
    assert means.taken() == {"loss": 1.5, "r1": 5.0}
    assert means.taken() == {}


def test_no_numbers_are_counted_and_only_alone_spoil_a_mean():
    means = Means()
    means.add({"a": math.nan, "b": math.inf})
    means.add({"a": 2.0})
    found = means.taken()
    assert (found["a"], found["not_finite"]) == (2.0, 2.0)
    assert math.isnan(found["b"])


def test_lines_are_appended_and_read_again(tmp_path):
    history = History(tmp_path / "stats.jsonl")
    history.add(line(10, loss=1.0))
    history.add(line(20, loss=math.nan))
    assert History(tmp_path / "stats.jsonl", 20).lines == [
        line(10, loss=1.0),
        line(20, loss=None),
    ]


def test_lines_after_the_checkpoint_are_dropped(tmp_path):
    path = tmp_path / "stats.jsonl"
    history = History(path)
    for pictures in (10, 20, 30):
        history.add(line(pictures))
    with path.open("a") as file:
        file.write('[]\n{"pictures": 5}\n{"tick": 1, "pictures": 4')  # killed while it wrote
    assert [each["pictures"] for each in History(path, 20).lines] == [10, 20]
    assert path.read_text().count("\n") == 2


def test_lines_can_stay_in_memory():
    history = History(None)
    history.add(line(10))
    assert history.lines == [line(10)]


def test_a_full_disk_is_said(tmp_path):
    history = History(tmp_path / "stats.jsonl")
    (tmp_path / "stats.jsonl").mkdir()
    with pytest.raises(RunError, match=r"stats\.jsonl cannot be written"):
        history.add(line(10))


def test_curves_leave_out_what_is_no_number():
    lines = [line(1000, loss=1.0), line(2000, loss=None, p=0.5), line(3000, loss=math.inf)]
    assert series(lines, "figures") == {"loss": [(1.0, 1.0)], "p": [(2.0, 0.5)]}
    assert series(lines, "metrics") == {}


def test_without_tensorboard_there_is_no_board(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert board(tmp_path) is None
    assert not any(tmp_path.iterdir())


def test_a_board_gets_every_number():
    seen, flushed = [], []

    class Board:
        def add_scalar(self, tag, value, at):
            seen.append((tag, value, at))

        def flush(self):
            flushed.append(True)

    whole = line(40, loss=2.0, gone=None) | {"metrics": {"eqt": 60.0}, "timing": {"seconds": 3.0}}
    post(Board(), whole)
    assert seen == [
        ("figures/loss", 2.0, 40),
        ("metrics/eqt", 60.0, 40),
        ("timing/seconds", 3.0, 40),
    ]
    assert flushed == [True]
    assert json.dumps(whole)
