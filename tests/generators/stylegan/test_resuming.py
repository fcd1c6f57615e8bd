from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.discriminator import Discriminator  # noqa: E402
from generators.stylegan.files import NetworkError, save  # noqa: E402
from generators.stylegan.generator import Generator  # noqa: E402
from generators.stylegan.resuming import load, network_file, take_over  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings  # noqa: E402
from generators.stylegan.training import TrainingSettings, start  # noqa: E402

SETTINGS = GeneratorSettings(8, cbase=64, cmax=8, z_dim=8, w_dim=8, num_layers=4, margin_size=3)
JUDGE = DiscriminatorSettings(8, cbase=64, cmax=8)


@pytest.fixture
def folder(tmp_path):
    for seed, kimg in ((1, "000004"), (2, "000012")):
        save(tmp_path / f"network-snapshot-{kimg}.safetensors", Generator(SETTINGS, seed))
        save(tmp_path / f"discriminator-snapshot-{kimg}.safetensors", Discriminator(JUDGE, seed))
    return tmp_path


def same(one, two):
    return all(
        torch.equal(a, b)
        for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    )


def begin(**changes):
    from dataclasses import replace

    return start(TrainingSettings(seed=9), replace(SETTINGS, **changes), JUDGE)


def test_a_folder_means_its_latest_snapshot(folder):
    assert network_file(folder).name == "network-snapshot-000012.safetensors"
    file = folder / "network-snapshot-000004.safetensors"
    assert network_file(file) == file


def test_all_weights_go_over(folder):
    training = begin()
    assert take_over(training, load(folder), folder) == []
    assert same(training.generator, Generator(SETTINGS, 2))
    assert same(training.average, Generator(SETTINGS, 2))
    assert same(training.discriminator, Discriminator(JUDGE, 2))


def test_without_a_discriminator_beside_it_a_new_one_learns(folder, tmp_path):
    alone = tmp_path / "mine.safetensors"
    save(alone, Generator(SETTINGS, 3))
    training = begin()
    told = take_over(training, load(alone), alone)
    assert told == ["the discriminator is new: there is none beside the network"]
    assert same(training.generator, Generator(SETTINGS, 3))
    assert same(training.discriminator, begin().discriminator)


def test_what_does_not_fit_is_counted(folder):
    training = begin(w_dim=16)
    (told,) = take_over(training, load(folder), folder)
    assert "tensors of the generator are new" in told
    layers = training.generator.synthesis.layers
    assert torch.equal(layers[0].weight, load(folder).synthesis.layers[0].weight)


def test_a_folder_without_snapshots_is_refused(tmp_path):
    with pytest.raises(NetworkError, match="no snapshot"):
        load(tmp_path)


def test_the_networks_learn_after_all(folder):
    training = begin()
    take_over(training, load(folder), folder)
    assert all(p.requires_grad for p in training.generator.parameters())
    assert not any(p.requires_grad for p in training.average.parameters())
