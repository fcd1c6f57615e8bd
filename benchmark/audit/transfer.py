"""Train on synthetic, test on real: beside train on real, test on real, with the same budget."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.environments import ensure
from adapters.identity import source_digest
from adapters.registry import find
from adapters.worker import Worker
from benchmark.audit.sources import Source, spread
from benchmark.dataset import Dataset, DatasetWriter, SampleInput, seen
from benchmark.dataset.digest import json_digest
from benchmark.files import write_bytes
from benchmark.scoring import SCORER_VERSION, score
from benchmark.statistics import difference_interval, mean_interval
from benchmark.training import Training, train

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmark.audit.sources import Sources

THRESHOLDS = (0.5, 0.75)
WATCHED = 2
"""Images whose loss is reported while training; they do not change the weights."""


@dataclass(frozen=True)
class Trials:
    """What is trained.

    Attributes
    ----------
    algorithm
        An adapter that can be trained.
    epochs
        How long; the adapter's `train.py` says how many iterations that is.
    seeds
        One training for each.
    images
        At most so many training images; None: as many as the smallest set has.
    options
        Further options of its `train.py`, by name.
    device, threads
        Where and with how many threads; with other threads the last bits differ.
    """

    algorithm: str = "u2net"
    epochs: int = 200
    seeds: tuple[int, ...] = (0, 1, 2)
    images: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    threads: int | None = 1


def transfer(
    sources: Sources, trials: Trials, folder: Path, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Train on each set with one budget, and test all on the same held-back real images.

    The column `real` is trained on the reference. What is finished is kept in `folder`; a training
    that was killed continues.

    Returns
    -------
    dict
        `images` trained on, `test` images, `columns` with `ap50` and `ap75` each as `mean`, 95 %
        `interval` over images, `seeds`, one mean each, `ratio` to real and the `difference`'s
        interval, paired by image; `objects` and `megapixels` trained on.
    """
    trained_on = {n: s for n, s in sources.columns.items() if n != "real"}
    trained_on["real"] = sources.reference
    images = min(trials.images or len(s) for s in trained_on.values())
    images = min(images, *(len(s) for s in trained_on.values()))
    test = sources.columns["real"]
    columns: dict[str, Any] = {}
    by_image: dict[str, NDArray[np.float64]] = {}
    for name, source in trained_on.items():
        chosen = Source(source.dataset, spread(source.ids, images), source.target, source.channel)
        described, dataset = _as_dataset(name, chosen, folder)
        runs = []
        for number, seed in enumerate(trials.seeds, start=1):
            tell(f"training on {name}, seed {seed} ({number} of {len(trials.seeds)})")
            runs.append(_trial(dataset, test, trials, seed=seed, folder=folder, tell=tell))
        by_image[name] = np.array(runs)  # (seeds, images, thresholds)
        columns[name] = described
    for name, values in by_image.items():
        columns[name] |= _figures(values, by_image["real"], test.ids)
    return {
        "images": images,
        "test": len(test),
        "scorer": SCORER_VERSION,
        **{key: value for key, value in asdict(trials).items() if key != "images"},
        "columns": columns,
    }


def _as_dataset(name: str, source: Source, folder: Path) -> tuple[dict[str, Any], Dataset]:
    """Return what is trained on as a data set of its own, written once."""
    wanted = {**source.describe(), "ids": list(source.ids)}
    path = folder / f"{name}-{json_digest(wanted)[:12]}"
    if not path.exists():
        with DatasetWriter(
            path,
            name=f"train-on-{name}",
            version=seen.UNRELEASED,
            targets=(source.target,),
            channels=("light",),
            licence=source.dataset.manifest.licence,
        ) as writer:
            for number, (_, image, labels) in enumerate(source.images()):
                splits = ("train", "val") if number < WATCHED else ("train",)
                for split in splits:
                    writer.add(
                        SampleInput(
                            id=f"{split}-{number:05}",
                            image=image[np.newaxis],
                            labels={source.target: labels},
                            split=split,
                        )
                    )
    dataset = Dataset.open(path)
    learned = dataset.samples[dataset.samples["split"] == "train"]
    return {
        "objects": int(learned[f"n_{source.target}"].sum()),
        "megapixels": round(float((learned["height"] * learned["width"]).sum() / 1e6), 3),
    }, dataset


