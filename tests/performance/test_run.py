"""What the harness adds to an algorithm's own time, beside a bare loop that does the same work.

    pytest tests/performance/test_run.py --full -s

The bare loop reads each image and its truth, writes an empty prediction and scores it: what a
script without worker, journal, resume and isolation would do.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tifffile

from adapters.worker import Limits
from benchmark.dataset import Dataset, DatasetWriter, SampleInput
from benchmark.run import execute, make_plan
from benchmark.scoring import score

N = 200
SIDE = 256


class Quiet:
    def start(self, name, total, done):
        pass

    def say(self, text):
        raise AssertionError(text)

    def advance(self):
        pass


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("performance") / "discs"
    grid = np.arange(SIDE) % 32 - 16
    discs = grid[:, None] ** 2 + grid**2 < 144
    labels = (
        discs * (np.add.outer(8 * (np.arange(SIDE) // 32), np.arange(SIDE) // 32) + 1)
    ).astype(np.uint16)
    rng = np.random.default_rng(0)
    with DatasetWriter(folder, name="discs", version="1.0.0", targets=("nuclei",)) as writer:
        for i in range(N):
            noise = rng.poisson(100, labels.shape)
            image = (noise + 400 * (labels > 0)).astype(np.uint16)[np.newaxis]
            sample = SampleInput(
                id=f"s{i:03}", image=image, labels={"nuclei": labels}, split="test"
            )
            writer.add(sample)
    return Dataset.open(folder)


@pytest.mark.slow
@pytest.mark.benchmark(group=f"{N} images of {SIDE} x {SIDE}")
def test_harness(benchmark, dataset, tmp_path):
    plan = make_plan(dataset, ["empty"])
    folders = itertools.count()

    def run():
        return execute(plan, tmp_path / str(next(folders)), limits=Limits(), progress=Quiet())

    (outcome,) = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    own = sum(record["seconds"] for record in outcome.records)
    start = sum(record["start_seconds"] or 0 for record in outcome.records)
    median = benchmark.stats.stats.median
    benchmark.extra_info["overhead_ms_per_image"] = 1000 * (median - own) / N
    benchmark.extra_info["overhead_ms_per_image_without_start"] = 1000 * (median - own - start) / N
    print(benchmark.extra_info)


@pytest.mark.slow
@pytest.mark.benchmark(group=f"{N} images of {SIDE} x {SIDE}")
def test_bare_loop(benchmark, dataset, tmp_path):
    def run():
        for sample in dataset.ids():
            dataset.read_image(sample)
            truth = dataset.read_labels(sample)
            tifffile.imwrite(tmp_path / f"{sample}.tif", np.zeros_like(truth), compression="zlib")
            score(truth, np.zeros_like(truth))

    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
