from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

from generators.stylegan.filters import BINOMIAL  # noqa: E402
from generators.stylegan.layers import Conv, Linear, bend, normalise  # noqa: E402
from generators.stylegan.mapping import Mapping  # noqa: E402


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def test_bend_keeps_the_mean_square_of_normal_numbers(rng):
    x = torch.randn(100_000, generator=rng)
    assert bend(x).square().mean().item() == pytest.approx((1 + 0.2**2), rel=0.02)
    assert bend(x, clamp=0.5).abs().max() == 0.5


def test_normalise_by_hand():
    made = normalise(torch.tensor([[1.0, 7.0], [0.0, 0.0]]))
    assert made.tolist() == [pytest.approx([0.2, 1.4]), [0, 0]]


@pytest.mark.parametrize("rate", [1.0, 0.01])
def test_linear_starts_at_unit_variance_whatever_its_rate(rng, rate):
    layer = Linear(256, 512, rng, bias=3.0, rate=rate)
    y = layer(torch.randn(64, 256, generator=rng))
    assert y.std().item() == pytest.approx(1, rel=0.05)
    assert y.mean().item() == pytest.approx(3, abs=0.1)


def test_a_tenth_of_the_rate_is_a_tenth_of_the_step(rng):
    """An optimiser that moves each weight by one step moves the output by rate times as much."""
    x, moved = torch.ones(1, 4), []
    for rate in (1.0, 0.1):
        layer = Linear(4, 1, rng, rate=rate)
        before = layer(x)
        with torch.no_grad():
            layer.weight += 1
        moved.append((layer(x) - before).item())
    assert moved[1] == pytest.approx(moved[0] / 10, rel=1e-4)


@pytest.mark.parametrize("kernel", [1, 3])
def test_convolutions_keep_the_size_or_halve_it(rng, kernel):
    x = torch.randn(2, 32, 17, 17, generator=rng)
    assert Conv(32, 5, kernel, rng)(x).shape == (2, 5, 17, 17)
    assert Conv(32, 5, kernel, rng, stride=2)(x).shape == (2, 5, 9 - kernel // 2, 9 - kernel // 2)


def test_a_convolution_bends_and_blurs(rng):
    """Step by step: convolve, add the bias, bend, clamp, multiply, pad, blur."""
    layer = Conv(3, 5, 3, rng, gain=0.7, clamp=1.5)
    x = torch.randn(2, 3, 9, 9, generator=rng)
    with torch.no_grad():
        layer.bias.normal_(generator=rng)
    y = functional.conv2d(x, layer.weight / 27**0.5, layer.bias, padding=1)
    y = (functional.leaky_relu(y, 0.2) * 2**0.5).clamp(-1.5, 1.5) * 0.7
    assert torch.allclose(layer(x), y, atol=1e-6)
    taps = torch.tensor([0.125, 0.375, 0.375, 0.125]).expand(5, 1, 1, 4)
    y = functional.conv2d(functional.pad(y, (2, 3, 2, 3)), taps, groups=5)
    y = functional.conv2d(y, taps.mT, groups=5)
    assert torch.allclose(layer(x, BINOMIAL, (2, 3)), y, atol=1e-6)


def test_mapping_looks_at_directions_only(rng):
    mapping = Mapping(8, 0, 16, depth=3, rng=rng)
    z = torch.randn(5, 8, generator=rng)
    assert torch.allclose(mapping(z), mapping(7 * z), atol=1e-5)
    assert not torch.allclose(mapping(z), mapping(-z), atol=1e-2)


def test_mapping_with_classes(rng):
    mapping = Mapping(8, 3, 16, depth=2, rng=rng)
    z, classes = torch.randn(1, 8, generator=rng).repeat(3, 1), torch.eye(3)
    made = mapping(z, classes)
    assert (made[0] - made[1]).abs().max() > 0.1
    with pytest.raises(ValueError, match=r"needs c, \(N, 3\)"):
        mapping(z)
    with pytest.raises(ValueError, match=r"z is \(3, 7\), not \(N, 8\)"):
        mapping(z[:, :7], classes)
    assert Mapping(0, 3, 16, depth=2, rng=rng)(None, classes).shape == (3, 16)
