"""Networks on disk: weights as safetensors with settings beside them, nothing to execute."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialised

from benchmark.files import write_bytes
from generators.pix2pixhd import original
from generators.pix2pixhd.encoder import Encoder, EncoderSettings
from generators.pix2pixhd.networks import build
from generators.pix2pixhd.settings import GeneratorSettings
from generators.stylegan.files import NetworkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import nn

    from generators.pix2pixhd.networks import Generator

FORMAT = "cellgen-pix2pixhd-1"
_ABOUT = "about"  # one entry: the order of several is not the same each time


def save(path: Path, network: nn.Module, about: Mapping[str, Any]) -> None:
    """Write a network to a `.safetensors` file, whole or not at all, in the same bytes each time.

    Parameters
    ----------
    path
        The file; what stood there is replaced.
    network
        On any device.
    about
        What goes with it, as JSON can say it; `settings` is added where the network has some.

    Raises
    ------
    RunError
        The disk is full.
    """
    settings = getattr(network, "settings", None)
    told = {"format": FORMAT, "network": type(network).__name__, **about}
    if settings is not None:
        told["settings"] = json.loads(settings.to_json())
    tensors = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    write_bytes(path, serialised(tensors, {_ABOUT: json.dumps(told, sort_keys=True)}))


def load_generator(path: Path) -> tuple[Generator, dict[str, Any]]:
    """Read a generator, and what goes with it, onto the CPU.

    A `.pth` file of the original is read too; nothing in it is executed.

    Raises
    ------
    NetworkError
        There is no such file, or it holds something else.
    """
    if path.suffix != ".safetensors":
        return original.generator_of(path), {}
    about = _about(path)
    try:
        settings = GeneratorSettings.from_json(json.dumps(about.pop("settings", None)))
    except ValueError as error:
        raise _unfit(path, str(error)) from error
    with torch.device("meta"):
        network = build(settings, seed=None)
    _fill(network, path)
    return network, about


def load_encoder(path: Path) -> Encoder:
    """Read an encoder onto the CPU; as `load_generator`.

    Raises
    ------
    NetworkError
        There is no such file, or it holds something else.
    """
    if path.suffix != ".safetensors":
        return original.encoder_of(path)
    try:
        settings = EncoderSettings(**_about(path).get("settings", {}))
        with torch.device("meta"):
            network = Encoder(settings, seed=None)
    except (TypeError, ValueError) as error:
        raise _unfit(path, str(error)) from error
    _fill(network, path)
    return network


def tensors_of(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a `.safetensors` or `.pth` file by name, whatever they belong to.

    Raises
    ------
    NetworkError
        There is no such file, or it holds something else.
    """
    if path.suffix != ".safetensors":
        return original.tensors_of(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _missing(path) if not path.exists() else _unfit(path, str(error)) from error


def _about(path: Path) -> dict[str, Any]:
    """Return what goes with the network of a file of this format."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(_ABOUT, "null"))
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (OSError, SafetensorError, ValueError) as error:
        raise _unfit(path, str(error)) from error
    if not isinstance(about, dict) or about.pop("format", None) != FORMAT:
        raise _unfit(path, "it is in another format")
    return about


def _fill(network: nn.Module, path: Path) -> None:
    """Give an empty network a file's weights."""
    tensors = {name: _float(tensor) for name, tensor in load_file(path).items()}
    try:
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise _unfit(path, f"its weights do not fit its settings: {error}") from error


def _float(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _missing(path: Path) -> NetworkError:
    return NetworkError(
        "no such network",
        where=path,
        mend="name a *_net_G.safetensors that `bench train textures` wrote, or its folder",
    )


def _unfit(path: Path, why: str) -> NetworkError:
    return NetworkError(
        f"not a network that can be used: {why}",
        where=path,
        mend="use a file that `bench train textures` or `bench weights convert` wrote",
    )
