"""Files of the original, `*_net_G.pth` and its like: what their names and shapes tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import torch

from generators.pix2pixhd import pth
from generators.pix2pixhd.encoder import Encoder, EncoderSettings
from generators.pix2pixhd.networks import build
from generators.pix2pixhd.settings import GeneratorSettings, Norm
from generators.stylegan.files import NetworkError
from generators.stylegan.pickles import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import nn

    from generators.pix2pixhd.networks import Generator

Network = TypeVar("Network", bound="nn.Module")


def tensors_of(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a `.pth` file, by the names that they have here.

    The `module.` that some put before each is left out, and so are averages that norms of instances
    kept in torch 0.3 and never used.

    Raises
    ------
    NetworkError
        There is no such file, it is damaged, or has what no weights need.
    """
    try:
        held = pth.read(path)
    except FileNotFoundError as error:
        raise NetworkError("no such file", where=path, mend="name a .pth file") from error
    except RefusedError as error:
        raise NetworkError(
            f"not weights that can be read: {error}",
            where=path,
            mend="use a .pth that torch.save wrote of a state_dict, unchanged",
        ) from error
    found = {name.removeprefix("module."): tensor for name, tensor in held.items()}
    unused = {"running_mean", "running_var", "num_batches_tracked"}
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in found.items()
        if not (
            name.rpartition(".")[2] in unused and f"{name.rpartition('.')[0]}.weight" not in found
        )
    }


def settings_of(tensors: Mapping[str, torch.Tensor]) -> GeneratorSettings:
    """Return what a generator is made of, told by the names and shapes of its weights.

    Raises
    ------
    ValueError
        They are not those of a generator.

    Examples
    --------
    >>> from generators.pix2pixhd.networks import build
    >>> local = GeneratorSettings(5, 1, "local", 4, 2, 3, 2, 1)
    >>> settings_of(build(local).state_dict()) == local
    True
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    enhancers = len({name.split("_")[0] for name in shapes if re.match(r"model\d+_1\.", name)})
    first = shapes.get("model.1.weight", ())
    last = _last(shapes, f"model{enhancers}_2." if enhancers else "model.")
    if len(first) != 4 or last is None:
        raise ValueError("its names are not those of a generator of Pix2PixHD")
    return GeneratorSettings(
        input_nc=first[1],
        output_nc=last[0],
        net_g="local" if enhancers else "global",
        ngf=last[1],
        n_downsample_global=_halvings(shapes),
        n_blocks_global=_blocks(shapes, "model"),
        n_local_enhancers=enhancers or 1,
        n_blocks_local=_blocks(shapes, "model1_2") if enhancers else 3,
        norm=_norm(shapes),
    )


def generator_of(path: Path) -> Generator:
    """Read a generator of the original onto the CPU.

    Raises
    ------
    NetworkError
        It is none.
    """
    tensors = tensors_of(path)
    try:
        settings = settings_of(tensors)
    except ValueError as error:
        raise _unfit(path, error) from error
    with torch.device("meta"):
        network = build(settings, seed=None)
    return _filled(network, tensors, path)


def encoder_of(path: Path) -> Encoder:
    """Read an encoder of instances of the original onto the CPU.

    Raises
    ------
    NetworkError
        It is none.
    """
    tensors = tensors_of(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    first, last = shapes.get("model.1.weight", ()), _last(shapes, "model.")
    if len(first) != 4 or last is None:
        raise _unfit(path, "its names are not those of an encoder of Pix2PixHD")
    settings = EncoderSettings(first[1], last[0], first[0], _halvings(shapes), _norm(shapes))
    with torch.device("meta"):
        network = Encoder(settings, seed=None)
    return _filled(network, tensors, path)


def _filled(network: Network, tensors: Mapping[str, torch.Tensor], path: Path) -> Network:
    try:
        network.load_state_dict(dict(tensors), assign=True)
    except RuntimeError as error:
        raise _unfit(path, error) from error
    return network


def _halvings(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return how many convolutions outside of blocks have strides, before the blocks."""
    plain = re.compile(r"model\.\d+\.weight")
    sizes = [shape for name, shape in shapes.items() if plain.fullmatch(name) and len(shape) == 4]
    # As many double the size again; those of 7 by 7 keep it.
    return sum(shape[2] == 3 for shape in sizes) // 2


def _blocks(shapes: Mapping[str, tuple[int, ...]], module: str) -> int:
    block = re.compile(re.escape(module) + r"\.\d+\.conv_block\.1\.weight")
    return sum(block.fullmatch(name) is not None for name in shapes)


def _last(shapes: Mapping[str, tuple[int, ...]], start: str) -> tuple[int, ...] | None:
    """Return the shape of the last convolution of 7 by 7 of a module."""
    found = [
        (int(name.split(".")[1]), shape)
        for name, shape in shapes.items()
        if re.fullmatch(re.escape(start) + r"\d+\.weight", name) and shape[2:] == (7, 7)
    ]
    return max(found)[1] if found else None


def _norm(shapes: Mapping[str, tuple[int, ...]]) -> Norm:
    return "batch" if "model.2.weight" in shapes else "instance"


def _unfit(path: Path, why: object) -> NetworkError:
    return NetworkError(
        f"not a network that can be used: {why}",
        where=path,
        mend="name a *_net_G.pth of Pix2PixHD, or the *_net_E.pth where an encoder is wanted",
    )
