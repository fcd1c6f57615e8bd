"""A training as a checkpoint, and back to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.errors import RunError
from generators.training.checkpoint import Checkpoint, moments, named, restore_moments

if TYPE_CHECKING:
    import torch

    from generators.stylegan.training import Training

_NETWORKS = ("generator", "discriminator", "average")
_OPTIMISERS = ("generator_adam", "discriminator_adam")
_NUMBERS = ("path_length", "signs")


def checkpoint_of(training: Training) -> Checkpoint:
    """Return all that the next steps depend on."""
    tensors: dict[str, torch.Tensor] = {name: getattr(training, name) for name in _NUMBERS}
    for name in _NETWORKS:
        tensors |= named(name, getattr(training, name).state_dict())
    for name in _OPTIMISERS:
        tensors |= named(name, moments(getattr(training, name)))
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
    try:
        for name in _NETWORKS:
            getattr(training, name).load_state_dict(checkpoint.below(name))
        for name in _OPTIMISERS:
            restore_moments(getattr(training, name), checkpoint.below(name))
        for name in _NUMBERS:
            getattr(training, name).copy_(checkpoint.tensors[name])
        training.steps, training.pictures, training.p = (
            checkpoint.state[name] for name in ("steps", "pictures", "p")
        )
    except (KeyError, RuntimeError, ValueError) as error:
        raise RunError(
            f"the checkpoint is of another training: {error}",
            mend="remove it to begin anew, or choose another --out",
        ) from error
