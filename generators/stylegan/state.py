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
    from generators.stylegan.training import Training

_NETWORKS = ("generator", "discriminator", "average")
_OPTIMISERS = ("generator_adam", "discriminator_adam")
_NUMBERS = ("path_length", "signs")


def checkpoint_of(training: Training) -> Checkpoint:
    """Return all that the next steps depend on."""
    tensors = networks_of(training, _NETWORKS, _OPTIMISERS)
    tensors |= {name: getattr(training, name) for name in _NUMBERS}
    return Checkpoint(
        tensors, {"steps": training.steps, "pictures": training.pictures, "p": training.p}
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
        for name in _NUMBERS:
            getattr(training, name).copy_(checkpoint.tensors[name])
        training.steps, training.pictures, training.p = (
            checkpoint.state[name] for name in ("steps", "pictures", "p")
        )
