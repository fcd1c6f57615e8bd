from __future__ import annotations

from math import log

import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.losses import (  # noqa: E402
    gradient_penalty,
    path_lengths,
    wants_fake,
    wants_real,
)


def test_losses_by_hand():
    logits = torch.tensor([0.0, log(3)])  # probabilities 1/2 and 3/4
    assert wants_real(logits).item() == pytest.approx((log(2) + log(4 / 3)) / 2)
    assert wants_fake(logits).item() == pytest.approx((log(2) + log(4)) / 2)


def test_a_penalty_is_of_each_picture_alone():
    x = torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1).requires_grad_()
    logits = x.flatten().square()  # slopes 2 and 4
    assert gradient_penalty(logits, x, gamma=1.0).item() == pytest.approx((4 + 16) / 4)


def test_path_lengths_of_a_linear_map_are_its_norm():
    rng = torch.Generator().manual_seed(0)
    matrix = torch.randn(64 * 64, 8, generator=rng)
    styles = torch.ones(400, 1, 8, requires_grad=True)
    pictures = (styles[:, 0] @ matrix.T).reshape(400, 1, 64, 64)
    lengths = path_lengths(pictures, styles, rng)
    assert lengths.shape == (400,)
    expected = (matrix.square().sum() / 64**2).sqrt().item()
    assert lengths.square().mean().sqrt().item() == pytest.approx(expected, rel=0.05)
