from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.generator import Generator, latents  # noqa: E402
from generators.stylegan.settings import GeneratorSettings  # noqa: E402

CFGS = ("stylegan3-t", "stylegan3-r", "stylegan2")
SMALL = {"cbase": 64, "cmax": 8, "z_dim": 8, "w_dim": 8, "num_layers": 4, "margin_size": 3}


@pytest.mark.parametrize("cfg", CFGS)
def test_seed_and_latents_decide_everything(cfg):
    settings = GeneratorSettings(16, cfg=cfg, **SMALL)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    one = Generator(settings, seed=3)(latents([5], 8))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(Generator(settings, seed=3)(latents([5], 8)), one)
    assert not torch.equal(Generator(settings, seed=4)(latents([5], 8)), one)


@pytest.mark.parametrize("cfg", CFGS)
def test_a_batch_is_its_pictures(make, cfg):
    generator = make(cfg, 16, num_layers=4)
    together = generator(latents([0, 1, 2], 16))
    for seed in range(3):
        assert torch.allclose(generator(latents([seed], 16))[0], together[seed], atol=1e-5)
    assert generator(latents([], 16)).shape == (0, 1, 16, 16)


def test_truncation_pulls_to_the_average(make):
    generator, z = make("stylegan3-t", 16, num_layers=4), latents([0, 1], 16)
    with torch.no_grad():
        generator.w_average.fill_(0.25)
    whole, half, none = (generator.styles(z, truncation=psi) for psi in (1.0, 0.5, 0.0))
    assert torch.allclose(none, torch.full_like(none, 0.25))
    assert torch.allclose(half, (whole + 0.25) / 2)
    some = generator.styles(z, truncation=0.5, cutoff=2)
    assert torch.equal(some[:, :2], half[:, :2])
    assert torch.equal(some[:, 2:], whole[:, 2:])
    assert torch.equal(generator(z, None, 0.0)[0], generator(z, None, 0.0)[1])


def test_average_of_styles_follows_slowly():
    generator = Generator(GeneratorSettings(16, **SMALL))
    z = latents([0, 1, 2], 8)
    styles = generator.styles(z, update_emas=True)
    assert torch.allclose(generator.w_average, 0.002 * styles[:, 0].mean(0), atol=1e-6)


@pytest.mark.parametrize("cfg", CFGS)
def test_classes_matter(make, cfg):
    generator = make(cfg, 16, num_layers=4, c_dim=2)
    z = latents([0, 0], 16)
    made = generator(z, torch.eye(2))
    assert not torch.allclose(made[0], made[1], atol=1e-2)
    with pytest.raises(ValueError, match="needs c"):
        generator(z)


@pytest.mark.parametrize("cfg", CFGS)
def test_gradients_in_float64_are_those_of_differences(cfg):
    """First and second derivatives of whole networks along one direction."""
    generator = Generator(GeneratorSettings(8, cfg=cfg, **SMALL)).double()
    styles = generator.styles(latents([0], 8)).detach().double().requires_grad_()

    def made(styles):
        return generator.synthesis(styles).square().sum()

    assert torch.autograd.gradcheck(made, styles, eps=1e-7, atol=1e-5, fast_mode=True)
    assert torch.autograd.gradgradcheck(made, styles, eps=1e-7, atol=1e-5, fast_mode=True)
