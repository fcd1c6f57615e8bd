"""Train an algorithm on a split of a data set, through the algorithm's own training interface.

The split is handed over as a folder of plain arrays, which every framework can read; the adapter's
`train.py` does the rest in its own environment. What comes out is a folder: the weights, and a
record of all that made them. `bench run --algorithms NAME:FOLDER` uses it. The contract with
`train.py`: `docs/training.md`.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from adapters.environments import ensure
from adapters.errors import AdapterError
from adapters.identity import source_digest
from adapters.registry import find
from adapters.training import run_training
from adapters.worker import Worker
from benchmark.errors import RunError
from benchmark.files import write_bytes
from benchmark.scoring import SCORER_VERSION, score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from adapters.adapter import Adapter
    from adapters.environments import Environment
    from benchmark.dataset import Dataset

RECORD = "training.json"
WEIGHTS = "model.safetensors"
CHECKPOINT = "checkpoint.safetensors"
_DATA = ".data"
_LOCK = ".lock"


@dataclass(frozen=True)
class Training:
    """What is trained on what: two trainings with equal fields give the same weights.

    Parameters
    ----------
    algorithm
        Name of an adapter, or the path of its folder.
    split, val_split
        Where the network learns, and where its progress and the result are measured.
    target
        Which labels to learn; None: the data set's first target.
    options
        Handed to the adapter's `train.py`, which knows their names.
    """

    algorithm: str
    split: str = "train"
    val_split: str = "val"
    target: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    threads: int | None = None


def train(
    training: Training,
    dataset: Dataset,
    out: Path,
    *,
    command: str = "",
    tell: Callable[[str], None] = lambda _: None,
    on_message: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Train, or continue a training that was interrupted, and measure the result.

    Parameters
    ----------
    training
        What to do.
    dataset
        An opened data set that has both splits.
    out
        Folder for the weights and their record; made if absent.
    command
        Kept in the record: how to do this again.
    tell
        Called with one line at each step.
    on_message
        Called with every message that the adapter reports: plain numbers, `epoch` and `epochs`
        among them.

    Returns
    -------
    dict
        The record, as `training.json` holds it.

    Raises
    ------
    RunError
        If `out` is no folder, holds another training or other files, or another process is
        training there.
    DatasetError
        If a split or the target is missing.
    AdapterError, BuildError, SegmenterError
        If the algorithm is unknown or cannot be trained, has no environment, or failed.
    """
    adapter, _ = find(training.algorithm)
    target = training.target or dataset.manifest.targets[0]
    _check(training, adapter, dataset, target)
    plan = _plan(training, adapter, dataset, target)
    _make(out)
    lock = FileLock(out / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            "another process is training here", where=out, mend="wait for it, or choose another out"
        ) from None
    with lock:
        earlier = _claim(plan, out)
        if earlier is not None:
            tell("this training was finished before; nothing to do")
            return earlier
        environment = ensure(adapter, tell)
        with _emptied(out / _DATA) as data:
            tell(f"handing over {dataset.name} {dataset.version}")
            splits = {"train": training.split, "val": training.val_split}
            hand_over(dataset, splits, target, data)
            tell(f"training {adapter.name}; a killed training continues with the same command")
            options = _options(training)
            result = run_training(
                adapter,
                environment,
                data,
                out,
                options,
                on_message,
                threads=training.threads,
            )
        _check_weights(adapter, out)
        tell(f"measuring the result on split {training.val_split!r}")
        validation = _validate(training, environment, dataset, target, out)
        record = {**plan, "command": command, "result": result, "validation": validation}
        _write(out / RECORD, record)
        (out / CHECKPOINT).unlink(missing_ok=True)
        return record


