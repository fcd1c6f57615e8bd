"""U2-Net's own environment: the project's has no torch."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from adapters.environments import ensure
from adapters.registry import find
from adapters.worker import Worker


@pytest.fixture(scope="session")
def environment():
    return ensure(find("u2net")[0])


@pytest.fixture(scope="session")
def inside(environment):
    """A function that runs code beside network.py, on arguments, and returns what it prints."""

    def run(code, *arguments):
        folder = find("u2net")[0].folder
        start = f"import json, sys; sys.path.insert(0, {str(folder)!r})\n"
        command = [environment.python, "-B", "-c", start + code, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def worker(environment):
    """A function that returns a worker for a model."""
    workers = []

    def make(model="cellgen", **parameters):
        adapter, found = find(f"u2net:{model}")
        workers.append(Worker(adapter, found, environment, parameters=parameters, threads=1))
        return workers[-1]

    yield make
    for one in workers:
        one.close()


@pytest.fixture
def discs():
    """Nine discs of radius 9 on a grid, the middle two touching: image (1, Y, X) and labels."""
    y, x = np.mgrid[:131, :117]
    labels = np.zeros(y.shape, np.uint16)
    for number in range(9):
        row, column = divmod(number, 3)
        middle = 22 + 40 * row, 20 + 36 * column - (17 if number == 5 else 0)
        labels[np.hypot(y - middle[0], x - middle[1]) <= 9] = number + 1
    rng = np.random.default_rng(0)
    return (rng.poisson(20 + 180 * (labels > 0))[None]).astype(np.uint16), labels


@pytest.fixture
def folder_of_scenes(tmp_path):
    """Four scenes as `bench train` hands them over: (folder, number of scenes)."""
    rng = np.random.default_rng(1)
    index = {"format": 1, "target": "nuclei", "channels": ["dna"], "splits": {}}
    for split, count in (("train", 3), ("val", 1)):
        (tmp_path / "data" / split).mkdir(parents=True)
        index["splits"][split] = []
        for number in range(count):
            labels = np.zeros((70, 90), np.uint16)
            for label, (y, x) in enumerate(rng.integers(10, 60, (6, 2)), 1):
                labels[y - 5 : y + 5, x - 5 : x + 5] = label
            image = rng.poisson(10 + 100 * (labels > 0))[None].astype(np.uint16)
            entry = {"id": f"{split}{number}"}
            for kind, array in (("image", image), ("labels", labels)):
                entry[kind] = f"{split}/{number}-{kind}.npy"
                np.save(tmp_path / "data" / entry[kind], array)
            index["splits"][split].append(entry)
    (tmp_path / "data" / "index.json").write_text(json.dumps(index))
    return Path(tmp_path / "data")
