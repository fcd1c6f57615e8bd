"""The work of `bench train painter`: from labelled images to a painter's file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from benchmark.dataset import open_any
from generators.commands import trained
from generators.painting import examples as examples_of
from generators.painting import training as painter
from generators.painting.learner import PainterLearner
from generators.training import folder, loop, page, processes, statistics
from generators.training.display import Display

if TYPE_CHECKING:
    from pathlib import Path

    from generators.painting.examples import Examples
    from generators.painting.options import Course, Options
    from generators.training.statistics import History


@dataclass(frozen=True)
class Wish:
    """What the user asks for."""

    data: str
    out: Path
    split: str | None
    target: str | None
    learning: Options
    course: Course


def run(wish: Wish, *, json: bool) -> None:
    """Train, and say what came of it.

    Raises
    ------
    BenchError
        The options, the data or the folder do not allow it.
    """
    if wish.course.threads is not None:
        torch.set_num_threads(wish.course.threads)
    dataset = open_any(wish.data)
    split = wish.split if wish.split in dataset.manifest.splits else None
    own = wish.learning.camera == "image"
    examples = examples_of.read(dataset, split, wish.target, wish.learning.largest, own=own)
    result = learned(wish, examples)
    trained.tell(result, f"{result['kimg']:g} kimg", "painter", json=json)


def learned(wish: Wish, examples: Examples) -> dict[str, Any]:
    """Train to the end; return what came of it."""
    course = wish.course
    settings = {
        "data digest": examples.digest[:16],
        "split": wish.split,
        "target": wish.target,
        **asdict(wish.learning),
        "kimg": course.kimg,  # rates fall towards the end
    }
    about = trained.about(wish.data, course)
    folder.claim(wish.out, settings, about)
    training = painter.start(wish.learning, examples.scale, examples.step, course.kimg)
    notes = {"command": about["command"], "split": wish.split}
    learner = PainterLearner(training, examples, notes, measured=course.measured)
    with Display("training") as display:
        watch = loop.Watch(step=display.step, board=statistics.board(wish.out))

        def tick(history: History) -> None:
            display.tick(history)
            story = page.Story("Learning to paint", settings, about, history.lines)
            page.write(wish.out, story)

        watch.tick = tick
        span = loop.Span(course.kimg, course.tick, course.snap)
        history = loop.train(learner, wish.out, span, processes.ALONE, watch)
    return {
        "path": str(wish.out),
        "painter": str(wish.out / f"painter-{training.pictures // 1000:06d}.safetensors"),
        "kimg": training.pictures / 1000,
        **trained.last_figures(history),
    }
