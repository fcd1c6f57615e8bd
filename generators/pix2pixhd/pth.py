"""Files of `torch.save` that hold tensors by name, read as data: nothing in them is executed.

Both forms are read: the archive that torch writes since 1.6, and the older one, a row of pickles
with the numbers behind them. The pickles are read by `generators.stylegan.pickles`.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, field
from io import SEEK_END, BytesIO
from math import prod
from typing import TYPE_CHECKING, Any

import torch

from generators.stylegan.pickles import Name, Persistent, Record, RefusedError, read_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

_TYPES = {
    "torch HalfStorage": torch.float16,
    "torch BFloat16Storage": torch.bfloat16,
    "torch FloatStorage": torch.float32,
    "torch DoubleStorage": torch.float64,
    "torch LongStorage": torch.int64,
}
_TENSORS = {"torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor"}
_KNOWN = frozenset(
    {*_TYPES, *_TENSORS, "torch._utils _rebuild_parameter", "collections OrderedDict"}
)
_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read a file of tensors by name, onto the CPU.

    Raises
    ------
    FileNotFoundError
        There is none.
    RefusedError
        It is damaged, or holds what weights do not need.
    """
    with path.open("rb") as file:
        if zipfile.is_zipfile(file):
            return _of_archive(file)
        file.seek(0)
        return _of_pickles(file)


@dataclass
class _Storages:
    """The numbers that tensors are views of, each fetched once.

    Parameters
    ----------
    fetch
        Returns the numbers (n,) of a key, of a type.
    """

    fetch: Callable[[str, torch.dtype, int], torch.Tensor]
    known: dict[str, torch.Tensor] = field(default_factory=dict)

    def of(self, stored: Any) -> torch.Tensor:
        """Return the numbers that a persistent identifier tells of."""
        kind, key, count = stored_of(stored)
        if key not in self.known:
            self.known[key] = self.fetch(key, kind, count)
        return self.known[key]


def stored_of(stored: Any) -> tuple[torch.dtype, str, int]:
    """Return the type, key and count of numbers that a persistent identifier tells of."""
    if isinstance(stored, Persistent):
        match stored.identifier:
            case ("storage", Name(text), str(key), str(), int(count), *rest) if (
                text in _TYPES and count >= 0 and rest in ([], [None])
            ):
                return _TYPES[text], key, count
    raise RefusedError("a tensor's numbers are something else")


def _of_archive(file: BinaryIO) -> dict[str, torch.Tensor]:
    length = file.seek(0, SEEK_END)
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            # torch packs nothing, and a member is never read beyond the size that it states.
            if unpacked > length:
                raise RefusedError(
                    f"the archive of {length} bytes unpacks to {unpacked}; those of torch are not "
                    "packed"
                )
            return _of_members(archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        RuntimeError,  # a member is encrypted, or in a compression that is not known
        EOFError,
        OSError,
    ) as error:
        raise RefusedError(f"the archive is damaged, or none of torch: {error}") from error


def _of_members(archive: zipfile.ZipFile) -> dict[str, torch.Tensor]:
    names = set(archive.namelist())
    pickled = [name for name in names if name.endswith("/data.pkl")]
    if len(pickled) != 1:
        raise RefusedError("the archive is none of torch")
    start = pickled[0].removesuffix("data.pkl")
    if f"{start}byteorder" in names and archive.read(f"{start}byteorder") != b"little":
        raise RefusedError("its numbers have another order of bytes")

    def fetch(key: str, kind: torch.dtype, count: int) -> torch.Tensor:
        name = f"{start}data/{key}"
        if archive.getinfo(name).file_size != count * kind.itemsize:
            raise RefusedError("a tensor's numbers are more or fewer than it says")
        return _numbers(archive.read(name), kind, count)

    held = read_from(BytesIO(archive.read(pickled[0])), _KNOWN, persistent=True)
    return _tensors(held, _Storages(fetch))


def _of_pickles(file: BinaryIO) -> dict[str, torch.Tensor]:
    if read_from(file, frozenset()) != _MAGIC or read_from(file, frozenset()) != _VERSION:
        raise RefusedError("it is in a form that is not known")
    about = read_from(file, frozenset())
    if not isinstance(about, dict) or about.get("little_endian") is not True:
        raise RefusedError("its numbers have another order of bytes")
    held = read_from(file, _KNOWN, persistent=True)
    kinds: dict[str, tuple[torch.dtype, int]] = {}
    for _, record in _records(held):
        kind, key, count = stored_of(record.arguments[0])
        kinds[key] = kind, count
    storages: dict[str, torch.Tensor] = {}
    keys = read_from(file, frozenset())
    if not isinstance(keys, list):
        raise RefusedError("it says of no numbers what they belong to")
    for key in keys:
        if not isinstance(key, str) or key not in kinds:
            raise RefusedError("there are numbers that no tensor has")
        kind, count = kinds[key]
        if int.from_bytes(file.read(8), "little", signed=True) != count:
            raise RefusedError("a tensor's numbers are more or fewer than it says")
        storages[key] = _numbers(file.read(count * kind.itemsize), kind, count)

    def fetch(key: str, _kind: torch.dtype, _count: int) -> torch.Tensor:
        if key not in storages:
            raise RefusedError("a tensor has no numbers")
        return storages[key]

    return _tensors(held, _Storages(fetch))


def _numbers(data: bytes, kind: torch.dtype, count: int) -> torch.Tensor:
    if len(data) != count * kind.itemsize:
        raise RefusedError("a tensor's numbers are more or fewer than it says")
    return torch.frombuffer(bytearray(data), dtype=kind) if data else torch.zeros(0, dtype=kind)


def _records(held: Any) -> list[tuple[str, Record]]:
    """Return what stands for tensors, by name."""
    if not isinstance(held, dict):
        raise RefusedError("it holds no tensors by name")
    found = []
    for name, record in held.items():
        if not (
            isinstance(name, str)
            and isinstance(record, Record)
            and record.name in _TENSORS
            and len(record.arguments) >= 4
        ):
            raise RefusedError(f"what should be a tensor is something else: {str(name)[:80]!r}")
        found.append((name, record))
    return found


def _tensors(held: Any, storages: _Storages) -> dict[str, torch.Tensor]:
    made = {}
    for name, record in _records(held):
        stored, offset, size, stride = record.arguments[:4]
        if not (isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)):
            raise RefusedError("a tensor has no size")
        if not all(type(number) is int and number >= 0 for number in (offset, *size, *stride)):
            raise RefusedError("a tensor's size is no whole number")
        numbers = storages.of(stored)
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        # Steps of 0 would make much of little.
        if prod(size) > len(numbers) or (prod(size) and last >= len(numbers)):
            raise RefusedError("a tensor reaches beyond its numbers")
        made[name] = numbers.as_strided(size, stride, offset)
    return made
