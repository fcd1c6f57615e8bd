from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.augmentation import AugmentationSettings  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings  # noqa: E402
from generators.stylegan.training import TrainingSettings, start, step  # noqa: E402


def begin(cfg="stylegan2", c_dim=0, **changes):
    generator = GeneratorSettings(
        8, cfg=cfg, cbase=64, cmax=8, z_dim=8, w_dim=8, c_dim=c_dim, num_layers=4, margin_size=3
    )
    discriminator = DiscriminatorSettings(8, cbase=64, cmax=8, c_dim=c_dim)
    return start(TrainingSettings(**changes), generator, discriminator)


def real(n=4, seed=0):
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def weights(training):
    networks = (training.generator, training.discriminator, training.average)
    return [tensor.clone() for network in networks for tensor in network.state_dict().values()]


@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan3-r", "stylegan2"])
def test_state_seed_and_batch_decide_everything(cfg):
    ended = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        training = begin(cfg, path_weight=2.0, mixing=0.9, r1_every=2, blur_sigma=1.0)
        for k in range(3):
            step(training, real(seed=k))
        ended.append(weights(training))
    assert all(torch.equal(a, b) for a, b in zip(*ended, strict=True))


def test_a_copied_state_goes_on_as_the_original():
    training = begin(path_weight=2.0, mixing=0.9, r1_every=2)
    step(training, real())
    other = copy.deepcopy(training)
    for each in (training, other):
        for k in range(2):
            step(each, real(seed=k))
    assert all(torch.equal(a, b) for a, b in zip(weights(training), weights(other), strict=True))


def test_another_seed_learns_otherwise():
    one, other = begin(seed=0), begin(seed=1)
    other.generator.load_state_dict(one.generator.state_dict())
    other.discriminator.load_state_dict(one.discriminator.state_dict())
    assert step(one, real()) != step(other, real())


def test_regularisations_come_when_they_are_due():
    training = begin(path_weight=2.0, path_every=2, r1_every=3)
    seen = [set(step(training, real())) - {"generator", "fake", "real"} for _ in range(6)]
    assert seen == [{"r1", "path"}, set(), {"path"}, {"r1"}, {"path"}, set()]
    assert (training.steps, training.pictures) == (6, 24)
    assert set(step(begin(), real())) == {"generator", "fake", "real", "r1"}


def test_the_average_follows_by_its_half_life():
    training = begin(ema_kimg=0.004, ema_rampup=None)  # four pictures: half way each step
    before = training.average.synthesis.constant.clone()
    step(training, real(4))
    expected = (before + training.generator.synthesis.constant) / 2
    assert torch.allclose(training.average.synthesis.constant, expected)
    assert torch.equal(training.average.w_average, training.generator.w_average)
    ramped = begin(ema_kimg=10.0, ema_rampup=1e-9)  # so short that nothing is kept
    step(ramped, real(4))
    assert torch.equal(ramped.average.synthesis.constant, ramped.generator.synthesis.constant)


def test_classes_reach_both_networks():
    training = begin(c_dim=2)
    step(training, real(4), torch.eye(2)[[0, 1, 0, 1]])
    with pytest.raises(ValueError, match="needs c"):
        step(training, real(4))


def test_networks_have_to_fit():
    with pytest.raises(ValueError, match="differ in resolution"):
        start(TrainingSettings(), GeneratorSettings(16), DiscriminatorSettings(32))


@pytest.mark.training
def test_the_discriminator_learns_to_tell():
    """A generator that stands still is found out."""
    training = begin(glr=0.0, dlr=0.01, r1_every=100)
    losses = [step(training, real(8, seed=k).sign()) for k in range(30)]
    assert losses[-1]["fake"] + losses[-1]["real"] < 0.5 * (losses[0]["fake"] + losses[0]["real"])


@pytest.mark.training
def test_the_generator_learns_to_pass():
    """Grey that is too dark becomes as bright as the real."""
    training = begin(gamma=1.0, glr=0.01, dlr=0.01, r1_every=2)
    bright = torch.full((8, 1, 8, 8), 0.8) + 0.05 * real(8)
    z = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    before = (training.generator(z).mean() - 0.8).abs().item()
    for _ in range(60):
        step(training, bright)
    assert (training.generator(z).mean() - 0.8).abs().item() < max(0.3, before / 3)


def test_gamma_comes_down_by_one_factor_a_picture():
    settings = TrainingSettings(gamma=0.3, gamma_final=0.003, gamma_kimg=4.0)
    ratios = [
        settings.gamma_at(k * 1000, 32, 8) / settings.gamma_at(k * 1000 + 1000, 32, 8)
        for k in range(4)
    ]
    assert ratios == pytest.approx([100**0.25] * 4)
    assert settings.gamma_at(10_000, 32, 8) == 0.003
    assert TrainingSettings().gamma_at(10_000, 64, 8) == pytest.approx(0.1024)


def test_frozen_layers_stay_and_the_others_learn():
    training = begin(freezed=2)
    before = {name: p.clone() for name, p in training.discriminator.named_parameters()}
    step(training, real())
    same = {n for n, p in training.discriminator.named_parameters() if torch.equal(p, before[n])}
    frozen = {n for n in before if n.startswith(("from_picture", "blocks.0.first"))}
    assert frozen
    assert same == frozen


def test_augmentation_adapts_every_four_steps():
    augmentation = AugmentationSettings("bgc", target=-0.99, kimg=0.1)
    training = begin(augmentation=augmentation)
    seen = [step(training, real()).get("p") for _ in range(8)]
    assert seen == [None] * 3 + [pytest.approx(0.16)] + [None] * 3 + [pytest.approx(0.32)]
    assert training.p == seen[-1]


def test_the_overfitting_is_the_mean_sign_of_verdicts_on_real_pictures():
    training = begin(augmentation=AugmentationSettings("blit", target=0.6, every=1))
    with torch.no_grad():
        training.discriminator.out.weight.zero_()
        training.discriminator.out.bias.fill_(3.0)
    assert step(training, real())["overfitting"] == 1.0


def test_batches_have_to_divide():
    training = begin()
    training.parts = 3
    with pytest.raises(ValueError, match="cannot be shared by 1 processes in 3 parts"):
        step(training, real(4))
