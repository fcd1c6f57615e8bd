"""What generator and discriminator are punished for.

Goodfellow et al., arXiv 1406.2661 (non-saturating loss); Mescheder et al., arXiv 1801.04406 (R1);
Karras et al., arXiv 1912.04958, section 3.2 (path lengths).
"""

from __future__ import annotations

from math import sqrt

import torch
from torch.nn import functional


def wants_real(logits: torch.Tensor) -> torch.Tensor:
    """Return the mean of -ln p, p = sigmoid(logits): small where the discriminator says real.

    Of fakes it is the generator's loss, of real pictures half of the discriminator's.

    Examples
    --------
    >>> wants_real(torch.tensor([0.0])).item() == torch.tensor(2.0).log().item()
    True
    """
    return functional.softplus(-logits).mean()


def wants_fake(logits: torch.Tensor) -> torch.Tensor:
    """Return the mean of -ln(1 - p), p = sigmoid(logits): small where the discriminator says fake.

    Examples
    --------
    >>> wants_fake(torch.tensor([-100.0])).item() < 1e-30
    True
    """
    return functional.softplus(logits).mean()


def gradient_penalty(logits: torch.Tensor, pictures: torch.Tensor, gamma: float) -> torch.Tensor:
    """Return R1, gamma / 2 times the mean squared norm of the logits' gradient at real pictures.

    Parameters
    ----------
    logits
        (N,), of `pictures` one by one.
    pictures
        (N, C, H, W), which require a gradient.
    gamma
        Weight.

    Examples
    --------
    >>> x = torch.ones(2, 1, 2, 2, requires_grad=True)
    >>> gradient_penalty(3 * x.sum((1, 2, 3)), x, gamma=2.0).item()  # 2 / 2 · 4 · 3²
    36.0
    """
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gamma / 2 * gradient.square().sum((1, 2, 3)).mean()


def path_lengths(
    pictures: torch.Tensor, styles: torch.Tensor, rng: torch.Generator
) -> torch.Tensor:
    """Return how far pictures go for a step in W: (N,) norms of Jᵀ y, y random pictures.

    Parameters
    ----------
    pictures
        (N, C, H, W), made from `styles`.
    styles
        (N, layers, w_dim), which require a gradient.
    rng
        What y is drawn from.

    Notes
    -----
    arXiv 1912.04958, equation 4; y is scaled by 1 / √(H W), and layers are averaged.

    Examples
    --------
    >>> w = torch.ones(1, 1, 3, requires_grad=True)
    >>> y = 2 * w.sum() * torch.ones(1, 1, 1, 1)
    >>> rng = torch.Generator().manual_seed(0)
    >>> drawn = abs(torch.randn(1, generator=torch.Generator().manual_seed(0)).item())
    >>> abs(path_lengths(y, w, rng).item() - drawn * 2 * 3**0.5) < 1e-5
    True
    """
    noise = torch.randn(pictures.shape, generator=rng, device=rng.device).to(pictures)
    scaled = pictures * noise / sqrt(pictures.shape[2] * pictures.shape[3])
    (gradient,) = torch.autograd.grad(scaled.sum(), styles, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()
