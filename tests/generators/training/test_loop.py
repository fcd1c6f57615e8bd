from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import RunError  # noqa: E402
from generators.training import loop  # noqa: E402
from generators.training.checkpoint import Checkpoint, read  # noqa: E402
from generators.training.processes import ALONE, Processes  # noqa: E402


class Counter:
    """Adds its step's number to a tensor; a step has four pictures."""

    def __init__(self, fail_at=None, nan_from=None):
        self.total, self.steps, self.done = torch.zeros(()), 0, 0
        self.fail_at, self.nan_from = fail_at, nan_from

    @property
    def pictures(self):
        return 4 * self.steps

    def step(self):
        if self.steps == self.fail_at:
            raise KeyboardInterrupt
        self.total += self.steps
        self.steps += 1
        self.done += 1
        wrong = self.nan_from is not None and self.steps > self.nan_from
        return {"loss": math.nan if wrong else self.total.item()}

    def checkpoint(self):
        return Checkpoint({"total": self.total}, {"steps": self.steps})

    def restore(self, checkpoint):
        self.total, self.steps = checkpoint.tensors["total"], checkpoint.state["steps"]

    def begin(self, folder):
        (folder / "begun").write_text("")

    def snapshot(self, folder):
        (folder / f"snapshot-{self.pictures}").write_text(str(self.total.item()))
        return {"total": self.total.item()}


def plain(history):
    return [{k: v for k, v in line.items() if k != "timing"} for line in history.lines]


def contents(folder):
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if path.name != loop.STATISTICS
    }


SPAN = loop.Span(kimg=0.036, tick=0.008, snap=2)


def test_ticks_snapshots_and_the_end(tmp_path):
    history = loop.train(Counter(), tmp_path, SPAN, ALONE)
    assert [line["pictures"] for line in history.lines] == [8, 16, 24, 32, 36]
    assert [line["tick"] for line in history.lines] == [1, 2, 3, 4, 5]
    assert [line.get("metrics") for line in history.lines] == [
        None,
        {"total": 6.0},
        None,
        {"total": 28.0},
        {"total": 36.0},
    ]
    assert history.lines[0]["figures"] == {"loss": 0.5}
    assert sorted(contents(tmp_path)) == [
        "begun",
        "checkpoint.safetensors",
        "snapshot-16",
        "snapshot-32",
        "snapshot-36",
    ]
    assert read(tmp_path / loop.CHECKPOINT).state["steps"] == 9


@pytest.mark.parametrize("stop", [0, 1, 3, 4, 7])
def test_an_interrupted_training_ends_as_a_whole_one(tmp_path, stop):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    expected = loop.train(Counter(), whole, SPAN, ALONE)
    with pytest.raises(KeyboardInterrupt):
        loop.train(Counter(fail_at=stop), broken, SPAN, ALONE)
    learner = Counter()
    found = loop.train(learner, broken, SPAN, ALONE)
    # Two steps a tick: only those since the last checkpoint are done again.
    assert learner.done == 9 - stop // 2 * 2
    assert plain(found) == plain(expected)
    assert contents(broken) == contents(whole)


def test_a_finished_training_is_not_done_again(tmp_path):
    loop.train(Counter(), tmp_path, SPAN, ALONE)
    before = contents(tmp_path)
    learner = Counter()
    assert len(loop.train(learner, tmp_path, SPAN, ALONE).lines) == 5
    assert learner.done == 0
    assert contents(tmp_path) == before
    longer = loop.Span(kimg=0.048, tick=0.008, snap=2)
    assert loop.train(Counter(), tmp_path, longer, ALONE).lines[-1]["pictures"] == 48


def test_a_tick_without_numbers_ends_it_and_keeps_the_checkpoint(tmp_path):
    with pytest.raises(RunError, match=r"loss became no number by 0\.024 kimg") as caught:
        loop.train(Counter(nan_from=4), tmp_path, SPAN, ALONE)
    assert "lower learning rates" in caught.value.mend
    assert read(tmp_path / loop.CHECKPOINT).state["steps"] == 4


def test_one_step_without_a_number_is_survived(tmp_path):
    learner = Counter(nan_from=3)
    span = loop.Span(kimg=0.016, tick=0.016)
    lines = loop.train(learner, tmp_path, span, ALONE).lines
    assert lines[0]["figures"] == {"loss": pytest.approx((0 + 1 + 3) / 3), "not_finite": 1.0}


def test_only_the_first_process_writes(tmp_path):
    class Second(Processes):
        def wait(self):
            pass

    history = loop.train(Counter(), tmp_path, SPAN, Second(rank=1, count=2))
    assert [line["tick"] for line in history.lines] == [1, 2, 3, 4, 5]
    assert not any(tmp_path.iterdir())


def test_the_watch_is_told(tmp_path):
    steps, ticks = [], []
    watch = loop.Watch(
        step=lambda done, total: steps.append((done, total)),
        tick=lambda history: ticks.append(history.lines[-1]["pictures"]),
    )
    loop.train(Counter(), tmp_path, SPAN, ALONE, watch)
    assert steps == [(done, 36) for done in range(4, 37, 4)]
    assert ticks == [8, 16, 24, 32, 36]


PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_loop import Counter, SPAN
from generators.training import loop
from generators.training.processes import ALONE
class Slow(Counter):
    def step(self):
        time.sleep(0.05)
        return super().step()
loop.train(Slow(), Path(sys.argv[2]), SPAN, ALONE)
"""


@pytest.mark.kill
@pytest.mark.parametrize("delay", [0.02, 0.12, 0.27])
def test_killed_at_any_moment_it_ends_the_same(tmp_path, delay):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    expected = loop.train(Counter(), whole, SPAN, ALONE)
    here = str(Path(__file__).parent)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, here, str(killed)])
    while not (killed / "begun").exists():
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(list(killed.glob("snapshot-36"))) == 0
    found = loop.train(Counter(), killed, SPAN, ALONE)
    assert plain(found) == plain(expected)
    left = {name: data for name, data in contents(killed).items() if not name.endswith(".part")}
    assert left == contents(whole)
