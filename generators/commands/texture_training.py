"""The work of `bench train textures`: from options to a folder with trained networks."""

from __future__ import annotations

import math
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from adapters import console
from benchmark.errors import RunError
from generators.commands import trained
from generators.commands.devices import require_device
from generators.commands.texture_preview import preview
from generators.pix2pixhd import clusters, plan, resuming, vgg
from generators.pix2pixhd.examples import Examples
from generators.pix2pixhd.folders import check_labels, open_source
from generators.pix2pixhd.greys import Greys
from generators.pix2pixhd.learner import TextureLearner
from generators.pix2pixhd.options import SPELT, flag
from generators.pix2pixhd.training import TrainingSettings, start
from generators.training import folder, loop, page, processes, statistics
from generators.training.display import Display

if TYPE_CHECKING:
    from pathlib import Path

    from generators.commands.texture_options import CourseOptions, DataOptions
    from generators.pix2pixhd.folders import Source
    from generators.pix2pixhd.options import InputOptions, LearningOptions, NetworkOptions
    from generators.pix2pixhd.training import Precision, Training
    from generators.training.processes import Processes
    from generators.training.statistics import History


@dataclass(frozen=True)
class Wish:
    """What the user asks for."""

    data: str
    out: Path
    contents: DataOptions
    inputs: InputOptions
    networks: NetworkOptions
    learning: LearningOptions
    course: CourseOptions
    load_pretrain: Path | None
    which_epoch: str


@dataclass(frozen=True)
class Work:
    """What the wish came to."""

    wish: Wish
    plan: plan.Plan
    examples: Examples

    @property
    def epochs(self) -> int:
        """How many there are in all."""
        return self.wish.learning.niter + self.wish.learning.niter_decay

    @property
    def kimg(self) -> float:
        """Thousands of pictures in all."""
        return self.epochs * len(self.examples.source.names) / 1000


def run(wish: Wish, *, dry_run: bool, json: bool) -> None:
    """Train, or say what would be done.

    Raises
    ------
    BenchError
        The options, the data or the folder do not allow it.
    """
    course = wish.course
    _require_numbers(wish.inputs, wish.learning)
    _check(course)
    if course.gpus > 1 and processes.wanted() == 1 and not dry_run:
        processes.launch(course.gpus)
        return
    if course.threads is not None:
        torch.set_num_threads(course.threads)
    with processes.together(course.device) as (together, device):
        count = course.gpus if dry_run else together.count
        plan.check(wish.learning, wish.networks, count)
        work = opened(wish, together)
        training = begun(work, device, together)
        if dry_run:
            preview(work, training, settings_of(work), json=json)
            return
        result = learned(work, training)
    if together.first:
        trained.tell(result, f"{result['epochs']} epochs", "network", json=json)


def _require_numbers(*groups: InputOptions | LearningOptions) -> None:
    """Raise a RunError where an option is infinite, or no number."""
    for name, value in (item for group in groups for item in asdict(group).items()):
        if isinstance(value, float) and not math.isfinite(value):
            raise RunError(f"{flag(name)} is {value}", mend="give it a finite number")


def _check(course: CourseOptions) -> None:
    """Raise a RunError where the course is none."""
    for name in ("save_latest_freq", "save_epoch_freq", "gpus"):
        if getattr(course, name) <= 0:
            raise RunError(f"{flag(name)} {getattr(course, name)} is not above 0")
    if course.n_threads < 0:
        raise RunError(f"--nThreads {course.n_threads} is below 0")
    require_device(course.device)


def opened(wish: Wish, together: Processes) -> Work:
    """Open what is learned from, decide what is left open, and check all labels."""
    of = wish.contents
    source = open_source(
        wish.data, of.phase, split=of.split, target=of.labels, most=of.max_dataset_size
    )
    made = plan.planned(wish.inputs, wish.networks, source)
    if made.inputs.label_nc and together.first:
        with console.counting("checking labels") as tell:
            check_labels(source, made.inputs.label_nc, tell)
    examples = Examples(
        source=source,
        inputs=made.inputs,
        output_nc=made.generator.output_nc,
        resizing=made.resizing,
        greys=_greys(source, wish.inputs, given=False),
        given_greys=Greys() if made.inputs.label_nc else _greys(source, wish.inputs, given=True),
        flip=not wish.inputs.no_flip,
    )
    return Work(wish, made, examples)


def _greys(source: Source, options: InputOptions, *, given: bool) -> Greys:
    """Return the greys of real pictures, or of those that are given."""
    read = source.given if given else source.wanted
    every = (read(number) for number in range(len(source.names)))
    pictures = (picture for picture in every if picture is not None)
    return Greys.of(pictures) if given else Greys.of(pictures, options.black, options.white)


