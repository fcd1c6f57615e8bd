"""The real packages in environments of their own, and 1,000 pairs of label images for them."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from adapters.adapter import Adapter, PythonNeeds
from adapters.environments import ensure
from benchmark.scoring import score

HERE = Path(__file__).parent
PYTHONS = {"packages": ">=3.11,<3.12", "deepcell": ">=3.10,<3.11"}
N_PAIRS = 1000

collect_ignore_glob = ["*/answer.py"]  # runs in those environments


@pytest.fixture(scope="session")
def ask(tmp_path_factory):
    """A function that asks the packages of an environment about pairs: their answers by name."""

    def answers(name, pairs):
        needs = PythonNeeds(python=PYTHONS[name])
        python = ensure(Adapter(folder=HERE / name, name=name, environment=needs, models={})).python
        folder = tmp_path_factory.mktemp(name)
        arrays = {
            f"{pair}/{side}": labels
            for pair, both in pairs.items()
            for side, labels in zip(("truth", "prediction"), both, strict=True)
        }
        np.savez(folder / "pairs.npz", **arrays)
        command = [python, "-B", HERE / name / "answer.py", "pairs.npz", "answers.json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads((folder / "answers.json").read_text(encoding="utf-8"))

    return answers


@pytest.fixture(scope="session")
def pairs():
    """Pairs of label images by name: ids from 1 without a gap, 32 bits."""
    made = (random_pair(number) for number in range(N_PAIRS))
    return {
        f"random {number}": (renumbered(truth), renumbered(prediction))
        for number, (truth, prediction) in enumerate(made)
    }


@pytest.fixture(scope="session")
def said(ask, pairs):
    """What the packages say about the 1,000 pairs."""
    return ask("packages", pairs)


@pytest.fixture(scope="session")
def deepcell_said(ask, pairs):
    """What deepcell says about the 1,000 pairs."""
    return ask("deepcell", pairs)


@pytest.fixture(scope="session")
def scores(pairs):
    """A function that scores the 1,000 pairs: by name, of labels in another guise."""
    others = {
        name: (disguised(truth, number), disguised(found, number + 1))
        for number, (name, (truth, found)) in enumerate(pairs.items())
    }

    @cache
    def scored(profile, *thresholds, **options):
        options["thresholds"] = thresholds or None
        return {name: score(*both, profile=profile, **options) for name, both in others.items()}

    return scored


@pytest.fixture(scope="session")
def agree():
    """A function that holds figures, by name of the pair, to those of a package."""

    def check(ours, theirs, tolerance=1e-12):
        assert ours.keys() == theirs.keys()
        wrong = {
            name: (ours[name], theirs[name])
            for name in ours
            if not np.allclose(ours[name], theirs[name], rtol=0, atol=tolerance, equal_nan=True)
        }
        few = "".join(f"\n{name}: {both}" for name, both in list(wrong.items())[:5])
        assert not wrong, f"{len(wrong)} of {len(ours)} pairs differ{few}"

    return check


def disguised(labels, number):
    """Return the labels with other ids, in another type and byte order."""
    rng = np.random.default_rng((2, number))
    kind = np.dtype(("<u2", ">i4", "<i8", ">u8", "<u4", ">i2")[number % 6])
    highest = min(np.iinfo(kind).max, 2**62)
    ids = np.zeros(labels.max(initial=0) + 1, kind)
    while len(np.unique(ids)) < len(ids):
        ids[1:] = rng.integers(1, highest, len(ids) - 1)
    return ids[labels]


def renumbered(labels):
    """Return the labels with ids from 1 without a gap."""
    ids, index = np.unique(labels, return_inverse=True)
    shift = int(ids.size == 0 or ids[0] != 0)
    return (index.reshape(labels.shape) + shift).astype(np.int32)


def random_pair(number):
    """Return truth and prediction; every kind of trouble comes back every 25 pairs."""
    rng = np.random.default_rng((1, number))
    shape = tuple(rng.integers(48, 97, 2)) if number % 7 else (10, *rng.integers(24, 33, 2))
    kind = number % 25
    if kind < 15:
        truth = cells(rng, shape, rng.integers(2, 30))
        found = segmented(rng, truth)
    elif kind < 18:
        truth, found = exact_shares(rng, shape)
    elif kind < 20:  # objects in fragments, everything overlaps everything
        truth, found = coarse(rng, shape), coarse(rng, shape)
    elif kind < 22:  # no background in the truth, or in both
        truth = territories(rng, shape, 12)
        found = segmented(rng, truth) if kind == 20 else territories(rng, shape, 12)
    elif kind == 22:  # nothing to do with each other
        truth, found = cells(rng, shape, 15), cells(rng, shape, 15)
    elif kind == 23:  # cells that fill the field, moved by a pixel or two
        truth = territories(rng, shape, 25)
        found = np.roll(truth, rng.integers(-3, 4, truth.ndim), range(truth.ndim))
    else:
        truth, found = cells(rng, shape, 8), cells(rng, shape, 8)
        truth[:] *= number // 25 % 4 in {1, 2}
        found[:] *= number // 25 % 4 in {0, 2}
    return truth, found


def cells(rng, shape, n):
    """Return ellipsoids, each over the ones before: apart, touching and overlapping."""
    grid = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for label in range(1, n + 1):
        middle = rng.uniform(0, shape)
        radius = rng.uniform(2.5, 10, len(shape))
        away = sum(((x - m) / r) ** 2 for x, m, r in zip(grid, middle, radius, strict=True))
        labels[away <= 1] = label
    return labels


def territories(rng, shape, n):
    """Return the field divided among `n` points, without any background."""
    grid = np.indices(shape)[:, None]
    points = rng.uniform(0, 1, (len(shape), n)) * np.array(shape)[:, None]
    points = points.reshape(len(shape), n, *[1] * len(shape))
    return ((grid - points) ** 2).sum(axis=0).argmin(axis=0).astype(np.int32) + 1


def coarse(rng, shape):
    """Return blocks of random ids: most objects are in several fragments."""
    blocks = rng.integers(0, 6, [-(-side // 8) for side in shape])
    for axis in range(len(shape)):
        blocks = blocks.repeat(8, axis=axis)
    return blocks[tuple(slice(side) for side in shape)].astype(np.int32)


def segmented(rng, truth):
    """Return the truth with the errors of a segmenter, one kind drawn for each object."""
    found = np.zeros_like(truth)
    label = 0
    last = None
    for true_id in np.unique(truth[truth > 0]):
        mask = truth == true_id
        error = rng.choice(["none", "miss", "shift", "cut", "halve", "join", "grow", "chip"])
        label += 1
        if error == "miss":
            continue
        if error == "join" and last is not None:
            found[mask] = last
            continue
        if error == "shift":
            mask = np.roll(mask, rng.integers(-4, 5, mask.ndim), range(mask.ndim))
        places = np.argwhere(mask)
        along = places[:, rng.integers(mask.ndim)]
        where = tuple(places.T)
        if error == "grow":
            wide = np.unique(np.clip(places + rng.integers(-2, 3, places.shape), 0, None), axis=0)
            where = tuple(np.minimum(wide, np.array(mask.shape) - 1).T)
        found[where] = last = label
        if error in {"cut", "halve", "chip"} and len(places) > 1:
            share = {"cut": rng.uniform(0.1, 0.9), "halve": 0.5, "chip": 0.1}[error]
            part = np.argsort(along, kind="stable")[: max(1, int(share * len(places)))]
            label += 1
            found[tuple(places[part].T)] = label
    for _ in range(rng.integers(0, 4)):  # what is not there
        label += 1
        corner = [rng.integers(0, side) for side in truth.shape]
        box = tuple(slice(c, c + rng.integers(1, 9)) for c in corner)
        found[box] = np.where(
            rng.random() < 0.5, label, np.where(found[box] == 0, label, found[box])
        )
    return found


def exact_shares(rng, shape):
    """Return bars of 20 pixels, of which the prediction has an exact share, sometimes in parts.

    Shares of 1/20 meet all thresholds from .05 to .95, 1/2 and 3/5 included.
    """
    field = np.zeros((2, int(np.prod(shape)) // 20, 20), np.int32)
    truth, found = field
    n = min(len(truth), rng.integers(5, 40))
    label = 0
    for bar in rng.choice(len(truth), n, replace=False):
        truth[bar] = bar + 1
        share = rng.integers(0, 21)
        label += 1
        found[bar, :share] = label
        if rng.random() < 0.5:
            label += 1
            found[bar, share:] = label
        if rng.random() < 0.3:  # truth smaller than what was found
            truth[bar, : rng.integers(0, 11)] = 0
    rest = int(np.prod(shape)) - truth.size
    return tuple(np.pad(side.ravel(), (0, rest)).reshape(shape) for side in (truth, found))
