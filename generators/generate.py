"""From a recipe to a data set: plan the samples, render each on its own, collect them in order."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.dataset import DatasetWriter, SampleInput, SampleRecord
from benchmark.dataset.continued import finished, write_and_record
from benchmark.dataset.digest import json_digest
from generators import fields
from generators.dials import draw
from generators.networks import networks_of
from generators.recipe import Recipe, Sizes, Variant
from generators.render import Rendered, Settings, render
from generators.sections import SECTIONS, dials_of
from generators.seeds import Seed
from generators.versions import maker

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from generators.recipe import Section


@dataclass(frozen=True)
class Task:
    """A sample to be made.

    Attributes
    ----------
    id, scene, split
        As the table of samples has them. Samples of one scene show the same objects.
    variant
        The kind of scene, if the recipe has several.
    factor, level
        The dial that a sweep turns, and where to.
    seed
        The stream of the scene.
    """

    id: str
    scene: str
    split: str
    variant: Variant | None
    factor: str | None
    level: float | None
    seed: Seed


def plan(recipe: Recipe, seed: int) -> list[Task]:
    """Return the samples that a recipe asks for, in order of split, scene, factor and level."""
    root = Seed.root(seed).at(recipe.name)
    tasks = []
    for split, count in recipe.splits.items():
        for scene, variant in zip(range(count), _variants(recipe.variants), strict=False):
            name = f"{split}-{scene:04d}"
            tasks += [
                Task(f"{name}{suffix}", name, split, variant, factor, level, root.at("scene", name))
                for suffix, factor, level in _levels(recipe)
            ]
    return tasks


def _levels(recipe: Recipe) -> Iterator[tuple[str, str | None, float | None]]:
    """Yield the renderings of a scene: one, or one for each level of each factor of the sweep."""
    if not recipe.sweep:
        yield "", None, None
    for factor, levels in recipe.sweep.items():
        for level in levels:
            yield f"-{factor}{level:.12g}", factor, level


def _variants(variants: tuple[Variant, ...]) -> Iterator[Variant | None]:
    """Yield variants for ever, each as often as its weight says, as evenly as can be."""
    used = dict.fromkeys(range(len(variants)), 0)
    while True:
        if not variants:
            yield None
            continue
        least = min(used, key=lambda k: (used[k] + 0.5) / variants[k].weight)
        used[least] += 1
        yield variants[least]


def settle(recipe: Recipe, task: Task) -> tuple[Settings, dict[str, Any]]:
    """Draw every dial of a sample.

    Returns
    -------
    Settings
        What to render.
    dict
        The factors of the sample: each dial by name.
    """
    chosen: dict[str, Any] = {}
    factors: dict[str, Any] = {}
    turned = recipe.turned
    for section, settings in recipe.sections(task.variant).items():
        values = _drawn(section, settings, task)
        chosen[section] = SECTIONS[section](**values)
        quiet = {name for name, about in dials_of(section).items() if about.get("quiet")} - turned
        factors |= {
            name: value
            for name, value in values.items()
            if isinstance(value, float) and name not in quiet
        }
    if task.variant is not None:
        factors["variant"] = task.variant.name
    if task.factor is not None:
        factors |= {"factor": task.factor, "level": task.level}
    size = recipe.size if task.variant is None or task.variant.size is None else task.variant.size
    if isinstance(size, Sizes):
        pick = task.seed.at("dial", "size").generator().random()
        size = size.choices[int(pick * len(size.choices))]
    shape = (size, size) if isinstance(size, int) else size
    chosen |= {"channels": recipe.layers, "pixel_size_um": recipe.pixel_size_um}
    return Settings(shape=shape, **chosen), factors


def _drawn(section: str, settings: Section, task: Task) -> dict[str, Any]:
    """Return the values of a section's dials; each has a stream of its own."""
    values: dict[str, Any] = {}
    for name, about in dials_of(section).items():
        setting = settings.get(name, about["default"])
        if task.factor == name:
            values[name] = task.level
        elif setting is None or isinstance(setting, str):
            values[name] = setting
        else:
            rng = task.seed.at("dial", name).generator()
            values[name] = round(float(draw(setting, rng)), 6)
    return values


