"""A training as a checkpoint, and back to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.errors import RunError
from generators.training.checkpoint import Checkpoint, moments, named, restore_moments

if TYPE_CHECKING:
    import torch

    from generators.pix2pixhd.training import Training

_NETWORKS = ("generator", "discriminator", "encoder")
_OPTIMISERS = ("generator_adam", "discriminator_adam")
_POOL = "pool"


def checkpoint_of(training: Training) -> Checkpoint:
    """Return all that the next steps depend on."""
    tensors: dict[str, torch.Tensor] = {}
    for name in _NETWORKS:
        if (network := getattr(training, name)) is not None:
            tensors |= named(name, network.state_dict())
    for name in _OPTIMISERS:
        tensors |= named(name, moments(getattr(training, name)))
    tensors |= {f"{_POOL}.{k}": fake for k, fake in enumerate(training.pool.held)}
    return Checkpoint(
        tensors,
        {
            "steps": training.steps,
            "pictures": training.pictures,
            "scaler": training.scaler.state_dict(),
        },
    )


def restore(training: Training, checkpoint: Checkpoint) -> None:
    """Take up where a checkpoint stands.

    Parameters
    ----------
    training
        Of networks of the same settings, on any device; changed in place.
    checkpoint
        What `checkpoint_of` gave.

    Raises
    ------
    RunError
        It is of another training.
    """
    try:
        for name in _NETWORKS:
            if (network := getattr(training, name)) is not None:
                network.load_state_dict(checkpoint.below(name))
        for name in _OPTIMISERS:
            restore_moments(getattr(training, name), checkpoint.below(name))
        held = checkpoint.below(_POOL)
        training.pool.held = [held[str(k)].to(training.device) for k in range(len(held))]
        training.scaler.load_state_dict(checkpoint.state["scaler"])
        training.steps, training.pictures = (
            checkpoint.state[name] for name in ("steps", "pictures")
        )
    except (KeyError, RuntimeError, ValueError) as error:
        raise RunError(
            f"the checkpoint is of another training: {error}",
            mend="remove it to begin anew, or choose another --out",
        ) from error
