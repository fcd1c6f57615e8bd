from __future__ import annotations

from math import cos, pi, sin

import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.generator import latents  # noqa: E402
from generators.stylegan.schedule import Signal  # noqa: E402
from generators.stylegan.synthesis import FourierInput, update_magnitude  # noqa: E402

SIGNAL = Signal(channels=6, size=20, rate=16.0, cutoff=2.0, width=6.0)


@pytest.fixture
def features():
    return FourierInput(SIGNAL, 4, torch.Generator().manual_seed(0))


def by_points(features, to_features):
    """The same features point by point: sin 2π(f · M p + φ), mixed."""
    at = (torch.arange(20) - 9.5) / 16
    y, x = torch.meshgrid(at, at, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1) @ to_features.T
    turns = points[..., :2] @ features.frequencies.T + features.phases
    waves = torch.sin(2 * pi * turns)
    return torch.einsum("dc,hwc->dhw", features.weight / 6**0.5, waves)


def test_features_are_waves_within_the_cutoff(features):
    made = features(torch.zeros(1, 4), None)
    assert torch.allclose(made[0], by_points(features, torch.eye(3)), atol=1e-5)
    many = FourierInput(
        Signal(4000, 4, 16.0, 2.0, 6.0), 4, torch.Generator().manual_seed(0)
    ).frequencies.norm(dim=1)
    assert many.max() <= 2
    assert many.square().mean().item() == pytest.approx(2**2 / 2, rel=0.03)  # uniform in the disc


def test_a_transform_moves_features_the_way_it_says(features):
    transform = torch.tensor(
        [[cos(0.3), -sin(0.3), 0.1], [sin(0.3), cos(0.3), -0.2], [0.0, 0.0, 1.0]]
    )
    made = features(torch.zeros(2, 4), transform)
    expected = by_points(features, torch.linalg.inv(transform))
    assert torch.allclose(made[1], expected, atol=1e-5)
    step = torch.eye(3)
    step[0, 2] = 1 / 16  # one sample to the right
    still, moved = features(torch.zeros(1, 4), None), features(torch.zeros(1, 4), step)
    assert torch.allclose(moved[..., 1:], still[..., :-1], atol=1e-5)


def test_styles_turn_and_move_the_features(features):
    with torch.no_grad():
        features.affine.bias.copy_(torch.tensor([2 * cos(0.4), 2 * sin(0.4), 0.6, 0.0]))
    made = features(torch.zeros(1, 4), None)
    turn = torch.tensor([[cos(0.4), -sin(0.4), 0], [sin(0.4), cos(0.4), 0], [0, 0, 1.0]])
    move = torch.tensor([[1.0, 0, -0.3], [0, 1.0, 0], [0, 0, 1.0]])  # divided by the turn's length
    assert torch.allclose(made[0], by_points(features, turn @ move), atol=1e-5)


def test_what_the_rate_cannot_carry_fades(features):
    shrunk = torch.diag(torch.tensor([0.1, 0.1, 1.0]))  # a tenth of the size: ten times as fast
    with torch.no_grad():
        features.frequencies.copy_(torch.tensor([[1.0, 0.0]] * 6))
    assert features(torch.zeros(1, 4), shrunk).abs().max() == 0


def test_magnitude_follows_slowly():
    magnitude = torch.ones(())
    update_magnitude(magnitude, torch.full((2, 3, 4, 4), 3.0))
    assert magnitude.item() == pytest.approx(1 + 0.001 * 8)


@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan3-r"])
@pytest.mark.parametrize(("resolution", "channels"), [(16, 1), (37, 1), (48, 3)])
def test_any_size_and_number_of_channels(make, cfg, resolution, channels):
    generator = make(cfg, resolution, channels=channels, num_layers=6, margin_size=4)
    made = generator(latents([0, 1], 16))
    assert made.shape == (2, channels, resolution, resolution)
    assert made.std() > 0.05
    assert torch.isfinite(made).all()


@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan3-r"])
def test_every_parameter_learns(make, cfg):
    generator = make(cfg, 16, num_layers=4, margin_size=3)
    generator(latents([0, 1], 16)).square().sum().backward()
    still = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_the_magnitudes_keep_activations_within_reason(make):
    generator = make("stylegan3-t", 32)
    synthesis, seen = generator.synthesis, []
    for layer in synthesis.layers:
        layer.register_forward_hook(lambda _layer, _given, x: seen.append(x.square().mean().item()))
    generator(latents(list(range(8)), 16))
    next_ones = [*(layer.magnitude for layer in synthesis.layers[1:]), synthesis.magnitude]
    assert len(seen) == 14
    assert all(0.1 < at / m.item() < 10 for at, m in zip(seen, next_ones, strict=True))


@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan3-r"])
def test_pictures_without_gradients_are_the_same(make, cfg):
    generator = make(cfg, 16, num_layers=4, margin_size=3)
    for name, tensor in generator.named_buffers():  # one for each layer, so none is taken for next
        if "magnitude" in name:
            tensor.mul_(1 + len(name) / 7 + sum(map(ord, name)) % 5)
    z = latents([0, 1, 2], 16)
    learning = generator(z).detach()
    with torch.no_grad():
        made = generator(z)
    assert (made - learning).abs().max() < 1e-5 * learning.abs().max()


def test_averages_move_only_when_told(make):
    generator = make("stylegan3-t", 16, num_layers=4)
    for name, tensor in generator.named_buffers():
        if "magnitude" in name:
            tensor.mul_(2)
    before = {name: tensor.clone() for name, tensor in generator.named_buffers()}
    generator(latents([0], 16))
    assert all(torch.equal(before[name], tensor) for name, tensor in generator.named_buffers())
    generator(latents([0], 16), update_emas=True)
    moved = {n for n, tensor in generator.named_buffers() if not torch.equal(before[n], tensor)}
    assert moved == {n for n in before if "magnitude" in n or n == "w_average"}
