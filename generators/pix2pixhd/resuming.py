"""Starting from trained networks instead of random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from generators.pix2pixhd.files import tensors_of
from generators.stylegan.files import NetworkError

if TYPE_CHECKING:
    from pathlib import Path

    from generators.pix2pixhd.training import Training

_SUFFIXES = (".safetensors", ".pth")


def network_file(path: Path, epoch: str = "latest", letter: str = "G") -> Path:
    """Return the file of a network: as given, or of a folder by epoch and letter.

    Raises
    ------
    NetworkError
        The folder has none.
    """
    if not path.is_dir():
        return path
    for suffix in _SUFFIXES:
        if (found := path / f"{epoch}_net_{letter}{suffix}").exists():
            return found
    there = sorted(file.name.split("_net_")[0] for file in path.glob(f"*_net_{letter}.*"))
    raise NetworkError(
        f"there is no {epoch}_net_{letter}.safetensors",
        where=path,
        mend=f"choose --which_epoch {there[0]}" if there else "name the file of a network",
    )


def beside(path: Path, letter: str) -> Path | None:
    """Return the file of another network beside that of a generator, if there is one.

    Examples
    --------
    >>> from pathlib import Path
    >>> beside(Path("nowhere/latest_net_G.pth"), "E") is None
    True
    """
    if "_net_G" not in path.name:
        return None
    found = path.with_name(path.name.replace("_net_G", f"_net_{letter}"))
    return found if found.exists() else None


def take_over(training: Training, path: Path, epoch: str = "latest") -> list[str]:
    """Give the networks of a new training the weights of trained ones.

    Weights go over by name, where their shapes agree: a global generator into the middle of one
    with enhancers. Discriminator and encoder are looked for beside the generator.

    Parameters
    ----------
    training
        Changed in place.
    path
        The file of a generator, or a folder with one.
    epoch
        Which one of a folder.

    Returns
    -------
    list of str
        What the user should know: what did not go over.

    Raises
    ------
    NetworkError
        Nothing of the generator fits.
    """
    file = network_file(path, epoch)
    told = []
    for letter, network in (
        ("G", training.generator),
        ("D", training.discriminator),
        ("E", training.encoder),
    ):
        if network is None:
            continue
        found = file if letter == "G" else beside(file, letter)
        if found is None:
            told.append(f"there is no network {letter} beside {file.name}: it starts anew")
            continue
        left, all_ = _copied(tensors_of(found), network)
        if letter == "G" and left == all_:
            raise NetworkError(
                "no weights of this network fit the one to be trained",
                where=found,
                mend="choose --netG, --ngf and --norm as it has them",
            )
        if left:
            told.append(f"{left} of {all_} weights of {letter} start anew: {found.name} lacks them")
    return told


def _copied(given: dict[str, torch.Tensor], network: torch.nn.Module) -> tuple[int, int]:
    """Copy tensors of the same name and shape; return how many were left out, and all."""
    left = 0
    wanted = network.state_dict()
    with torch.no_grad():
        for name, tensor in wanted.items():
            found = given.get(name)
            if found is None or found.shape != tensor.shape:
                left += 1
            else:
                tensor.copy_(found)
    return left, len(wanted)
