"""Small data sets to look at, and a state folder of each test's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from benchmark.dataset import Dataset, DatasetWriter, SampleInput

# How long an example takes says nothing about the code where others share the machine.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def discs(seed: int, shape: tuple[int, int] = (40, 48)) -> np.ndarray:
    """Labels of some discs with ids that have gaps between them."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape)
    labels = np.zeros(shape, np.uint16)
    for number in range(1, 6):
        centre = rng.uniform(0, shape)
        inside = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < rng.uniform(4, 30)
        labels[inside & (labels == 0)] = 3 * number
    return labels


@pytest.fixture
def make_sample():
    def make(name="a", *, seed=0, shape=(40, 48), channels=1, dtype=np.uint16, **fields):
        labels = discs(seed, shape)
        noise = np.random.default_rng(seed).integers(0, 50, (channels, *shape))
        image = (noise + 100 * (labels > 0)).astype(dtype)
        return SampleInput(id=name, image=image, labels={"nuclei": labels}, **fields)

    return make


@pytest.fixture
def make_dataset(tmp_path, make_sample):
    def numbered(number):
        sample = make_sample(f"s{number}", seed=number, split="train" if number < 2 else "test")
        return replace(
            sample,
            scene=f"scene{number // 2}",
            seed=2**62 + number,
            factors={"density": number / 4, "kind": f"m0{number}", "crowded": number > 1},
            spots=pd.DataFrame({"channel": ["dna"], "y": [1.5], "x": [2.25], "photons": [300.0]}),
        )

    def make(path=None, *, samples=None, **fields):
        path = path or tmp_path / "small-1.0.0"
        with DatasetWriter(path, **{"name": "small", "version": "1.0.0", **fields}) as writer:
            for sample in samples or map(numbered, range(4)):
                writer.add(sample)
        return Dataset.open(path)

    return make
