"""Label maps, pictures and instances as the channels that networks see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from generators.pix2pixhd.settings import Inputs


def edges(instances: torch.Tensor) -> torch.Tensor:
    """Return where a pixel has a neighbour of another instance: 1 there, else 0.

    Section 3.3 of the paper: neighbours are the four at its sides.

    Parameters
    ----------
    instances
        (N, 1, H, W), whole numbers.

    Returns
    -------
    torch.Tensor
        (N, 1, H, W), float32.

    Examples
    --------
    >>> edges(torch.tensor([[[[1, 1, 1, 2], [1, 1, 1, 2], [1, 1, 1, 1]]]]))[0, 0].int().tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]
    """
    found = torch.zeros_like(instances, dtype=torch.bool)
    beside = instances[..., 1:] != instances[..., :-1]
    below = instances[..., 1:, :] != instances[..., :-1, :]
    found[..., 1:] |= beside
    found[..., :-1] |= beside
    found[..., 1:, :] |= below
    found[..., :-1, :] |= below
    return found.float()


def conditions(given: torch.Tensor, instances: torch.Tensor | None, inputs: Inputs) -> torch.Tensor:
    """Return what generator and discriminators see beside codes and pictures.

    Parameters
    ----------
    given
        Label maps (N, 1, H, W), whole numbers below `inputs.label_nc`, or with `label_nc` 0
        pictures (N, input_nc, H, W) within [-1, 1].
    instances
        (N, 1, H, W), whole numbers; may be None where no edges are wanted.
    inputs
        What is wanted.

    Returns
    -------
    torch.Tensor
        (N, inputs.conditions, H, W), float32.

    Examples
    --------
    >>> from generators.pix2pixhd.settings import Inputs
    >>> labels = torch.tensor([[[[0, 2]]]])
    >>> conditions(labels, labels, Inputs(label_nc=3))[0, :, 0].int().tolist()
    [[1, 0], [0, 0], [0, 1], [1, 1]]
    """
    seen = given.float()
    if inputs.label_nc:
        seen = functional.one_hot(given[:, 0].long(), inputs.label_nc).movedim(3, 1).float()
    if not inputs.edges:
        return seen
    assert instances is not None
    return torch.cat([seen, edges(instances)], dim=1)
