from __future__ import annotations

import pytest

pytest.importorskip("torch")

from generators.training.display import Display, duration
from generators.training.statistics import History


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (59.4, "0:00:59"), (3599.6, "1:00:00"), (1e6, "277:46:40")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_line_a_tick_goes_to_stderr(capsys):
    history = History(None)
    timing = {"seconds": 1.0, "pictures_per_second": 8.0, "seconds_left": 9.0}
    history.add({"tick": 3, "pictures": 500, "figures": {"a": 1.0}, "timing": timing})
    with Display("training") as display:
        display.step(4, 100)
        display.tick(history)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "tick 3, 0.5 kimg, 8 pictures/s, 0:00:09 left: a 1" in captured.err


def test_quiet_is_quiet(capsys):
    with Display("training", quiet=True) as display:
        display.step(4, 100)
    assert capsys.readouterr().err == ""
