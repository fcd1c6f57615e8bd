"""How long scoring takes, beside the packages it replaces.

    pytest tests/performance/test_scoring.py --full -s

Every figure is CPU time on one thread, and each stands beside its peer's from the same run; the
peers run in the environment of `tests/agreement`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from adapters.adapter import Adapter, PythonNeeds
from adapters.environments import ensure
from benchmark.scoring import score
from benchmark.scoring.compiled import compiled
from benchmark.scoring.many import score_many

PEERS = Path(__file__).parent / "peers" / "scoring.py"
PACKAGES = Path(__file__).parents[1] / "agreement" / "packages"
ALONE = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.segmenter,
    pytest.mark.benchmark(timer=time.process_time),
]


def field(shape, n, radius, seed, kind=np.uint16):
    """Return balls as truth, and as prediction the same balls moved by two pixels or so.

    In 16 bits, as data sets hold labels, if nothing else is asked for.
    """
    generator = np.random.default_rng(seed)
    labels = np.zeros((2, *shape), kind)
    for k in range(1, n + 1):
        centre = generator.uniform(0, shape)
        squared = (radius * generator.uniform(0.7, 1.3)) ** 2
        for plane, shift in enumerate((0, generator.normal(0, 2, len(shape)))):
            middle = centre + shift
            low = np.maximum(0, (middle - 2 * radius).astype(int))
            box = tuple(slice(a, int(m + 2 * radius)) for a, m in zip(low, middle, strict=True))
            inside = labels[(plane, *box)]
            grid = np.indices(inside.shape).reshape(len(shape), -1).T + low
            ball = ((grid - middle) ** 2).sum(axis=1).reshape(inside.shape) < squared
            inside[ball] = k
    return labels


SETS = {
    "100 of 256x256, 40 cells": lambda: [field((256, 256), 40, 14, seed) for seed in range(100)],
    "1 of 1024x1024, 600 cells": lambda: [field((1024, 1024), 600, 16, 0)],
    "1 of 64x512x512, 1900 cells": lambda: [field((64, 512, 512), 1900, 7, 0)],
}


@pytest.fixture(scope="module", params=SETS)
def pairs(request):
    return SETS[request.param]()


@pytest.fixture(scope="module")
def peers(pairs, tmp_path_factory):
    """Seconds that cellpose and stardist take for the same pairs."""
    needs = PythonNeeds(python=">=3.11,<3.12")
    adapter = Adapter(folder=PACKAGES, name="packages", environment=needs, models={})
    path = tmp_path_factory.mktemp("peers") / "pairs.npz"
    arrays = {
        f"{k}/{side}": labels
        for k, both in enumerate(pairs)
        for side, labels in zip(("truth", "prediction"), both, strict=True)
    }
    np.savez(path, **arrays)
    command = [ensure(adapter).python, "-B", PEERS, path, "3"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **ALONE}
    )
    return json.loads(done.stdout)


def test_ap_at_ten_thresholds(benchmark, pairs, peers):
    result = benchmark.pedantic(
        lambda: [score(*pair).ap for pair in pairs], rounds=9, warmup_rounds=1
    )
    assert all(0 < np.mean(ap) < 1 for ap in result)
    ours = benchmark.stats.stats.min
    for name, seconds in peers.items():
        benchmark.extra_info[f"{name}_ms"] = round(1000 * seconds, 2)
        benchmark.extra_info[f"{name}_ratio"] = round(seconds / ours, 1)
    print(f"\nours {1000 * ours:.2f} ms, {benchmark.extra_info}")


@compiled
def plain_pass(truth, prediction):
    """Read every pixel of both arrays once."""
    n = 0
    for k in range(len(truth)):
        n += truth[k] != prediction[k]
    return n


def test_twenty_thousand_cells_beside_one_pass_over_both_arrays(benchmark):
    truth, prediction = field((4096, 4096), 20_000, 12, 0, np.int32)
    flat = truth.reshape(-1), prediction.reshape(-1)
    plain_pass(*flat)
    passes = []
    for _ in range(9):
        start = time.process_time()
        plain_pass(*flat)
        passes.append(time.process_time() - start)
    benchmark.pedantic(lambda: score(truth, prediction).ap, rounds=9, warmup_rounds=1)
    tracemalloc.start()
    result = score(truth, prediction)
    assert 0 < result.mean_ap < 1
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    ours = benchmark.stats.stats.min
    benchmark.extra_info["one_pass_ms"] = round(1000 * min(passes), 2)
    benchmark.extra_info["passes"] = round(ours / min(passes), 1)
    benchmark.extra_info["peak_mb"] = round(peak, 1)
    print(f"\nours {1000 * ours:.1f} ms, {result.n_true} cells, {benchmark.extra_info}")


@pytest.mark.benchmark(timer=time.perf_counter)
def test_a_thousand_images_with_everything_on_two_cores(benchmark):
    images = [field((512, 512), 80, 18, seed) for seed in range(50)]

    def run(n):
        again = (images[k % len(images)] for k in range(n))
        return sum(1 for _ in score_many(again, tuple, workers=2))

    run(4)
    assert benchmark.pedantic(run, args=(1000,), rounds=1) == 1000
    print(f"\n1,000 images of 512 x 512: {benchmark.stats.stats.min:.1f} s")


def test_import_and_first_call(benchmark, tmp_path):
    """The first score of a process: with nothing compiled yet, and with compiled code at hand."""
    code = (
        "import time; start = time.perf_counter();"
        "from benchmark.scoring import score; imported = time.perf_counter();"
        "import numpy as np; labels = np.eye(9, dtype=np.uint16);"
        "score(labels, labels).ap; ap = time.perf_counter();"
        "score(labels, labels).to_dict(); end = time.perf_counter();"
        "print(imported - start, ap - imported, end - ap)"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def first():
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        return [float(seconds) for seconds in done.stdout.split()]

    names = ("import", "first_ap", "all_the_rest")
    for state, seconds in (("compiling", first()), ("compiled", benchmark.pedantic(first))):
        for name, value in zip(names, seconds, strict=True):
            benchmark.extra_info[f"{name}_{state}_s"] = round(value, 2)
    assert list(islice(tmp_path.rglob("*.nbc"), 1))
    print(f"\n{benchmark.extra_info}")
