from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import RunError  # noqa: E402
from generators.stylegan.files import load_discriminator, load_generator, load_notes  # noqa: E402
from generators.stylegan.learner import StyleganLearner  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings  # noqa: E402
from generators.stylegan.training import TrainingSettings, start  # noqa: E402
from generators.training import loop  # noqa: E402
from generators.training.processes import ALONE  # noqa: E402


@dataclass(frozen=True)
class Blobs:
    """Discs of random size and place, in two classes: dark and bright."""

    images: np.ndarray
    classes: np.ndarray | None
    content: str = '{"kind": "pictures", "level": 0.0}'
    digest: str = "5ad"

    @classmethod
    def of(cls, n=24, size=8):
        rng = np.random.default_rng(0)
        y, x = np.indices((size, size))
        images = np.full((n, 1, size, size), -1, np.float32)
        for image in images:
            at, radius = rng.uniform(2, size - 2, 2), rng.uniform(1, 3)
            image[0][np.hypot(y - at[0], x - at[1]) < radius] = 1
        return cls(images, np.eye(2, dtype=np.float32)[np.arange(n) % 2])


def learner(*, conditional=False, examples=None, **given):
    generator = GeneratorSettings(
        8,
        cfg="stylegan2",
        cbase=64,
        cmax=8,
        z_dim=8,
        w_dim=8,
        mapping_depth=2,
        c_dim=2 if conditional else 0,
    )
    discriminator = DiscriminatorSettings(8, cbase=64, cmax=8, c_dim=generator.c_dim)
    training = start(TrainingSettings(r1_every=2), generator, discriminator)
    return StyleganLearner(
        training, examples or Blobs.of(), batch=8, conditional=conditional, **given
    )


def test_pictures_and_mirror_images_are_read():
    examples = Blobs.of()
    images, classes = learner(mirror=True).read(np.array([3, 27]))
    assert images[0].numpy().tolist() == examples.images[3].tolist()
    assert images[1].numpy().tolist() == examples.images[3][:, :, ::-1].tolist()
    assert classes is None
    _, classes = learner(conditional=True, mirror=True).read(np.array([3, 24]))
    assert classes.tolist() == [[0, 1], [1, 0]]


def test_examples_are_left_as_they_are():
    examples = Blobs.of()
    before = examples.images.copy()
    learner(examples=examples, mirror=True).read(np.arange(48))
    assert np.array_equal(examples.images, before)


@pytest.mark.parametrize("conditional", [False, True])
def test_a_training_ends_with_networks_and_grids(tmp_path, conditional):
    measured = []

    def metric(generator):
        measured.append(generator)
        return {"size": 1.0}

    made = learner(conditional=conditional, metrics=(metric,))
    history = loop.train(made, tmp_path, loop.Span(kimg=0.032, tick=0.016), ALONE)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint.safetensors",
        "discriminator-snapshot-000000.safetensors",
        "fakes000000.png",
        "network-snapshot-000000.safetensors",
        "reals.png",
        "stats.jsonl",
    ]
    assert history.lines[-1]["metrics"] == {"size": 1.0}
    assert measured == [made.training.average]
    path = tmp_path / "network-snapshot-000000.safetensors"
    weights = load_generator(path).state_dict()
    average = made.training.average.state_dict()
    assert all(torch.equal(weights[name], average[name]) for name in average)
    notes = load_notes(path)
    assert notes["content"] == Blobs.of().content
    assert json.loads(notes["training"]) == {"data": "5ad", "pictures": 32, "p": 0.0}
    judge = load_discriminator(tmp_path / "discriminator-snapshot-000000.safetensors")
    assert judge.settings == made.training.discriminator.settings


def test_grids_show_the_same_latents_each_time(tmp_path):
    made = learner()
    one, two = made._fakes(), made._fakes()
    assert np.array_equal(one, two)
    made.step()
    assert not np.array_equal(made._fakes(), one)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers):
    alone, ahead = learner(), learner(workers=workers)
    for _ in range(3):
        assert alone.step() == ahead.step()
    ahead.close()


def test_a_full_disk_is_said_and_nothing_half_is_left(tmp_path, monkeypatch):
    def full(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    learned = learner()
    learned.begin(tmp_path)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match="no space left"):
        learned.snapshot(tmp_path)
    assert sorted(tmp_path.iterdir()) == before
