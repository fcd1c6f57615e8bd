"""Networks of the original under this project's format; nothing in their files is executed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from generators.pix2pixhd import original
from generators.pix2pixhd.files import save
from generators.pix2pixhd.making import guessed
from generators.stylegan.files import NetworkError

if TYPE_CHECKING:
    from pathlib import Path

    from generators.pix2pixhd.encoder import Encoder
    from generators.pix2pixhd.networks import Generator
    from generators.pix2pixhd.settings import Inputs


def convert(path: Path, out: Path, inputs: Inputs | None = None) -> Generator | Encoder:
    """Write a `*_net_G.pth` or `*_net_E.pth` as `.safetensors`.

    Parameters
    ----------
    path
        What `torch.save` wrote of a state_dict; `_net_E` in its name says that it is an encoder.
    out
        The file to write.
    inputs
        What the generator sees; None: told by the number of its channels.

    Returns
    -------
    Generator or Encoder
        The network, on the CPU.

    Raises
    ------
    NetworkError
        It is none, or sees another number of channels.
    """
    origin = {"origin": path.name}
    if "_net_E" in path.name:
        encoder = original.encoder_of(path)
        save(out, encoder, origin)
        return encoder
    generator = original.generator_of(path)
    width = generator.settings.input_nc
    seen = inputs or guessed(width)
    if seen.channels != width:
        raise NetworkError(
            f"the network sees {width} channels, not {seen.channels}",
            where=path,
            mend="say what they are: --label_nc, --input_nc, --no_instance, --feat_num",
        )
    save(out, generator, {**origin, "inputs": asdict(seen)})
    return generator
