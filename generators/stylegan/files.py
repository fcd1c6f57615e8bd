"""Networks on disk: weights as safetensors, settings in the metadata, nothing to execute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised

from benchmark.errors import BenchError
from benchmark.files import write_bytes
from generators.stylegan.discriminator import Discriminator
from generators.stylegan.generator import Generator
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "cellgen-stylegan-1"
_OWN = frozenset({"format", "network", "settings"})  # names in the metadata that no note may have

Network = TypeVar("Network", Generator, Discriminator)


class NetworkError(BenchError):
    """A file of a network is missing, damaged, or holds something else."""


def save(
    path: str | Path,
    network: Generator | Discriminator,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write a network to a `.safetensors` file, whole or not at all, in the same bytes each time.

    Parameters
    ----------
    path
        The file; what stood there is replaced.
    network
        On any device.
    notes
        Texts by name that go with it, such as what its pictures mean.

    Raises
    ------
    ValueError
        A note is called `format`, `network` or `settings`.
    RunError
        The disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> settings = GeneratorSettings(16, cbase=64, cmax=8, z_dim=8, w_dim=8, num_layers=4)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "tiny.safetensors")
    ...     save(path, Generator(settings), notes={"licence": "CC0-1.0"})
    ...     load_generator(path).settings == settings, load_notes(path)
    (True, {'licence': 'CC0-1.0'})
    """
    path, notes = Path(path), notes or {}
    if taken := _OWN & notes.keys():
        raise ValueError(f"a note may not be called {min(taken)!r}")
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    metadata = {
        **notes,
        "format": FORMAT,
        "network": type(network).__name__,
        "settings": network.settings.to_json(),
    }
    write_bytes(path, _in_order(serialised(tensors, metadata)))


def _in_order(content: bytes) -> bytes:
    """Return a file's bytes with its header in order, which safetensors leaves to chance.

    A file begins with the length of its header in eight bytes; the header is JSON, filled up with
    spaces to whole words.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]


def load_generator(path: str | Path) -> Generator:
    """Read a generator that `save` wrote, onto the CPU.

    Raises
    ------
    NetworkError
        There is no such file, or it holds something else.
    """
    text = _settings(path, Generator)
    try:
        settings = GeneratorSettings.from_json(text)
    except ValueError as error:
        raise _unfit(path, str(error)) from error
    with torch.device("meta"):
        empty = Generator(settings)
    return _filled(path, empty)


def load_notes(path: str | Path) -> dict[str, str]:
    """Read the notes that went with a network.

    Raises
    ------
    NetworkError
        There is no such file, or it holds something else.
    """
    return {name: text for name, text in _metadata(path).items() if name not in _OWN}


def load_discriminator(path: str | Path) -> Discriminator:
    """Read a discriminator that `save` wrote, onto the CPU.

    Raises
    ------
    NetworkError
        There is no such file, or it holds something else.
    """
    text = _settings(path, Discriminator)
    try:
        settings = DiscriminatorSettings.from_json(text)
    except ValueError as error:
        raise _unfit(path, str(error)) from error
    with torch.device("meta"):
        empty = Discriminator(settings)
    return _filled(path, empty)


def _settings(path: str | Path, kind: type[Network]) -> str:
    """Return the settings, as JSON, of a file that holds a network of this kind."""
    metadata = _metadata(path)
    if metadata.get("network") != kind.__name__:
        raise _unfit(path, f"it is a {metadata.get('network')}, not a {kind.__name__}")
    return str(metadata.get("settings"))


def _metadata(path: str | Path) -> dict[str, str]:
    """Return the metadata of a file of this format."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except FileNotFoundError as error:
        raise NetworkError(
            "no such network", where=path, mend="name a .safetensors file of this project"
        ) from error
    except (OSError, SafetensorError) as error:
        raise _unfit(path, str(error)) from error
    if metadata.get("format") != FORMAT:
        raise _unfit(path, f"its format is {metadata.get('format')!r}, not {FORMAT!r}")
    return metadata


def _filled(path: str | Path, network: Network) -> Network:
    """Return the network with the file's weights.

    Until they are known to fit, the network is empty: settings that lie cost no memory.
    """
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    try:
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise _unfit(path, f"its weights do not fit its settings: {error}") from error
    return network


def _unfit(path: str | Path, why: str) -> NetworkError:
    return NetworkError(
        f"not a network that can be used: {why}",
        where=path,
        mend="use a file that `bench train masks` or `bench weights convert` wrote",
    )
