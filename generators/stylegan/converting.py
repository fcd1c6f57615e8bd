"""Networks of the published StyleGAN2 and StyleGAN3 code, under the names that they have here.

The layout was told by the papers and by the names and shapes in published files; docs/design/009
has it as a table.
"""

from __future__ import annotations

import json
import re
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from generators.stylegan.discriminator import Discriminator
from generators.stylegan.files import Network, NetworkError, save
from generators.stylegan.filters import BINOMIAL
from generators.stylegan.generator import Generator
from generators.stylegan.pickles import RefusedError, read_pickle
from generators.stylegan.renaming import (
    DISCRIMINATOR,
    GENERATOR,
    SYNTHESIS2,
    SYNTHESIS3,
    by_level,
    translated,
)
from generators.stylegan.schedule import schedule
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings
from generators.stylegan.stored import Module

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.stylegan.filters import Filter

NETWORKS = ("G_ema", "G", "D")
"""What a published file holds: the averaged generator, the generator, the discriminator."""

_OPTIONS3 = {  # of the published synthesis: what it is called here, and its usual value
    "channel_base": ("cbase", 32768),
    "channel_max": ("cmax", 512),
    "num_layers": ("num_layers", 14),
    "num_critical": ("num_critical", 2),
    "first_cutoff": ("first_cutoff", 2.0),
    "first_stopband": ("first_stopband", 2**2.1),
    "last_stopband_rel": ("last_stopband", 2**0.3),
    "margin_size": ("margin_size", 10),
    "output_scale": ("output_scale", 0.25),
    "filter_size": ("filter_size", 6),
    "conv_clamp": ("clamp", 256.0),
}
_UNBOUNDED = 1e6  # for a clamp where there is none
# Options that do not touch what a network makes, or that its attributes and tensors tell again.
_APART = frozenset(
    {"w_dim", "img_resolution", "img_channels", "num_fp16_res", "magnitude_ema_beta"}
    | {"conv_kernel", "use_radial_filters", "fp16_channels_last", "mapping_kwargs"}
    | {"use_noise", "activation", "resample_filter", "block_kwargs", "epilogue_kwargs"}
    | {"c_dim", "freeze_layers", "lrelu_upsampling", "architecture", "cmap_dim", "fused_modconv"}
)


