from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

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
@pytest.mark.parametrize(("size", "half"), [(16, 8), (13, 7)])
def test_convolutions_keep_the_size_or_halve_it(rng, kernel, size, half):
    x = torch.randn(2, 32, size, size, generator=rng)
    assert Conv(32, 5, kernel, rng)(x).shape == (2, 5, size, size)
    assert Conv(32, 5, kernel, rng, down=True)(x).shape == (2, 5, half, half)


def test_a_halving_convolution_keeps_constants(rng):
    layer = Conv(1, 1, 3, rng, bent=False, down=True)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    made = layer(torch.ones(1, 1, 16, 16))
    assert torch.allclose(made[..., 2:-2, 2:-2], torch.tensor(9 / 3.0))


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