def _trial(
    dataset: Dataset,
    test: Source,
    trials: Trials,
    *,
    seed: int,
    folder: Path,
    tell: Callable[[str], None],
) -> list[list[float]]:
    """Train once and return AP of each test image at each threshold; NaN where there is nothing."""
    adapter, _ = find(trials.algorithm)
    options = {**trials.options, "epochs": trials.epochs, "seed": seed}
    training = Training(
        trials.algorithm,
        target=test.target,
        options=options,
        device=trials.device,
        threads=trials.threads,
    )
    plan = {**asdict(training), "source": source_digest(adapter), "dataset": dataset.digest}
    home = folder / f"{dataset.path.name}-seed{seed}-{json_digest(plan)[:12]}"
    wanted = {"plan": json_digest(plan), "test": test.describe(), "scorer": SCORER_VERSION}
    kept = home.with_name(f"{home.name}.json")
    earlier = _kept(kept)
    if earlier is not None and earlier["inputs"] == wanted:
        return [[float("nan") if v is None else v for v in row] for row in earlier["ap"]]

    def heard(message: dict[str, Any]) -> None:
        if "val_loss" in message:
            tell(
                f"  epoch {message.get('epoch')} of {message.get('epochs')}, "
                f"loss {message.get('train_loss', float('nan')):.4f}"
            )

    train(training, dataset, home, tell=lambda text: tell(f"  {text}"), on_message=heard)
    rows = _tested(home, test, trials, tell)
    plain = [[None if np.isnan(v) else round(v, 6) for v in row] for row in rows]
    write_bytes(kept, json.dumps({"inputs": wanted, "ap": plain}, indent=1).encode() + b"\n")
    return [[float("nan") if v is None else v for v in row] for row in plain]


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"inputs", "ap"} <= set(found) else None


def _tested(
    home: Path, test: Source, trials: Trials, tell: Callable[[str], None]
) -> list[list[float]]:
    adapter, model = find(f"{trials.algorithm}:{home.resolve()}")
    tell(f"  segmenting {len(test)} real images")
    rows = []
    with Worker(
        adapter, model, ensure(adapter, tell), device=trials.device, threads=trials.threads
    ) as worker:
        for sample in test.ids:
            image, labels = test.read(sample)
            found = score(labels, worker.segment(image[np.newaxis]).labels, thresholds=THRESHOLDS)
            rows.append([float(v) for v in found.ap])
    return rows


def _figures(
    values: NDArray[np.float64], real: NDArray[np.float64], images: Sequence[str]
) -> dict[str, Any]:
    """Return the figures at each threshold of AP (seeds, images, thresholds)."""
    figures = {}
    for place, threshold in enumerate(THRESHOLDS):
        mine, theirs = values[..., place], real[..., place]
        # Images without an object and without a prediction have no AP, whichever the seed.
        mean = _mean(mine)
        low, high = mean_interval(_over_seeds(mine), images)
        below, above = difference_interval(_over_seeds(mine), _over_seeds(theirs), images)
        figures[f"ap{threshold * 100:.0f}"] = {
            "mean": mean,
            "interval": [_plain(float(low)), _plain(float(high))],
            "seeds": [_mean(one) for one in mine],
            "ratio": _plain(_number(mean) / _number(_mean(theirs))) if _mean(theirs) else None,
            "difference": [_plain(below), _plain(above)],
        }
    return figures


def _over_seeds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.sum(~np.isnan(values), axis=0)
    total = np.nansum(values, axis=0)
    mean: NDArray[np.float64] = total / np.where(known > 0, known, np.nan)
    return mean


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), 4) if known.size else None


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
