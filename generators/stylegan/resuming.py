"""Starting from trained networks instead of random weights: fine-tuning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.stylegan.files import NetworkError, load_discriminator, load_generator

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from generators.stylegan.generator import Generator
    from generators.stylegan.training import Training

NETWORK, DISCRIMINATOR = "network-snapshot-", "discriminator-snapshot-"


def network_file(path: Path) -> Path:
    """Return the file of a network: as given, or the latest snapshot of a training's folder.

    Raises
    ------
    NetworkError
        The folder has none.
    """
    if not path.is_dir():
        return path
    found = sorted(path.glob(f"{NETWORK}*.safetensors"))
    if not found:
        raise NetworkError(
            "no snapshot of a network", where=path, mend="name the file of a network"
        )
    return found[-1]


def load(path: Path) -> Generator:
    """Read the generator that a training starts from; `path` as for `network_file`.

    Raises
    ------
    NetworkError
        There is none, or it cannot be used.
    """
    return load_generator(network_file(path))


def take_over(training: Training, generator: Generator, path: Path) -> list[str]:
    """Give the networks of a new training the weights of trained ones.

    Weights go over by name, where their shapes agree. The discriminator is looked for beside the
    generator: `discriminator-snapshot-000200` beside `network-snapshot-000200`.

    Parameters
    ----------
    training
        Changed in place.
    generator
        What `load` gave.
    path
        Where it was.

    Returns
    -------
    list of str
        What the user should know: what did not go over.

    Raises
    ------
    NetworkError
        Nothing fits.
    """
    file = network_file(path)
    told = []
    for network in (training.generator, training.average):
        missing = _copied(generator, network)
    if missing == len(training.generator.state_dict()):
        raise NetworkError(
            "no weights of this network fit the one to be trained",
            where=file,
            mend="leave --cfg, --resolution and sizes as they are in the network's file",
        )
    if missing:
        told.append(f"{missing} tensors of the generator are new: others do not fit")
    beside = file.with_name(file.name.replace(NETWORK, DISCRIMINATOR))
    if beside == file or not beside.exists():
        told.append("the discriminator is new: there is none beside the network")
    elif missing := _copied(load_discriminator(beside), training.discriminator):
        told.append(f"{missing} tensors of the discriminator are new: others do not fit")
    return told


def _copied(source: torch.nn.Module, target: torch.nn.Module) -> int:
    """Copy what fits by name and shape; return how many tensors are left as they were."""
    given = source.state_dict()
    left = 0
    for name, tensor in target.state_dict().items():
        if name in given and given[name].shape == tensor.shape:
            tensor.copy_(given[name])
        else:
            left += 1
    return left