def begun(work: Work, device: torch.device, together: Processes) -> Training:
    """Return the training at its start, from trained networks where they are given."""
    wish = work.wish
    learning, networks = wish.learning, wish.networks
    precision: Precision = (
        "float16" if learning.fp16 else "bfloat16" if learning.bf16 else "float32"
    )
    settings = TrainingSettings(
        epoch=len(work.examples.source.names),
        lr=learning.lr,
        beta1=learning.beta1,
        niter=learning.niter,
        niter_decay=learning.niter_decay,
        niter_fix_global=learning.niter_fix_global,
        lambda_feat=learning.lambda_feat,
        matching=not learning.no_gan_feat_loss,
        least_squares=not learning.no_lsgan,
        pool_size=learning.pool_size,
        num_d=networks.num_d,
        n_layers_d=networks.n_layers_d,
        ndf=networks.ndf,
        precision=precision,
        seed=learning.seed,
    )
    made = work.plan
    training = start(
        settings,
        made.inputs,
        made.generator,
        made.encoder,
        device,
        alike=_vgg(learning, made.generator.output_nc, together),
        processes=together,
    )
    if wish.load_pretrain is not None:
        for notice in resuming.take_over(training, wish.load_pretrain, wish.which_epoch):
            if together.first:
                console.err.print(notice, soft_wrap=True)
    return training


def _vgg(learning: LearningOptions, output_nc: int, together: Processes) -> vgg.Vgg | None:
    """Return VGG where its loss is wanted and there are weights; say so where there are none."""
    if learning.no_vgg_loss:
        return None
    if learning.vgg is None:
        if together.first:
            console.err.print(
                "no VGG loss: it needs --vgg with torchvision's vgg19-dcbb9e9d.pth;"
                " --no_vgg_loss leaves this notice out",
                soft_wrap=True,
            )
        return None
    if output_nc not in {1, 3}:
        raise RunError(
            f"VGG looks at pictures of one or three channels, not {output_nc}",
            mend="leave out --vgg",
        )
    return vgg.load(learning.vgg)


def learned(work: Work, training: Training) -> dict[str, Any]:
    """Train to the end; return what came of it."""
    wish, course, first = work.wish, work.wish.course, training.processes.first
    settings, about = settings_of(work), trained.about(wish.data, wish.course)
    if first:
        folder.claim(wish.out, settings, about)
    training.processes.wait()
    notes = plan.settings_notes(work.plan, work.examples.greys, work.examples.given_greys)
    learner = TextureLearner(
        training,
        work.examples,
        wish.learning.batch_size,
        notes={**notes, "data": work.examples.source.digest},
        save_every=course.save_epoch_freq,
        workers=course.n_threads,
    )
    span = loop.Span(work.kimg, course.save_latest_freq / 1000, snap=1)
    with ExitStack() as stack:
        stack.enter_context(closing(learner))
        display = stack.enter_context(Display("training", quiet=not first))
        watch = loop.Watch(step=display.step)
        if first:
            watch.board = statistics.board(wish.out)
            if watch.board is None:
                console.err.print("no TensorBoard events: the package tensorboard is not installed")

            def tick(history: History) -> None:
                display.tick(history)
                told = {"data": wish.data, **settings}
                page.write(
                    wish.out,
                    page.Story(
                        "Learning textures (input, output, real)", told, about, history.lines
                    ),
                )

            watch.tick = tick
        history = loop.train(learner, wish.out, span, training.processes, watch)
        if first and training.encoder is not None:
            count = work.wish.inputs.n_clusters
            centres = learner.representative(count)
            clusters.write(wish.out / clusters.name_of(count), centres)
    return {
        "path": str(wish.out),
        "network": str(wish.out / "latest_net_G.safetensors"),
        "epochs": training.epochs,
        "pictures": training.pictures,
        **trained.last_figures(history),
    }


def settings_of(work: Work) -> dict[str, Any]:
    """Return what the result depends on, by option."""
    wish = work.wish
    of = wish.contents
    every = {
        "data digest": work.examples.source.digest[:16],
        "labels": of.labels,
        **asdict(work.plan.options),
        "black": work.examples.greys.black,
        "white": work.examples.greys.white,
        **asdict(wish.networks),
        **asdict(wish.learning),
    }
    if wish.learning.vgg is not None:
        every["vgg"] = str(wish.learning.vgg)
    if wish.load_pretrain is not None:
        every |= {"load_pretrain": str(wish.load_pretrain), "which_epoch": wish.which_epoch}
    return {SPELT.get(name, name): value for name, value in every.items()}
