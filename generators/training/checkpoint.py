"""Where a training stands, in one file that is whole or absent, with nothing in it to execute.

Weights, their averages and the optimisers' moments are tensors; all else is JSON beside them. Both
stand in one safetensors file, so a killed training never finds one without the other.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from benchmark.errors import RunError
from benchmark.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import torch

_FORMAT = "cellgen-training-1"


@dataclass(frozen=True)
class Checkpoint:
    """Where a training stands.

    Parameters
    ----------
    tensors
        By name.
    state
        What JSON can say.
    """

    tensors: Mapping[str, torch.Tensor]
    state: Mapping[str, Any]

    def below(self, name: str) -> dict[str, torch.Tensor]:
        """Return the tensors whose names start with `name.`, without that.

        Examples
        --------
        >>> Checkpoint({"g.weight": 1, "d.weight": 2}, {}).below("g")
        {'weight': 1}
        """
        start = f"{name}."
        return {k.removeprefix(start): v for k, v in self.tensors.items() if k.startswith(start)}


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; what stood there is replaced once this one is whole.

    The same state gives the same bytes.

    Raises
    ------
    RunError
        The disk is full. The one before is still there.
    """
    tensors = {name: t.detach().cpu().contiguous() for name, t in checkpoint.tensors.items()}
    # One entry: the order of several is not the same each time.
    state = json.dumps({"format": _FORMAT, **checkpoint.state}, sort_keys=True, allow_nan=False)
    write_bytes(path, save(tensors, {"state": state}))


def read(path: Path) -> Checkpoint | None:
    """Read a checkpoint onto the CPU; None where there is none.

    Raises
    ------
    RunError
        The file is damaged, or something else.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            entries = dict(state)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise _unfit(path) from error
    if entries.pop("format", None) != _FORMAT:
        raise _unfit(path)
    return Checkpoint(tensors, entries)


def _unfit(path: Path) -> RunError:
    return RunError(
        "this is no checkpoint that a training can continue from",
        where=path,
        mend="remove it to begin anew, or choose another --out",
    )


@contextmanager
def of_same_training() -> Iterator[None]:
    """Say of what does not fit while a checkpoint is restored that it is of another training.

    Raises
    ------
    RunError
        A network, an optimiser or a number is not as the checkpoint has it.
    """
    try:
        yield
    except (KeyError, RuntimeError, ValueError) as error:
        raise RunError(
            f"the checkpoint is of another training: {error}",
            mend="remove it to begin anew, or choose another --out",
        ) from error


def restore_networks(
    training: object, checkpoint: Checkpoint, networks: Iterable[str], optimisers: Iterable[str]
) -> None:
    """Give a training's networks and optimisers back what a checkpoint has of them, by name.

    Parameters
    ----------
    training
        Has each as an attribute; a network that is None is passed over.
    """
    for name in networks:
        if (network := getattr(training, name)) is not None:
            network.load_state_dict(checkpoint.below(name))
    for name in optimisers:
        restore_moments(getattr(training, name), checkpoint.below(name))


def networks_of(
    training: object, networks: Iterable[str], optimisers: Iterable[str]
) -> dict[str, torch.Tensor]:
    """Return what `restore_networks` gives back, as tensors of a checkpoint."""
    tensors: dict[str, torch.Tensor] = {}
    for name in networks:
        if (network := getattr(training, name)) is not None:
            tensors |= named(name, network.state_dict())
    for name in optimisers:
        tensors |= named(name, moments(getattr(training, name)))
    return tensors


def named(start: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return tensors with `start.` before their names.

    Examples
    --------
    >>> named("g", {"weight": 1})
    {'g.weight': 1}
    """
    return {f"{start}.{name}": tensor for name, tensor in tensors.items()}


def moments(adam: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return an optimiser's tensors by names `K.NAME`, K the number of the parameter."""
    state = adam.state_dict()["state"]
    return {f"{k}.{name}": value for k, of in state.items() for name, value in of.items()}


def restore_moments(adam: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give an optimiser back what `moments` took from one like it."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = tensor
    adam.load_state_dict({"state": state, "param_groups": adam.state_dict()["param_groups"]})
