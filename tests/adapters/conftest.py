"""What the tests of adapters share."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from adapters.adapter import Adapter
from adapters.environments import ensure
from adapters.registry import find
from adapters.worker import Limits, Worker

MISBEHAVING = Path(__file__).parent / "misbehaving"


@pytest.fixture(scope="module")
def misbehaving():
    """A function that returns a worker which misbehaves in the given ways."""
    with ExitStack() as stack:

        def make(*modes, limits=None, **options):
            adapter = Adapter.load(MISBEHAVING)
            worker = Worker(
                adapter,
                adapter.model(),
                ensure(adapter),
                parameters={"mode": ",".join(modes)},
                limits=limits or Limits(seconds=20, start_seconds=20),
                threads=1,
                **options,
            )
            return stack.enter_context(worker)

        yield make


@pytest.fixture
def good_image():
    """An image that the misbehaving adapter treats well."""
    return np.zeros((1, 8, 6), np.uint16)


@pytest.fixture
def bad_image():
    """An image that sets the misbehaving adapter off."""
    return np.ones((1, 8, 6), np.uint16)


@pytest.fixture
def make_adapter(tmp_path):
    """A function that writes an adapter's folder and returns its path."""

    def make(name="mine", files=(), **texts):
        folder = tmp_path / name
        folder.mkdir()
        texts = {name.replace("__", "."): text for name, text in texts.items()}
        for file, text in {**dict(files), **texts}.items():
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return make


# Of a module, not of the session: `algorithm` is another one in each folder.
@pytest.fixture(scope="module")
def environment(algorithm):
    """The environment of the segmenter that a folder's own conftest names as `algorithm`."""
    return ensure(find(algorithm)[0])


@pytest.fixture(scope="module")
def inside(algorithm, environment):
    """A function that runs code in it, beside the adapter's modules, and returns what it prints."""

    def run(code, *arguments):
        folder = find(algorithm)[0].folder
        start = f"import json, sys; sys.path.insert(0, {str(folder)!r})\n"
        command = [environment.python, "-B", "-c", start + code, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def worker(algorithm, environment):
    """A function that returns a worker for a model."""
    workers = []

    def make(model="cellgen", **parameters):
        adapter, found = find(f"{algorithm}:{model}")
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