def make(recipe: Recipe, task: Task) -> SampleInput:
    """Make a sample: the same for the same recipe and task, whatever was made before."""
    settings, factors = settle(recipe, task)
    rendered = render(settings, task.seed)
    return SampleInput(
        id=task.id,
        image=rendered.image,
        labels=rendered.labels,
        split=task.split,
        scene=task.scene,
        seed=task.seed.number,
        factors=factors | _outcome(rendered, settings),
        objects=rendered.objects,
        spots=rendered.spots,
    )


def _outcome(rendered: Rendered, settings: Settings) -> dict[str, Any]:
    """Return what came out of the dials, as further columns of the sample."""
    gain = {} if settings.camera.gain is not None else {"gain": round(rendered.gains[0], 6)}
    return {"covered": round(float((rendered.labels["nuclei"] > 0).mean()), 6), **gain}


def generate(
    recipe: Recipe,
    out: Path,
    *,
    name: str | None = None,
    seed: int = 0,
    workers: int | None = None,
    done: Callable[[int, int], None] = lambda _finished, _total: None,
) -> int:
    """Generate a data set, or what is left of it to do.

    An interrupted call leaves its finished samples in a hidden folder beside `out`. The next one
    with the same recipe, seed and versions of the code takes them as they are; any other begins
    anew.

    Parameters
    ----------
    recipe
        What to generate.
    out
        The folder to make; it must not exist. It appears when the set is complete.
    name
        What to call it; by default as the recipe. Scenes follow from the recipe's name either way.
    seed
        The user's seed. The same recipe and seed give the same data set.
    workers
        Processes; by default as many as this process may use cores. It changes nothing else.
    done
        Called after each sample with the number finished and the total.

    Returns
    -------
    int
        How many samples an interrupted call had finished.

    Raises
    ------
    DatasetError
        If the folder exists, another process is making it, or it cannot be written.
    """
    tasks = plan(recipe, seed)
    files, networks = _files(recipe), networks_of(recipe)
    content = recipe.model_dump(mode="json", exclude_defaults=True) | {"seed": seed}
    with DatasetWriter(
        out,
        # Other seeds are other content, and one name and version has one content.
        name=(name or recipe.name) + (f"-seed{seed}" if seed else ""),
        version=recipe.version,
        targets=recipe.targets,
        channels=tuple(recipe.layers),
        licence=recipe.licence,
        source=recipe.summary,
        recipe=content,
        networks=networks,
        pixel_size_um=recipe.pixel_size_um,
        identity=json_digest(
            {"recipe": content, "maker": maker(), "files": files, "networks": networks}
        ),
    ) as writer:
        there = {task.id: finished(writer.folder, task.id) for task in tasks}
        left = [task for task in tasks if there[task.id] is None]
        with closing(_records(recipe, left, writer.folder, workers)) as made:
            for number, task in enumerate(tasks, start=1):
                writer.collect(there[task.id] or next(made))
                done(number, len(tasks))
    return len(tasks) - len(left)


def _files(recipe: Recipe) -> dict[str, dict[str, str]]:
    """Return the digests of the files that a recipe names."""
    sources = {
        str(recipe.sections(variant)["layout"].get("fields", fields.NONE))
        for variant in recipe.variants or (None,)
    }
    return {source: fields.content(source) for source in sorted(sources)}


def _records(
    recipe: Recipe, tasks: list[Task], folder: Path, workers: int | None
) -> Generator[SampleRecord]:
    """Make samples and yield their records in the order of the tasks."""
    workers = min(workers or _cores(), len(tasks))
    if workers <= 1:
        yield from (write_and_record(folder, make(recipe, task)) for task in tasks)
        return
    # Fresh interpreters: a fork would copy the threads' locks of the progress display.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _enter, (recipe, folder)) as pool:
        yield from pool.map(_work, tasks, chunksize=max(1, min(8, len(tasks) // (4 * workers))))


def _cores() -> int:
    """Return how many cores this process may use; not every system tells more than how many are."""
    affinity = getattr(os, "sched_getaffinity", None)
    return (os.cpu_count() or 1) if affinity is None else len(affinity(0))


_shared: dict[str, Any] = {}


def _enter(recipe: Recipe, folder: Path) -> None:
    """Prepare a worker: what all its tasks share, and an end when its parent is gone."""
    _shared.update(recipe=recipe, folder=folder)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _work(task: Task) -> SampleRecord:
    return write_and_record(_shared["folder"], make(_shared["recipe"], task))