def hand_over(
    dataset: Dataset, splits: Mapping[str, str], target: str, folder: Path
) -> dict[str, Any]:
    """Write splits of a data set as arrays, and the index that names them.

    Parameters
    ----------
    dataset
        Where they come from.
    splits
        Their names for the adapter ("train", "val"), and in the data set.
    target
        Which labels.
    folder
        Where `index.json` and the arrays go.

    Returns
    -------
    dict
        The index, as `index.json` holds it.
    """
    index: dict[str, Any] = {"format": 1, "target": target, "splits": {}}
    index["channels"] = list(dataset.manifest.channels)
    for name, split in splits.items():
        (folder / name).mkdir(parents=True)
        entries = []
        # Numbers, not ids, name the files: an id may be longer than a file's name.
        for number, sample in enumerate(dataset.ids(split)):
            entry = {"id": sample}
            arrays = {
                "image": dataset.read_image(sample),
                "labels": dataset.read_labels(sample, target),
            }
            for kind, array in arrays.items():
                entry[kind] = f"{name}/{number:06}-{kind}.npy"
                np.save(folder / entry[kind], array, allow_pickle=False)
            entries.append(entry)
        index["splits"][name] = entries
    _write(folder / "index.json", index)
    return index


def _check(training: Training, adapter: Adapter, dataset: Dataset, target: str) -> None:
    """Find the mistakes that can be found before the folder is claimed."""
    if adapter.training is None:
        raise AdapterError(
            f"{adapter.name} cannot be trained here", where=adapter.folder, mend="add a train.py"
        )
    for split in (training.split, training.val_split):
        dataset.read_labels(dataset.ids(split)[0], target)


def _plan(training: Training, adapter: Adapter, dataset: Dataset, target: str) -> dict[str, Any]:
    """Return everything that the weights follow from, as plain values."""
    return {
        "format": 1,
        **asdict(training),
        "algorithm": adapter.name,
        "target": target,
        "options": dict(sorted(training.options.items())),
        "source": source_digest(adapter),
        "dataset": {
            "name": dataset.name,
            "version": dataset.version,
            "digest": dataset.digest,
        },
    }


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"no folder can be made here: {error.strerror}",
            where=out,
            mend="name a new folder as --out",
        ) from error


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """Lend a folder, empty at first; what a killed training left in it is removed before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _claim(plan: dict[str, Any], out: Path) -> dict[str, Any] | None:
    """Make the folder this training's own; return its record if it is finished already."""
    path = out / RECORD
    if not path.exists():
        if any(file.name != _LOCK for file in out.iterdir()):
            raise RunError(
                "the folder holds other files", where=out, mend="choose an empty folder as --out"
            )
        _write(path, plan)
        return None
    earlier = _read(path)
    if "result" not in earlier and not (out / CHECKPOINT).exists():
        _write(path, plan)  # nothing was learned yet that another plan could spoil
        return None
    for key, value in plan.items():
        if earlier.get(key) != value:
            raise RunError(
                f"the folder holds another training: {key} was {earlier.get(key)!r}, now {value!r}",
                where=out,
                mend="choose another folder as --out",
            )
    return earlier if "result" in earlier else None


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict):
        raise RunError(
            "this is no record of a training", where=path, mend="choose another folder as --out"
        )
    return record


def _options(training: Training) -> dict[str, Any]:
    """Return what `train.py` is told: its own options, and where it may run."""
    options = {**training.options, "device": training.device}
    if training.threads is not None:
        options["threads"] = training.threads
    return options


def _check_weights(adapter: Adapter, out: Path) -> None:
    if not (out / WEIGHTS).is_file():
        raise RunError(
            f"{adapter.name} ended its training without {WEIGHTS}",
            where=out,
            mend="let its train.py write that file",
        )


def _validate(
    training: Training, environment: Environment, dataset: Dataset, target: str, out: Path
) -> dict[str, Any]:
    """Segment the validation split with the new weights, as `bench run` would."""
    adapter, model = find(f"{training.algorithm}:{out.resolve()}")
    by_image = []
    with Worker(
        adapter, model, environment, device=training.device, threads=training.threads
    ) as worker:
        for sample in dataset.ids(training.val_split):
            labels = worker.segment(dataset.read_image(sample)).labels
            by_image.append(score(dataset.read_labels(sample, target), labels).ap)
    ap = np.array(by_image)  # (samples, thresholds); NaN where both are empty
    return {
        "split": training.val_split,
        "n": len(ap),
        "scorer": SCORER_VERSION,
        "ap50": _mean(ap[:, 0]),
        "mean_ap": _mean(ap.mean(axis=1)),
    }


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    counted = values[~np.isnan(values)]
    return round(float(counted.mean()), 4) if counted.size else None


def _write(path: Path, value: dict[str, Any]) -> None:
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False)
    write_bytes(path, text.encode() + b"\n")
