"""The loop of a training: steps in ticks, a checkpoint a tick, a snapshot every few.

All that is written at the end of a tick is written before its checkpoint. So a training that is
killed at any moment continues from the last checkpoint, writes the same again, and ends in the same
bytes as one that was left alone.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from benchmark.errors import RunError
from generators.training import checkpoint as checkpoints
from generators.training import statistics
from generators.training.statistics import History, Line, Means

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from generators.training.checkpoint import Checkpoint
    from generators.training.processes import Processes

CHECKPOINT = "checkpoint.safetensors"
STATISTICS = "stats.jsonl"


class Learner(Protocol):
    """What is trained."""

    @property
    def pictures(self) -> int:
        """How many pictures it has learned from."""

    @property
    def steps(self) -> int:
        """How many steps it has done."""

    def step(self) -> dict[str, float]:
        """Do the next step; return figures by name."""

    def checkpoint(self) -> Checkpoint:
        """Return all that the next steps depend on."""

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take up where a checkpoint stands."""

    def begin(self, folder: Path) -> None:
        """Write what there is to look at before the first step."""

    def snapshot(self, folder: Path) -> dict[str, float]:
        """Write what can be used and looked at; return metrics by name."""


@dataclass(frozen=True)
class Span:
    """How long a training goes, and how it is cut up.

    Parameters
    ----------
    kimg
        Thousands of pictures in all.
    tick
        Thousands of pictures between checkpoints and lines of statistics.
    snap
        Ticks between snapshots; the end always has one.
    """

    kimg: float
    tick: float = 4.0
    snap: int = 50


@dataclass
class Watch:
    """Who is told how it goes.

    Parameters
    ----------
    step
        Called after each step with the pictures done and all of them.
    tick
        Called after each tick with all lines of statistics; page and console follow from them.
    board
        TensorBoard's writer, if any.
    """

    step: Callable[[int, int], None] = lambda _done, _all: None
    tick: Callable[[History], None] = lambda _history: None
    board: statistics.Board | None = None


def train(
    learner: Learner, folder: Path, span: Span, processes: Processes, watch: Watch | None = None
) -> History:
    """Train to the end of the span, from where the folder's checkpoint stands.

    Parameters
    ----------
    learner
        New; it is given the checkpoint's state where there is one.
    folder
        Where everything is written, by the first of the processes alone.
    span
        How long.
    processes
        Those that train together.
    watch
        Who is told.

    Raises
    ------
    RunError
        The disk is full, the checkpoint is damaged, or nothing can be learned any more: all steps
        of a tick had a loss that is no number. The checkpoint before is left as it was.
    """
    watch = watch or Watch()
    found = checkpoints.read(folder / CHECKPOINT)
    if found is not None:
        learner.restore(found)
    history = History(folder / STATISTICS if processes.first else None, learner.pictures)
    total = round(span.kimg * 1000)
    if found is None and processes.first:
        learner.begin(folder)
    while learner.pictures < total:
        line = _tick(learner, span, total, history, watch)
        _refuse_nonsense(line, folder)
        last = learner.pictures >= total
        if processes.first:
            if last or line["tick"] % span.snap == 0:
                line["metrics"] = learner.snapshot(folder)
            if watch.board:
                statistics.post(watch.board, line)
        history.add(line)
        if processes.first:
            checkpoints.write(folder / CHECKPOINT, learner.checkpoint())
            watch.tick(history)
        processes.wait()
    return history


def _tick(learner: Learner, span: Span, total: int, history: History, watch: Watch) -> Line:
    """Do the steps of a tick; return its line."""
    before: Line = history.lines[-1] if history.lines else {"tick": 0, "timing": {"seconds": 0.0}}
    first, until = learner.pictures, min(learner.pictures + round(span.tick * 1000), total)
    means, began = Means(), time.monotonic()
    while learner.pictures < until or learner.pictures == first:
        means.add(learner.step())
        watch.step(learner.pictures, total)
    seconds = time.monotonic() - began
    rate = (learner.pictures - first) / max(seconds, 1e-9)
    return {
        "tick": before["tick"] + 1,
        "pictures": learner.pictures,
        "steps": learner.steps,
        "figures": means.taken(),
        "timing": {
            "seconds": before["timing"]["seconds"] + seconds,
            "pictures_per_second": rate,
            "seconds_left": max(total - learner.pictures, 0) / rate,
        },
    }


def _refuse_nonsense(line: Line, folder: Path) -> None:
    """Stop where a figure was no number in any step of the tick.

    A single such step is survived: the parts of its gradient that are no numbers count as none.

    Raises
    ------
    RunError
        There is such a figure.
    """
    wrong = [name for name, value in line["figures"].items() if not math.isfinite(value)]
    if wrong:
        raise RunError(
            f"{', '.join(wrong)} became no number by {line['pictures'] / 1000:g} kimg",
            where=folder,
            mend="train anew with lower learning rates, or more regularisation; "
            "`--resume` takes up a snapshot from before",
        )
