"""The work of `bench train masks`: from options to a folder with trained networks."""

from __future__ import annotations

import math
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from adapters import console
from benchmark.errors import RunError
from generators.commands import trained
from generators.commands.mask_preview import preview
from generators.masks.pictures import open_pictures
from generators.stylegan import plan, resuming
from generators.stylegan.choice import choose
from generators.stylegan.learner import StyleganLearner
from generators.stylegan.metrics import metrics_of
from generators.stylegan.training import start
from generators.training import folder, loop, page, processes, statistics
from generators.training.display import Display

if TYPE_CHECKING:
    from pathlib import Path

    from generators.commands.mask_options import CourseOptions, DataOptions
    from generators.masks.pictures import Pictures
    from generators.stylegan.generator import Generator
    from generators.stylegan.learner import Metric
    from generators.stylegan.options import Options
    from generators.stylegan.training import Training
    from generators.training.processes import Processes
    from generators.training.statistics import History

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
    _require_numbers(wish.contents, wish.networks, course)
    _check(course)
    if course.gpus > 1 and processes.wanted() == 1 and not dry_run:
        processes.launch(course.gpus)
        return
    if course.threads is not None:
        torch.set_num_threads(course.threads)
    if course.ops != "auto":  # else what BENCH_OPS says
        choose(course.ops)
    with processes.together(course.device) as (together, device):
        pictures = opened(wish)
        network = None if wish.resume is None else resuming.load(wish.resume)
        subject = subject_of(pictures, course.gpus if dry_run else together.count, network)
        wish = replace(wish, networks=plan.resolved(wish.networks, subject))
        training = begun(wish, subject, network, device, together)
        if dry_run:
            preview(wish, pictures, training, json=json)
            return
        result = learned(wish, pictures, training)
    if together.first:
        trained.tell(result, f"{result['kimg']:g} kimg", "network", json=json)


def _require_numbers(*groups: DataOptions | Options | CourseOptions) -> None:
    """Raise a RunError where an option is infinite, or no number."""
    for name, value in (item for group in groups for item in asdict(group).items()):
        if isinstance(value, float) and not math.isfinite(value):
            raise RunError(f"{plan.flag(name)} is {value}", mend="give it a finite number")


def _check(course: CourseOptions) -> None:
    """Raise a RunError where the course is none."""
    for name in ("kimg", "tick", "snap", "gpus"):
        if getattr(course, name) <= 0:
            raise RunError(f"{plan.flag(name)} {getattr(course, name)} is not above 0")
    try:
        kind = torch.device(course.device).type
    except RuntimeError as error:
        raise RunError(f"no such device: {course.device!r}", mend="cpu, cuda or mps") from error
    if (kind == "cuda" and not torch.cuda.is_available()) or (
        kind == "mps" and not torch.backends.mps.is_available()
    ):
        raise RunError(f"torch finds no {kind} here", mend="leave out --device")


def opened(wish: Wish) -> Pictures:
    """Open what is learned from."""
    given = {
        _CALLED.get(name, name): value
        for name, value in asdict(wish.contents).items()
        if value is not None and name not in {"content", "resolution"}
    }
    return open_pictures(wish.data, wish.contents.content, wish.contents.resolution, **given)


def subject_of(pictures: Pictures, count: int, network: Generator | None) -> plan.Subject:
    """Return what options depend on."""
    return plan.Subject(
        resolution=pictures.images.shape[-1],
        channels=pictures.images.shape[1],
        c_dim=0 if pictures.classes is None else pictures.classes.shape[1],
        distances=pictures.summary["content"] != "pictures",
        processes=count,
        network=None if network is None else network.settings,
    )


def begun(
    wish: Wish,
    subject: plan.Subject,
    network: Generator | None,
    device: torch.device,
    together: Processes,
) -> Training:
    """Return the training at its start, from a trained network where one is given."""
    options = wish.networks
    assert options.batch_gpu is not None
    training = start(
        plan.training_settings(options, wish.course.kimg),
        plan.generator_settings(options, subject),
        plan.discriminator_settings(options, subject),
        device,
        parts=options.batch // (options.batch_gpu * subject.processes),
        processes=together,
    )
    if network is not None:
        assert wish.resume is not None
        for notice in resuming.take_over(training, network, wish.resume):
            if together.first:
                console.err.print(notice, soft_wrap=True)
    return training


def learned(wish: Wish, pictures: Pictures, training: Training) -> dict[str, Any]:
    """Train to the end; return what came of it. The options of `wish` are resolved."""
    options, course, first = wish.networks, wish.course, training.processes.first
    about = trained.about(wish.data, wish.course)
    metrics: list[Metric] = []
    if first:
        rotated = options.cfg == "stylegan3-r"
        metrics = metrics_of(course.metrics, pictures, rotated=rotated, seed=options.seed)
        folder.claim(wish.out, settings_of(wish, pictures), about)
    training.processes.wait()
    learner = StyleganLearner(
        training,
        pictures,
        options.batch,
        mirror=options.mirror,
        conditional=options.cond,
        workers=course.workers,
        metrics=tuple(metrics),
    )
    span = loop.Span(course.kimg, course.tick, course.snap)
    with ExitStack() as stack:
        stack.enter_context(closing(learner))
        display = stack.enter_context(Display("training", quiet=not first))
        watch = loop.Watch(step=display.step)
        if first:
            watch.board = statistics.board(wish.out)
            if watch.board is None:
                console.err.print("no TensorBoard events: the package tensorboard is not installed")
            settings = {"data": wish.data, **asdict(wish.contents), **asdict(options)}

            def tick(history: History) -> None:
                display.tick(history)
                page.write(wish.out, page.Story("Learning masks", settings, about, history.lines))

            watch.tick = tick
        history = loop.train(learner, wish.out, span, training.processes, watch)
    return {
        "path": str(wish.out),
        "network": str(wish.out / f"network-snapshot-{training.pictures // 1000:06d}.safetensors"),
        "kimg": training.pictures / 1000,
        **trained.last_figures(history),
    }


def settings_of(wish: Wish, pictures: Pictures) -> dict[str, Any]:
    """Return what the result depends on, by option."""
    settings = {
        "data digest": pictures.digest[:16],
        **asdict(wish.contents),
        **asdict(wish.networks),
    }
    if wish.resume is not None:
        settings["resume"] = str(wish.resume)
    if wish.networks.gamma_final is not None:
        settings["kimg"] = wish.course.kimg
    return settings
