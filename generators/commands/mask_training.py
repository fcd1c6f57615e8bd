"""The work of `bench train masks`: from options to a folder with trained networks."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from adapters import console
from benchmark.errors import RunError
from generators.masks.pictures import open_pictures
from generators.masks.statistics import lines
from generators.stylegan import plan
from generators.stylegan.choice import choose
from generators.stylegan.learner import StyleganLearner
from generators.stylegan.training import start
from generators.training import folder, loop, processes
from generators.training.display import Display, duration

if TYPE_CHECKING:
    from pathlib import Path

    from generators.commands.mask_options import CourseOptions, DataOptions
    from generators.masks.pictures import Pictures
    from generators.stylegan.options import Options
    from generators.stylegan.training import Training
    from generators.training.processes import Processes

_CALLED = {"labels": "target"}  # what options of the data are called where they go


@dataclass(frozen=True)
class Wish:
    """What the user asks for."""

    data: str
    out: Path
    contents: DataOptions
    networks: Options
    course: CourseOptions
    resume: Path | None


def run(wish: Wish, *, dry_run: bool, json: bool) -> None:
    """Train, or say what would be done.

    Raises
    ------
    BenchError
        The options, the data or the folder do not allow it.
    """
    course = wish.course
    if course.gpus > 1 and processes.wanted() == 1 and not dry_run:
        processes.launch(course.gpus)
        return
    if course.threads is not None:
        torch.set_num_threads(course.threads)
    choose(course.ops)
    with processes.together(course.device) as (together, device):
        pictures = opened(wish)
        subject = subject_of(pictures)
        options = plan.resolved(
            wish.networks, subject, together.count, resume=wish.resume is not None
        )
        training = begun(wish, options, subject, device, together)
        if dry_run:
            preview(wish, options, pictures, training, json=json)
            return
        result = learned(replace(wish, networks=options), pictures, training)
    if together.first:
        _tell(result, json=json)


def opened(wish: Wish) -> Pictures:
    """Open what is learned from."""
    given = {
        _CALLED.get(name, name): value
        for name, value in asdict(wish.contents).items()
        if value is not None and name not in {"content", "resolution"}
    }
    return open_pictures(wish.data, wish.contents.content, wish.contents.resolution, **given)


def subject_of(pictures: Pictures) -> plan.Subject:
    """Return what options depend on."""
    return plan.Subject(
        resolution=pictures.images.shape[-1],
        channels=pictures.images.shape[1],
        c_dim=0 if pictures.classes is None else pictures.classes.shape[1],
        distances=pictures.summary["content"] != "pictures",
    )


def begun(
    wish: Wish,
    options: Options,
    subject: plan.Subject,
    device: torch.device,
    together: Processes,
) -> Training:
    """Return the training at its start, from trained networks where they are given."""
    assert options.batch_gpu is not None
    return start(
        plan.training_settings(options, wish.course.kimg),
        plan.generator_settings(options, subject),
        plan.discriminator_settings(options, subject),
        device,
        parts=options.batch // (options.batch_gpu * together.count),
        processes=together,
    )


def learned(wish: Wish, pictures: Pictures, training: Training) -> dict[str, Any]:
    """Train to the end; return what came of it. The options of `wish` are resolved."""
    options, course, first = wish.networks, wish.course, training.processes.first
    if first:
        folder.claim(wish.out, settings_of(wish, pictures), about_of(wish))
    training.processes.wait()
    learner = StyleganLearner(
        training,
        pictures,
        options.batch,
        mirror=options.mirror,
        conditional=options.cond,
        workers=course.workers,
    )
    span = loop.Span(course.kimg, course.tick, course.snap)
    with ExitStack() as stack:
        stack.enter_context(closing(learner))
        watch = stack.enter_context(Display("training", quiet=not first)).watch()
        history = loop.train(learner, wish.out, span, training.processes, watch)
    last = history.lines[-1] if history.lines else {}
    return {
        "path": str(wish.out),
        "network": str(wish.out / f"network-snapshot-{training.pictures // 1000:06d}.safetensors"),
        "kimg": training.pictures / 1000,
        "metrics": last.get("metrics", {}),
        "seconds": last.get("timing", {}).get("seconds", 0.0),
    }


def settings_of(wish: Wish, pictures: Pictures) -> dict[str, Any]:
    """Return what the result depends on, by option."""
    settings = {**asdict(wish.contents), **asdict(wish.networks), "data": pictures.digest[:16]}
    if wish.resume is not None:
        settings["resume"] = str(wish.resume)
    if wish.networks.gamma_final is not None:
        settings["kimg"] = wish.course.kimg
    return settings


def about_of(wish: Wish) -> dict[str, Any]:
    """Return what is worth keeping beside that."""
    return {
        "command": shlex.join(["bench", *sys.argv[1:]]),
        "data": wish.data,
        "course": asdict(wish.course),
        "versions": {"torch": torch.__version__},
    }


def preview(
    wish: Wish, options: Options, pictures: Pictures, training: Training, *, json: bool
) -> None:
    """Print what would be done."""
    raise RunError(f"{wish, options, pictures, training, json, lines}")


def _tell(result: dict[str, Any], *, json: bool) -> None:
    if json:
        console.print_json(result)
        return
    console.out.print(f"{result['kimg']:g} kimg in {duration(result['seconds'])}")
    for name, value in result["metrics"].items():
        console.out.print(f"{name} {value:.4g}")
    console.out.print(f"network: {result['network']}")
