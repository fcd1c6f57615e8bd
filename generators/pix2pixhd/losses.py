"""What generator and discriminators are punished for.

Wang et al., arXiv 1711.11585, section 3.2: least squares (Mao et al., arXiv 1611.04076) and feature
matching.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence


def least_squares(scales: Sequence[Sequence[torch.Tensor]], real: bool) -> torch.Tensor:
    """Return how far verdicts are from real or fake: a scalar, summed over the scales.

    Parameters
    ----------
    scales
        What `MultiscaleDiscriminator` returns.
    real
        Whether they should say 1, real, or 0, fake.

    Examples
    --------
    >>> verdicts = [[torch.tensor([0.5, 1.0])], [torch.tensor([0.0])]]
    >>> least_squares(verdicts, True).item(), least_squares(verdicts, False).item()
    (1.125, 0.625)
    """
    return torch.stack([(one[-1] - float(real)).square().mean() for one in scales]).sum()


def cross_entropy(scales: Sequence[Sequence[torch.Tensor]], real: bool) -> torch.Tensor:
    """Return the cross-entropy of verdicts, in place of `least_squares`: the loss of plain GANs.

    Examples
    --------
    >>> round(cross_entropy([[torch.tensor([0.0])]], True).item(), 4)  # ln 2
    0.6931
    """
    return torch.stack(
        [functional.softplus(-one[-1] if real else one[-1]).mean() for one in scales]
    ).sum()


def feature_matching(
    fake: Sequence[Sequence[torch.Tensor]], real: Sequence[Sequence[torch.Tensor]]
) -> torch.Tensor:
    """Return how far features of fakes are from those of real pictures: a scalar.

    The mean absolute difference, summed over the layers before the logits, times 4 / layers, and
    averaged over the scales. The real ones are held fast.

    Examples
    --------
    >>> fake = [[torch.tensor([1.0, 3.0]), torch.tensor([9.0])]]
    >>> real = [[torch.tensor([0.0, 0.0]), torch.tensor([0.0])]]
    >>> feature_matching(fake, real).item()  # one layer: (1 + 3) / 2 · 4 / 1
    8.0
    """
    sums = [
        functional.l1_loss(made, true.detach())
        for ones, others in zip(fake, real, strict=True)
        for made, true in zip(ones[:-1], others[:-1], strict=True)
    ]
    layers = len(fake[0]) - 1
    return torch.stack(sums).sum() * 4 / (layers * len(fake))
