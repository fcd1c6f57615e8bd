"""What a run will do: which samples of which data set, by which algorithms.

A plan is made before any environment is built or any image is read, so every mistake in a name
is reported at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.errors import BuildError
from adapters.identity import identify
from adapters.registry import find
from benchmark.errors import RunError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.adapter import Adapter, Model
    from benchmark.dataset import Dataset

KEY_LENGTH = 16


@dataclass(frozen=True)
class Entry:
    """One row of the leaderboard: an algorithm with a model.

    `key` names its predictions inside the run folder. It digests everything that the labels depend
    on: data set, adapter source, environment lock, model, parameters, class of device.
    `problem` says why the algorithm cannot run on this machine, where that is known beforehand.
    """

    adapter: Adapter
    model: Model
    parameters: dict[str, Any]
    identity: dict[str, Any]
    key: str
    problem: str | None = None

    @property
    def name(self) -> str:
        """`algorithm:model`, as the user would write it."""
        return f"{self.adapter.name}:{self.model.name}"


@dataclass(frozen=True)
class Plan:
    """Samples and entries of one run, in the order in which they are worked through."""

    dataset: Dataset
    split: str
    target: str
    samples: tuple[str, ...]
    entries: tuple[Entry, ...]
    device: str

    def describe(self) -> dict[str, Any]:
        """Return the plan as plain values, for `run.json`."""
        return {
            "format": 1,
            "dataset": {
                "name": self.dataset.name,
                "version": self.dataset.version,
                "digest": self.dataset.digest,
                "path": str(self.dataset.path.resolve()),
                "split": self.split,
                "target": self.target,
                "n": len(self.samples),
            },
            "device": self.device,
            "machine": {
                "python": platform.python_version(),
                "system": platform.system(),
                "processor": f"{platform.machine()}, {os.cpu_count()} cores",
            },
            "algorithms": [
                {
                    "algorithm": entry.adapter.name,
                    "model": entry.model.name,
                    "title": entry.adapter.title,
                    "track": entry.model.track,
                    "key": entry.key,
                    "identity": entry.identity,
                }
                for entry in self.entries
            ],
        }


def make_plan(
    dataset: Dataset,
    algorithms: Sequence[str],
    *,
    split: str | None = None,
    target: str | None = None,
    device: str = "cpu",
    limit: int | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plan:
    """Resolve every name of a run.

    Parameters
    ----------
    dataset
        An opened data set.
    algorithms
        Names as the user writes them: `cellpose`, `cellpose:cyto3`, `./mine`.
    split
        A split of the data set; by default `test`, or the only one there is.
    target
        What to segment; by default the data set's first target.
    device
        `cpu`, or a device the algorithm knows, such as `cuda`.
    limit
        Take only the first so many samples.
    settings
        Parameters by the name of their algorithm; the others keep their defaults.

    Raises
    ------
    RunError
        If there is no such split or target, nothing to run, a name is given twice, or a setting is
        of an algorithm that does not run.
    AdapterError
        If there is no such algorithm, model or parameter, or a value is out of range.
    """
    if not algorithms:
        raise RunError("no algorithm to run", mend="name some: --algorithms cellpose,u2net")
    split = _choose_split(dataset, split)
    target = _choose_target(dataset, target)
    samples = tuple(dataset.ids(split=split)[:limit])
    if not samples:
        raise RunError(f"split {split!r} has no samples", where=dataset.path)
    settings = settings or {}
    entries = tuple(_entry(dataset, name, target, device, settings) for name in algorithms)
    _refuse_twins(entries)
    names = {entry.adapter.name for entry in entries}
    for name in settings:
        if name not in names:
            raise RunError(
                f"a setting is of {name!r}, which does not run", mend=nearest(name, names)
            )
    return Plan(dataset, split, target, samples, entries, device)


def _choose_split(dataset: Dataset, split: str | None) -> str:
    known = sorted(dataset.samples["split"].unique())
    if split is None:
        if "test" in known:
            return "test"
        if len(known) == 1:
            return str(known[0])
        raise RunError(
            "the data set has no split 'test'",
            where=dataset.path,
            mend=f"name one with --split: {', '.join(known)}",
        )
    if split not in known:
        raise RunError(f"no split {split!r}", where=dataset.path, mend=nearest(split, known))
    return split


def _choose_target(dataset: Dataset, target: str | None) -> str:
    known = dataset.manifest.targets
    if target is None:
        return known[0]
    if target not in known:
        raise RunError(f"no target {target!r}", where=dataset.path, mend=nearest(target, known))
    return target


def _entry(
    dataset: Dataset,
    name: str,
    target: str,
    device: str,
    settings: Mapping[str, Mapping[str, Any]],
) -> Entry:
    adapter, model = find(name)
    # Most algorithms find one kind of object, whatever it is called; the others ask which.
    asked = {"target": target} if "target" in adapter.parameters else {}
    parameters = {**asked, **settings.get(adapter.name, {})}
    adapter.resolve(parameters)
    identity: dict[str, Any] = {"dataset": dataset.digest, "target": target}
    problem = None
    try:
        identity |= identify(adapter, model, parameters=parameters, device=device)
    except BuildError as error:  # such as no Python that fits: a row that says so, and no more
        identity |= {"algorithm": adapter.name, "model": model.name}
        problem = str(error)
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()
    key = hashlib.sha256(canonical).hexdigest()[:KEY_LENGTH]
    return Entry(adapter, model, parameters, identity, key, problem)


def _refuse_twins(entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            raise RunError(
                f"algorithm {entry.name!r} is named twice",
                mend="name each algorithm and model once; rename one of two folders of one name",
            )
        seen.add(entry.name)
