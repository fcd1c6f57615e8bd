"""The work of `bench train spots`: from images with points to the file of a painter of spots."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from generators.commands import trained
from generators.spottexture import examples as examples_of
from generators.spottexture import training as spots
from generators.spottexture.learner import SpotLearner
from generators.spottexture.reading import read
from generators.training import folder, loop, page, processes, statistics
from generators.training.display import Display

if TYPE_CHECKING:
    from pathlib import Path

    from generators.spottexture.examples import Examples
    from generators.spottexture.options import SpotCourse, SpotOptions
    from generators.training.statistics import History


@dataclass(frozen=True)
class Wish:
    """What the user asks for."""

    data: Path
    out: Path
    points: Path | None
    learning: SpotOptions
    course: SpotCourse


def run(wish: Wish, *, json: bool) -> None:
    """Train, and say what came of it.

    Raises
    ------
    BenchError
        The options, the data or the folder do not allow it.
    """
    if wish.course.threads is not None:
        torch.set_num_threads(wish.course.threads)
    examples = examples_of.examples_of(read(wish.data, wish.points))
    result = learned(wish, examples)
    trained.tell(result, f"{result['kimg']:g} kimg", "painter", json=json)


def learned(wish: Wish, examples: Examples) -> dict[str, Any]:
    """Train to the end; return what came of it."""
    course = wish.course
    settings = {
        "data digest": examples.digest[:16],
        **asdict(wish.learning),
        "kimg": course.kimg,  # rates fall towards the end
    }
    about = trained.about(str(wish.data), course)
    folder.claim(wish.out, settings, about)
    training = spots.start(wish.learning, len(examples.images), course.kimg)
    learner = SpotLearner(training, examples, {"command": about["command"]})
    with Display("training") as display:
        watch = loop.Watch(step=display.step, board=statistics.board(wish.out))

        def tick(history: History) -> None:
            display.tick(history)
            story = page.Story("Learning to paint spots", settings, about, history.lines)
            page.write(wish.out, story)

        watch.tick = tick
        span = loop.Span(course.kimg, course.tick, course.snap)
        history = loop.train(learner, wish.out, span, processes.ALONE, watch)
    return {
        "path": str(wish.out),
        "painter": str(wish.out / f"spots-{training.pictures // 1000:06d}.safetensors"),
        "kimg": training.pictures / 1000,
        **trained.last_figures(history),
    }
