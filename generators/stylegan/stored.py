"""Modules and tensors of a pickle that was read as data (see `pickles`)."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING, Any

import torch

from generators.stylegan.pickles import (
    MODULE,
    STORAGE,
    TENSOR,
    Name,
    Persistent,
    Record,
    RefusedError,
    read_from,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES = {
    "torch HalfStorage": torch.float16,
    "torch FloatStorage": torch.float32,
    "torch DoubleStorage": torch.float64,
    "torch LongStorage": torch.int64,
}
_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001  # of torch's files before they were archives


@dataclass(frozen=True)
class Module:
    """A network, or a part of one.

    Parameters
    ----------
    kind
        The name of its class.
    state
        Its attributes.
    """

    kind: str
    state: Mapping[str, Any]

    @classmethod
    def of(cls, value: Any) -> Module:
        """Read what stands for a module.

        Raises
        ------
        RefusedError
            It is something else.
        """
        if not (isinstance(value, Record) and value.name == MODULE and len(value.arguments) == 1):
            raise RefusedError("what should be a network is something else")
        about = value.arguments[0]
        if not isinstance(about, dict) or not isinstance(about.get("state"), dict):
            raise RefusedError("a module has no state")
        return cls(str(about.get("class_name")), about["state"])

    def whole(self, name: str) -> int:
        """Return an attribute that is a whole number."""
        value = self.state.get(name)
        if type(value) is not int:
            raise RefusedError(f"{name} of {self.kind} is no whole number")
        return value

    @property
    def options(self) -> Mapping[str, Any]:
        """What it was made with, by name."""
        given = self.state.get("_init_kwargs")
        if not isinstance(given, dict) or self.state.get("_init_args") not in (None, (), []):
            raise RefusedError(f"what {self.kind} was made with is not known by name")
        return given

    def parts(self) -> Mapping[str, Module]:
        """Return the modules in it."""
        return {name: Module.of(part) for name, part in self._group("_modules").items() if part}

    def part(self, name: str) -> Module:
        """Return a module in it."""
        return Module.of(self._group("_modules").get(name))

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return all parameters and buffers, by names with dots.

        They take no more memory than the pickle, however often it names the same numbers.
        """
        found: dict[str, torch.Tensor] = {}
        seen: set[int] = set()
        storages: dict[int, torch.Tensor] = {}
        waiting = [("", self)]
        while waiting:
            prefix, module = waiting.pop()
            if id(module.state) in seen:
                raise RefusedError("a module stands in two places")
            seen.add(id(module.state))
            for group in ("_parameters", "_buffers"):
                for name, record in module._group(group).items():  # noqa: SLF001 - its own kind
                    if record is not None:
                        found[f"{prefix}{name}"] = tensor_of(record, storages)
            waiting += [(f"{prefix}{name}.", part) for name, part in module.parts().items()]
        return found

    def _group(self, name: str) -> dict[str, Any]:
        group = self.state.get(name, {})
        if not isinstance(group, dict):
            raise RefusedError(f"{name} of {self.kind} is no dictionary")
        return group


def tensor_of(value: Any, storages: dict[int, torch.Tensor]) -> torch.Tensor:
    """Read what stands for a tensor.

    Parameters
    ----------
    value
        What was read from a pickle, which has to live on meanwhile.
    storages
        Numbers that are known already, by the identity of their bytes; more are added.

    Raises
    ------
    RefusedError
        It is something else, or reaches beyond its numbers.
    """
    if not (isinstance(value, Record) and value.name == TENSOR and len(value.arguments) >= 4):
        raise RefusedError("what should be a tensor is something else")
    storage, offset, size, stride = value.arguments[:4]
    if not (isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)):
        raise RefusedError("a tensor has no size")
    if not all(type(number) is int and number >= 0 for number in (offset, *size, *stride)):
        raise RefusedError("a tensor's size is no whole number")
    numbers = _numbers(storage, storages)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    # Steps of 0 would make much of little.
    if prod(size) > len(numbers) or (prod(size) and last >= len(numbers)):
        raise RefusedError("a tensor reaches beyond its numbers")
    return numbers.as_strided(size, stride, offset)


def _numbers(storage: Any, known: dict[int, torch.Tensor]) -> torch.Tensor:
    """Return the numbers (n,) of a storage."""
    if not (isinstance(storage, Record) and storage.name == STORAGE):
        raise RefusedError("a tensor's numbers are something else")
    data = storage.arguments[0] if storage.arguments else None
    if not isinstance(data, bytes):
        raise RefusedError("a tensor's numbers are something else")
    if id(data) not in known:
        known[id(data)] = _parsed(data)
    return known[id(data)]


def _parsed(data: bytes) -> torch.Tensor:
    """Read torch's old files of one storage: five short pickles, a count, and the numbers."""
    file, names = BytesIO(data), frozenset(_TYPES)
    if read_from(file, frozenset()) != _MAGIC or read_from(file, frozenset()) != _VERSION:
        raise RefusedError("a tensor's numbers are in a form that is not known")
    about = read_from(file, frozenset())
    if not isinstance(about, dict) or about.get("little_endian") is not True:
        raise RefusedError("a tensor's numbers have another order of bytes")
    dtype = _type(read_from(file, names, persistent=True))
    read_from(file, frozenset())  # the storage's own name once more
    count = int.from_bytes(file.read(8), "little", signed=True)
    rest = data[file.tell() :]
    if count < 0 or len(rest) != count * dtype.itemsize:
        raise RefusedError("a tensor's numbers are more or fewer than it says")
    return torch.frombuffer(bytearray(rest), dtype=dtype) if count else torch.zeros(0, dtype=dtype)


def _type(stored: Any) -> torch.dtype:
    """Return the type of the numbers that a persistent identifier tells of."""
    match stored:
        case Persistent(("storage", Name(text), str(), str(), int(), None)):
            return _TYPES[text]
    raise RefusedError("a tensor's numbers are something else")
