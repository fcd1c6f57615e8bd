"""Scenes whose edges are known to a fraction of a pixel, and small sets of them."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from benchmark.audit.sources import Source, sources_of
from benchmark.dataset import Dataset, DatasetWriter, SampleInput, open_any

FINE = 8
"""Pixels are means over so many samples a side."""


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


def rendered(inside, shape):
    """Return the mean of a function of places over each pixel; it takes (y, x), gives light."""
    y, x = np.indices((shape[0] * FINE, shape[1] * FINE))
    light = inside((y + 0.5) / FINE - 0.5, (x + 0.5) / FINE - 0.5).astype(float)
    return light.reshape(shape[0], FINE, shape[1], FINE).mean(axis=(1, 3))


@pytest.fixture(scope="session")
def render():
    return rendered


@pytest.fixture(scope="session")
def disc():
    """A blurred disc whose true radius exceeds that of its label by `offset`."""

    def make(offset=0.0, *, radius=13.0, blur=1.2, noise=0.0, shading=0.0, seed=0):
        rng = np.random.default_rng(seed)
        cy, cx = rng.uniform(31, 33, 2)
        true = radius + offset

        def light(y, x):
            r = np.hypot(y - cy, x - cx)
            return (r < true) * (1 + shading * (x - cx) / radius)

        image = 100 * ndimage.gaussian_filter(rendered(light, (64, 64)), blur) + 20
        y, x = np.indices(image.shape)
        labels = (np.hypot(y - cy, x - cx) < radius).astype(np.uint16)
        return image + rng.normal(0, noise, image.shape), labels

    return make


def blobs(seed, *, sharp=1.0, rough=0.0, shape=(96, 112)):
    """An image of discs and ellipses on dark ground, and its labels."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape)
    labels = np.zeros(shape, np.uint16)
    for number, (cy, cx) in enumerate(
        (a, b) for a in range(16, shape[0], 30) for b in range(16, shape[1], 30)
    ):
        a, b = rng.uniform(7, 11, 2)
        angle = rng.uniform(0, np.pi)
        dy, dx = y - cy - rng.uniform(-2, 2), x - cx - rng.uniform(-2, 2)
        along, across = (
            dx * np.cos(angle) + dy * np.sin(angle),
            dy * np.cos(angle) - dx * np.sin(angle),
        )
        labels[(along / a) ** 2 + (across / b) ** 2 < 1] = number + 1
    light = (labels > 0) * rng.uniform(0.7, 1.3, labels.max() + 1)[labels]
    light = light * (1 + rough * ndimage.gaussian_filter(rng.normal(0, 1, shape), 1.5) * 5)
    image = 100 + 400 * ndimage.gaussian_filter(light, sharp) + rng.normal(0, 5, shape)
    return np.clip(image, 0, 65535).astype(np.uint16)[None], labels


@pytest.fixture(scope="session")
def make_set():
    def make(path, *, name="cells", splits=("train",) * 6, seed=0, **how):
        with DatasetWriter(path, name=name, version="1.0.0", licence="CC0-1.0") as writer:
            for number, split in enumerate(splits):
                image, labels = blobs(seed + number, **how)
                writer.add(
                    SampleInput(
                        id=f"s{number:02}", image=image, labels={"nuclei": labels}, split=split
                    )
                )
        return Dataset.open(path)

    return make


@pytest.fixture(scope="session")
def sets(tmp_path_factory, make_set):
    """A synthetic set that is blurred, a baseline that is rough too, and a real one."""
    home = tmp_path_factory.mktemp("sets")
    return {
        "synthetic": make_set(home / "synthetic", name="made", sharp=2.0, seed=100),
        "baseline": make_set(home / "baseline", name="plain", sharp=2.0, rough=0.5, seed=200),
        "real": make_set(home / "real", name="real", splits=("train",) * 8 + ("val",) * 6),
    }


@pytest.fixture(scope="session")
def sources(sets):
    return sources_of(sets["synthetic"], sets["real"], sets["baseline"])


@pytest.fixture
def real_val(shared_data, tmp_path):
    """Real validation images as a source; only they are imported."""

    def make(name, count=None):
        home = shared_data / name
        index = pd.read_csv(home / "index.csv")
        for _, row in index[index["split"] == "val"].head(count).iterrows():
            for kind in ("image", "label"):
                place = tmp_path / name / row[kind]
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(home / row[kind], place)
        dataset = open_any(tmp_path / name)
        return Source(dataset, tuple(dataset.ids()), "nuclei")

    return make
