"""The memory of a run does not grow with the number of images."""

from __future__ import annotations

import subprocess
import sys

import pytest

RUN = """
import resource, sys
from pathlib import Path
from adapters.worker import Limits
from benchmark.dataset import Dataset
from benchmark.run import execute, make_plan, results_table, scores_table

class Quiet:
    def start(self, name, total, done): pass
    def say(self, text): raise AssertionError(text)
    def advance(self): pass

plan = make_plan(Dataset.open(sys.argv[1]), ["oracle"], limit=int(sys.argv[3]))
outcomes = execute(plan, Path(sys.argv[2]), limits=Limits(), progress=Quiet())
results_table(plan, outcomes, timings=True), scores_table(outcomes)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_peak_memory_of_50_and_of_500_images(make_dataset, tmp_path):
    dataset = make_dataset(700, side=256)
    peak_mb = {}
    for n in (50, 500):
        arguments = [sys.executable, "-c", RUN, dataset.path, tmp_path / f"run{n}", n]
        done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        peak_mb[n] = int(done.stdout)
    print(f"\npeak memory in MB by number of images: {peak_mb}")
    # 450 images of 256 x 256 with labels and predictions are 170 MB.
    assert peak_mb[500] < peak_mb[50] + 25