def convert(path: str | Path, out: str | Path, which: str = "G_ema") -> Generator | Discriminator:
    """Write a network of a published pickle as `.safetensors`; nothing in the pickle is executed.

    Parameters
    ----------
    path
        A `.pkl` file of StyleGAN2-ADA for PyTorch or of StyleGAN3.
    out
        The file to write.
    which
        One of `NETWORKS`.

    Returns
    -------
    Generator or Discriminator
        The network, on the CPU.

    Raises
    ------
    NetworkError
        The file is no such pickle, holds what has no business in it, or a network of a kind that
        cannot be had here.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise NetworkError("no such file", where=path, mend="name an official .pkl") from error
    try:
        network = network_of(data, which)
    except RefusedError as error:
        raise NetworkError(
            f"not a pickle that can be converted: {error}",
            where=path,
            mend="use a pickle that StyleGAN2-ADA for PyTorch or StyleGAN3 wrote, unchanged",
        ) from error
    origin = {"from": Path(path).name, "network": which}
    save(out, network, notes={"origin": json.dumps(origin)})
    return network


def network_of(data: bytes, which: str = "G_ema") -> Generator | Discriminator:
    """Return a network of a published pickle.

    Raises
    ------
    RefusedError
        The pickle is not what it should be; the message says why.
    """
    held = read_pickle(data)
    if not isinstance(held, dict) or which not in held:
        raise RefusedError(f"it holds no {which}")
    module = Module.of(held[which])
    if which == "D":
        return _discriminator(module)
    synthesis = module.part("synthesis")
    if "input" in synthesis.parts():
        return _generator3(module, synthesis)
    return _generator2(module, synthesis)


def _generator3(module: Module, synthesis: Module) -> Generator:
    options = synthesis.options
    _only_known(options, {*_OPTIONS3, *_APART})
    kernel, radial = options.get("conv_kernel", 3), options.get("use_radial_filters", False)
    if (kernel, radial) not in {(3, False), (1, True)}:
        raise RefusedError(f"{kernel} x {kernel} convolutions do not go with its filters here")
    chosen = {ours: options.get(theirs, usual) for theirs, (ours, usual) in _OPTIONS3.items()}
    if radial:  # here they are doubled on their own
        chosen |= {name: _half(chosen[name]) for name in ("cbase", "cmax")}
    settings = _settings(
        GeneratorSettings,
        cfg="stylegan3-r" if radial else "stylegan3-t",
        **_ends(module),
        **_clamped(chosen),
    )
    _power_of_two(settings.resolution)
    tensors = module.tensors()
    _check_filters(settings, tensors)
    if not torch.equal(tensors.pop("synthesis.input.transform", torch.eye(3)), torch.eye(3)):
        raise RefusedError("its input is moved; reset the transform before it is saved")
    renamed = translated(tensors, (*GENERATOR, *SYNTHESIS3))
    last = f"synthesis.layers.{settings.num_layers}."
    for name in [name for name in renamed if name.startswith(last)]:
        part = name.removeprefix(last)
        ours = "synthesis.magnitude" if part == "magnitude" else f"synthesis.picture.{part}"
        renamed[ours] = renamed.pop(name)
    with torch.device("meta"):
        generator = Generator(settings)
    return _filled(generator, renamed)


def _generator2(module: Module, synthesis: Module) -> Generator:
    options = synthesis.options
    _only_known(options, {*_APART, "channel_base", "channel_max", "conv_clamp"})
    _only_skips(synthesis, "skip")
    settings = _settings(
        GeneratorSettings,
        cfg="stylegan2",
        cbase=options.get("channel_base", 32768),
        cmax=options.get("channel_max", 512),
        **_ends(module),
        **_clamped({"clamp": options.get("conv_clamp")}),
    )
    _power_of_two(settings.resolution)
    tensors = by_level(module.tensors(), r"(synthesis\.)b(\d+)", lambda size: round(log2(size)) - 2)
    renamed = translated(_without_binomial(tensors), (*GENERATOR, *SYNTHESIS2))
    with torch.device("meta"):
        generator = Generator(settings)
    return _filled(generator, renamed)


def _discriminator(module: Module) -> Discriminator:
    options = module.options
    _only_known(options, {*_APART, "channel_base", "channel_max", "conv_clamp"})
    _only_skips(module, "resnet")
    end = module.part("b4").part("mbstd").state
    if end.get("num_channels") != 1:
        raise RefusedError("the spread of its batch is not one channel")
    resolution = module.whole("img_resolution")
    settings = _settings(
        DiscriminatorSettings,
        resolution=resolution,
        channels=module.whole("img_channels"),
        c_dim=module.whole("c_dim"),
        cbase=options.get("channel_base", 32768),
        cmax=options.get("channel_max", 512),
        mapping_depth=module.part("mapping").whole("num_layers") if module.whole("c_dim") else 8,
        group=2**14 if end.get("group_size") is None else end["group_size"],
        **_clamped({"clamp": options.get("conv_clamp")}),
    )
    _power_of_two(resolution)
    tensors = by_level(module.tensors(), r"()b(\d+)", lambda size: round(log2(resolution / size)))
    with torch.device("meta"):
        discriminator = Discriminator(settings)
    return _filled(discriminator, translated(_without_binomial(tensors), DISCRIMINATOR))


def _ends(module: Module) -> dict[str, Any]:
    """Return the settings that all generators have."""
    mapping = module.part("mapping")
    rate = mapping.part("fc0").state.get("bias_gain")
    return {
        "resolution": module.whole("img_resolution"),
        "channels": module.whole("img_channels"),
        "z_dim": module.whole("z_dim"),
        "w_dim": module.whole("w_dim"),
        "c_dim": module.whole("c_dim"),
        "mapping_depth": mapping.whole("num_layers"),
        "mapping_rate": 0.01 if rate is None else rate,
    }


def _settings(kind: Any, **values: Any) -> Any:
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise RefusedError(f"its settings are out of bounds: {error}") from error


def _clamped(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"clamp": _UNBOUNDED if values["clamp"] is None else values["clamp"]}


def _half(value: Any) -> int:
    if type(value) is not int or value % 2:
        raise RefusedError("a number of channels is odd")
    return value // 2


def _power_of_two(resolution: int) -> None:
    if resolution & (resolution - 1):
        raise RefusedError(f"{resolution} pixels across are no power of two")


def _only_known(options: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(str(name) for name in options if name not in known):
        raise RefusedError(f"it was made with {unknown[0][:80]!r}, which is not known here")


def _only_skips(module: Module, architecture: str) -> None:
    for name, part in module.parts().items():
        if part.state.get("architecture", architecture) != architecture:
            raise RefusedError(f"{name[:80]} has another architecture than {architecture!r}")


def _check_filters(settings: GeneratorSettings, tensors: Mapping[str, torch.Tensor]) -> None:
    """Refuse a network whose filters are not those that its settings give."""
    layers = schedule(settings).layers
    for name, tensor in tensors.items():
        if found := re.fullmatch(r"synthesis\.L(\d+)_\d+_\d+\.(up_filter|down_filter)", name):
            index = int(found[1][:4])
            if index >= len(layers) or not _alike(tensor, getattr(layers[index], found[2])):
                raise RefusedError(f"{name[:80]} is not the filter of its settings")


def _without_binomial(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Refuse a network whose filter is not [1, 3, 3, 1]."""
    left = dict(tensors)
    for name in [name for name in tensors if name.split(".")[-1] == "resample_filter"]:
        if not _alike(left.pop(name), BINOMIAL):
            raise RefusedError(f"{name[:80]} is not [1, 3, 3, 1]")
    return left


def _alike(tensor: torch.Tensor, low: Filter) -> bool:
    """Whether a tensor, (taps,) or (taps, taps), is a filter, to float32."""
    tensor = tensor.double()
    plane = torch.outer(tensor, tensor) if tensor.ndim == 1 else tensor
    ours = torch.from_numpy(low.plane.copy())
    return plane.shape == ours.shape and bool((plane - ours).abs().max() <= 1e-5 * ours.abs().max())


def _filled(network: Network, tensors: Mapping[str, torch.Tensor]) -> Network:
    """Return the network, empty so far, with these weights."""
    whole = {name: tensor.float().contiguous() for name, tensor in tensors.items()}
    try:
        network.load_state_dict(whole, assign=True)
    except RuntimeError as error:
        raise RefusedError(f"its weights do not fit its settings: {error}") from error
    return network
