"""The built-in data set is what its recipe makes, here and now."""

from __future__ import annotations

import pytest

from benchmark.dataset import Dataset
from benchmark.dataset.builtin import builtin_path
from generators.generate import generate, make, plan
from generators.recipe import load


@pytest.fixture(scope="module")
def builtin():
    return Dataset.open(builtin_path())


@pytest.mark.parametrize("sample", ["train-0003", "val-0005", "test-0000", "test-0032"])
def test_scenes_are_made_again_to_the_pixel(builtin, sample):
    recipe = load("builtin")
    task = next(t for t in plan(recipe, 0) if t.id == sample)
    made = make(recipe, task)
    assert (made.image == builtin.read_image(sample)).all()
    assert (made.labels["nuclei"] == builtin.read_labels(sample)).all()


@pytest.mark.slow
def test_the_whole_set_is_made_again_to_the_digest(builtin, tmp_path):
    generate(load("builtin"), tmp_path / "again")
    assert Dataset.open(tmp_path / "again").digest == builtin.digest


def test_it_is_small_and_split():
    size = sum(p.stat().st_size for p in builtin_path().rglob("*") if p.is_file())
    assert size < 8e6


def test_difficulty_is_spread_over_the_splits(builtin):
    samples = builtin.samples
    assert builtin.manifest.splits == {"test": 36, "train": 24, "val": 12}
    assert (samples["n_nuclei"] == 0).sum() == 1
    kinds = samples[samples["variant"] != "empty"].groupby("split")["variant"].nunique()
    assert (kinds == 8).all()
    for factor, low, high in (("snr", 5, 25), ("density", 0.1, 0.35), ("blur", 0.9, 2)):
        for _, values in samples.groupby("split")[factor]:
            assert values.min() < low
            assert values.max() > high
    touching = builtin.objects.groupby("sample")["touching"].mean()
    assert touching.min() < 0.25
    assert touching.max() > 0.6
