"""Telling patches apart by a small convolutional network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTHS = (16, 32, 64)
BATCH = 32
RATE = 2e-3


class Judge(nn.Module):
    """Three strided convolutions, then the mean over places: 24 000 parameters.

    Takes (N, 1, Y, X), gives (N,) logits: positive is made.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for width in WIDTHS:
            layers += [
                nn.Conv2d(before, width, 3, stride=1 if before == 1 else 2, padding=1),
                nn.GroupNorm(4, width),
                nn.ReLU(),
            ]
            before = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(2 * before, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of patches."""
        y = self.body(x)
        both = torch.cat([y.mean(dim=(2, 3)), y.amax(dim=(2, 3))], dim=1)
        logits: torch.Tensor = self.head(both)[:, 0]
        return logits


def scores(
    train: NDArray[np.float32],
    made: NDArray[np.bool_],
    test: NDArray[np.float32],
    *,
    seed: int,
    steps: int,
) -> NDArray[np.float64]:
    """Learn to tell made patches from real ones, and score others.

    Parameters
    ----------
    train
        (N, Y, X) standardised patches.
    made
        (N,) which of them are made. Each batch has as many of either.
    test
        (M, Y, X) patches to score.
    seed
        Of the weights at the start and of what each batch holds.
    steps
        How many batches of `BATCH`.

    Returns
    -------
    (M,) logits; the same for the same arguments. The global state of torch is left as it was.
    """
    rng = np.random.default_rng(seed)
    real_rows, made_rows = np.flatnonzero(~made), np.flatnonzero(made)
    target = torch.tensor([1.0] * (BATCH // 2) + [0.0] * (BATCH // 2))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the order of sums, and with it the last bits, depends on it
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            judge = Judge()
        optimiser = torch.optim.AdamW(judge.parameters(), lr=RATE, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
        for _ in range(steps):
            rows = np.concatenate([rng.choice(r, BATCH // 2) for r in (made_rows, real_rows)])
            loss = functional.binary_cross_entropy_with_logits(
                judge(_flipped(train[rows], rng)), target
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        judge.eval()
        with torch.no_grad():
            parts = [
                judge(torch.from_numpy(test[start : start + 64, None]))
                for start in range(0, len(test), 64)
            ]
        return torch.cat(parts).numpy().astype(np.float64)
    finally:
        torch.set_num_threads(threads)


def _flipped(patches: NDArray[np.float32], rng: np.random.Generator) -> torch.Tensor:
    """Return a batch, mirrored and turned by a quarter at random."""
    turn, mirror = int(rng.integers(4)), rng.integers(2)
    turned = np.rot90(patches, turn, axes=(1, 2))
    return torch.from_numpy(np.ascontiguousarray(turned[:, :, ::-1] if mirror else turned)[:, None])
