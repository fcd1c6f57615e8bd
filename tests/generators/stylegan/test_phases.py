from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.seeds import Seed  # noqa: E402
from generators.stylegan import phases  # noqa: E402
from generators.stylegan.augmentation import AugmentationSettings  # noqa: E402
from generators.stylegan.phases import blurred, drawn_latents  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings  # noqa: E402
from generators.stylegan.training import TrainingSettings, start, step  # noqa: E402


def begin(cfg="stylegan2", parts=1, **changes):
    generator = GeneratorSettings(
        8, cfg=cfg, cbase=64, cmax=8, z_dim=8, w_dim=8, num_layers=4, margin_size=3
    )
    discriminator = DiscriminatorSettings(8, cbase=64, cmax=8, group=2)
    return start(TrainingSettings(**changes), generator, discriminator, parts=parts)


def real(n=8, seed=0):
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def styles(generator, mixing):
    rng = torch.Generator().manual_seed(0)
    return drawn_latents(generator, 3, rng, mixing).of(generator, slice(None), None)


def test_mixing_takes_later_layers_from_other_latents():
    generator = begin().generator
    plain = styles(generator, mixing=0.0)
    assert all(torch.equal(plain[:, 0], plain[:, k]) for k in range(plain.shape[1]))
    mixed = styles(generator, mixing=1.0)
    changes = [k for k in range(1, mixed.shape[1]) if not torch.equal(mixed[:, k - 1], mixed[:, k])]
    assert len(changes) == 1


def test_a_part_of_the_latents_is_mapped_as_in_the_whole():
    generator = begin().generator
    drawn = drawn_latents(generator, 6, torch.Generator().manual_seed(0), mixing=1.0)
    whole = drawn.of(generator, slice(None), None)
    assert torch.allclose(drawn.of(generator, slice(1, None, 3), None), whole[1::3], atol=1e-6)


def test_blur_fades():
    training = begin(blur_sigma=2.0, blur_kimg=0.008)
    step(training, real(4))
    x = real()
    assert blurred(x, 2.0).std() < 0.4 * x.std()
    assert torch.equal(blurred(x, 0.0), x)
    whole = slice(None)
    training.pictures = 8
    sharp = training.discriminator(x)
    assert torch.equal(phases._judged(training, x, whole, None, None), sharp)
    training.pictures = 0
    assert not torch.allclose(phases._judged(training, x, whole, None, None), sharp)


@pytest.mark.parametrize("phase", ["generator", "discriminator", "r1"])
def test_parts_add_up_to_the_whole(phase):
    """Gradients of two parts are those of the whole batch: groups are the same, noise is none."""
    grads = []
    for parts in (1, 2):
        training = begin(parts=parts, gamma=1.0)
        training.generator_adam.step = training.discriminator_adam.step = lambda: None
        seed = Seed.root(5)
        if phase == "generator":
            phases.improve_generator(training, 8, None, seed)
            network = training.generator
        else:
            if phase == "r1":
                phases.smooth_discriminator(training, real(), None, seed)
            else:
                phases.improve_discriminator(training, real(), None, seed)
            network = training.discriminator
        # The strength of noise learns from noise, which each part draws itself.
        grads.append(
            {
                name: parameter.grad
                for name, parameter in network.named_parameters()
                if parameter.grad is not None and not name.endswith("noise_strength")
            }
        )
    assert grads[0].keys() == grads[1].keys()
    for name, gradient in grads[0].items():
        assert torch.allclose(gradient, grads[1][name], rtol=1e-4, atol=1e-6), name


def test_parts_share_the_moving_averages():
    whole, parted = begin("stylegan3-t"), begin("stylegan3-t", parts=4)
    for training in (whole, parted):
        phases.improve_generator(training, 8, None, Seed.root(5))
    for (name, one), (_, two) in zip(
        whole.generator.named_buffers(), parted.generator.named_buffers(), strict=True
    ):
        assert torch.allclose(one, two, rtol=1e-3, atol=1e-5), name


def test_losses_are_means_over_the_parts():
    figures = [step(begin(parts=parts, mixing=0.9), real()) for parts in (1, 2, 4)]
    assert figures[1]["generator"] == pytest.approx(figures[0]["generator"], rel=1e-4)
    for name in ("fake", "real"):
        assert figures[1][name] == pytest.approx(figures[0][name], rel=2e-2)


def test_augmentations_come_by_their_probability():
    always = AugmentationSettings("blit", p=1.0, target=None)
    x, seed = real(), torch.Generator().manual_seed(0)
    training = begin(augmentation=always)
    drawn = phases._augmentations(training, 8, seed)
    judged = phases._judged(training, x, slice(None), None, drawn)
    assert not torch.allclose(judged, training.discriminator(x))
    assert phases._augmentations(begin(), 8, seed) is None
    never = AugmentationSettings("blit", p=0.0, target=None)
    assert phases._augmentations(begin(augmentation=never), 8, seed) is None
