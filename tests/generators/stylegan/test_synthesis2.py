from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.generator import latents  # noqa: E402


@pytest.mark.parametrize(("resolution", "channels"), [(8, 1), (32, 3), (50, 1), (48, 2)])
def test_any_size_and_number_of_channels(make, resolution, channels):
    made = make("stylegan2", resolution, channels=channels)(latents([0, 1], 16))
    assert made.shape == (2, channels, resolution, resolution)
    assert torch.isfinite(made).all()
    assert made.std() > 0.05


def test_two_styles_a_block(make):
    generator = make("stylegan2", 32)  # 4, 8, 16, 32
    assert generator.synthesis.num_styles == 8
    styles = generator.styles(latents([0], 16))
    before = generator.synthesis(styles)
    for k in range(8):
        changed = styles.clone()
        changed[:, k] += 1
        assert not torch.allclose(generator.synthesis(changed), before, atol=1e-4)


def test_noise_is_constant_or_drawn(make):
    generator, z = make("stylegan2", 16), latents([0, 0], 16)
    with torch.no_grad():
        for block in generator.synthesis.blocks:
            block.layer.noise_strength.fill_(0.5)
    constant = generator(z)
    assert torch.allclose(constant[0], constant[1])
    assert torch.equal(generator(z), constant)
    drawn = generator(z, noise=torch.Generator().manual_seed(1))
    assert not torch.allclose(drawn[0], drawn[1], atol=1e-2)
    assert torch.equal(generator(z, noise=torch.Generator().manual_seed(1)), drawn)


def test_activations_keep_their_magnitude(make):
    generator = make("stylegan2", 32, cbase=4096, cmax=64)
    seen = []
    for block in generator.synthesis.blocks:
        block.layer.register_forward_hook(
            lambda _layer, _inputs, made: seen.append(made.square().mean().item())
        )
    generator(latents(list(range(8)), 16))
    assert len(seen) == 4
    assert all(0.1 < square < 10 for square in seen)


def test_every_parameter_learns(make):
    generator = make("stylegan2", 16)
    generator(latents([0, 1], 16)).square().sum().backward()
    still = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_a_path_length_can_be_learned_from(make):
    """Second derivatives reach the weights: the gradient of a gradient's norm."""
    generator = make("stylegan2", 16)
    styles = generator.styles(latents([0, 1], 16))
    pictures = generator.synthesis(styles)
    (gradient,) = torch.autograd.grad(pictures.sum(), styles, create_graph=True)
    gradient.square().sum().backward()
    assert generator.synthesis.blocks[0].layer.weight.grad.abs().sum() > 0


def test_a_transform_moves_the_constant(make):
    generator = make("stylegan2", 32)
    step = torch.eye(3)
    step[1, 2] = 1 / 4  # one sample of the constant, down: eight pixels
    still, moved = generator(latents([0], 16)), generator(latents([0], 16), transform=step)
    inside = (moved[..., 16:24, 8:24] - still[..., 8:16, 8:24]).square().mean()
    assert inside < 0.25 * (still[..., 16:24, 8:24] - still[..., 8:16, 8:24]).square().mean()
