from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd.losses import (  # noqa: E402
    cross_entropy,
    feature_matching,
    least_squares,
)


def test_least_squares_by_hand():
    scales = [[torch.zeros(3), torch.tensor([[0.0, 2.0]])], [torch.tensor([3.0])]]
    assert least_squares(scales, True).item() == (1 + 1) / 2 + 4
    assert least_squares(scales, False).item() == (0 + 4) / 2 + 9


def test_least_squares_pulls_verdicts_to_what_they_should_be():
    logits = torch.tensor([0.25, 0.75], requires_grad=True)
    least_squares([[logits]], True).backward()
    assert logits.grad.tolist() == [-0.75, -0.25]  # 2 (x - 1) / 2


def test_cross_entropy_agrees_with_torch():
    logits = torch.tensor([-2.0, 0.5, 3.0])
    for real in (True, False):
        by_torch = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.full_like(logits, float(real))
        )
        both = cross_entropy([[logits], [logits]], real)
        assert both.item() == pytest.approx(2 * by_torch.item(), rel=1e-6)


def test_feature_matching_by_hand():
    # Two scales of three layers and logits: weights 4 / 3 and 1 / 2.
    fake = [[torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([4.0]), torch.tensor([100.0])]]
    fake *= 2
    real = [[torch.zeros(1)] * 4] * 2
    assert feature_matching(fake, real).item() == pytest.approx(2 * (1 + 2 + 4) * 4 / 3 / 2)


def test_feature_matching_moves_fakes_alone():
    fake, real = torch.ones(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    feature_matching([[fake, torch.zeros(1)]], [[real, torch.zeros(1)]]).backward()
    assert fake.grad.tolist() == [2.0, 2.0]
    assert real.grad is None
