"""A training as a checkpoint, and back to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.training.checkpoint import (
    Checkpoint,
    networks_of,
    of_same_training,
    restore_networks,
)

if TYPE_CHECKING:
    from generators.pix2pixhd.training import Training

_NETWORKS = ("generator", "discriminator", "encoder")
_OPTIMISERS = ("generator_adam", "discriminator_adam")
_POOL = "pool"


def checkpoint_of(training: Training) -> Checkpoint:
    """Return all that the next steps depend on."""
    tensors = networks_of(training, _NETWORKS, _OPTIMISERS)
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
    with of_same_training():
        restore_networks(training, checkpoint, _NETWORKS, _OPTIMISERS)
        held = checkpoint.below(_POOL)
        training.pool.held = [held[str(k)].to(training.device) for k in range(len(held))]
        training.scaler.load_state_dict(checkpoint.state["scaler"])
        training.steps, training.pictures = (
            checkpoint.state[name] for name in ("steps", "pictures")
        )
