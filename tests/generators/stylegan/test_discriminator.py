from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.discriminator import Discriminator, with_spread  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings  # noqa: E402


def pictures(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("resolution", "channels"), [(8, 1), (32, 3), (37, 1), (50, 2)])
def test_one_logit_a_picture_of_any_size(resolution, channels):
    judge = Discriminator(DiscriminatorSettings(resolution, channels, cbase=256, cmax=16))
    logits = judge(pictures(3, channels, resolution, resolution))
    assert logits.shape == (3,)
    assert logits.std() > 1e-3
    with pytest.raises(ValueError, match="pictures are"):
        judge(pictures(3, channels + 1, resolution, resolution))


def test_every_parameter_learns_from_first_and_second_gradients():
    judge = Discriminator(DiscriminatorSettings(16, cbase=128, cmax=8, c_dim=2))
    real = pictures(4, 1, 16, 16).requires_grad_()
    logits = judge(real, torch.eye(2)[[0, 1, 0, 1]])
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    (gradient.square().sum() + logits.sum()).backward()
    still = [name for name, p in judge.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_classes_by_projection():
    judge = Discriminator(DiscriminatorSettings(16, cbase=128, cmax=8, c_dim=3))
    same = pictures(1, 1, 16, 16).repeat(3, 1, 1, 1)
    logits = judge(same, torch.eye(3))
    assert logits.unique().numel() == 3
    with pytest.raises(ValueError, match="needs c"):
        judge(same)


def test_spread_by_hand():
    x = torch.tensor([0.0, 10.0, 4.0, 10.0]).reshape(4, 1, 1, 1).repeat(1, 2, 3, 3)
    made = with_spread(x, group=2)  # groups are samples 0 and 2, and 1 and 3
    assert made.shape == (4, 3, 3, 3)
    assert torch.equal(made[:, :2], x)
    assert made[:, 2, 0, 0].tolist() == pytest.approx([2, 1e-4, 2, 1e-4])


@pytest.mark.parametrize(("n", "group", "taken"), [(6, 4, 3), (5, 4, 1), (4, 100, 4), (1, 4, 1)])
def test_a_group_divides_the_batch(n, group, taken):
    x = pictures(n, 2, 3, 3)
    groups = x.reshape(taken, n // taken, -1)
    expected = groups.var(0, unbiased=False).add(1e-8).sqrt().mean(1).repeat(taken)
    assert torch.allclose(with_spread(x, group)[:, 2, 0, 0], expected)


def test_same_seed_same_network():
    settings = DiscriminatorSettings(16, cbase=64, cmax=8)
    x = pictures(2, 1, 16, 16)
    one, same, other = (Discriminator(settings, seed)(x) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
