"""Pickles of networks read as data: nothing in them is ever imported, called or set.

A pickle is a program for a small stack machine. This one runs it on inert values: what would be a
class or a function is a `Name`, what would be a call is a `Record`, and any name that the pickles
of StyleGAN2 and StyleGAN3 do not need is refused, with the byte where it stands.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SCALARS = (str, int, float, type(None))
_LONGEST = 80  # characters of a name in a message

_NUMBERS = frozenset(
    f"{module} {name}"
    for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("scalar", "_reconstruct")
)
MODULE = "torch_utils.persistence _reconstruct_persistent_obj"
TENSOR, PARAMETER = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"
STORAGE = "torch.storage _load_from_bytes"
_DICTIONARIES = frozenset({"collections OrderedDict", "dnnlib.util EasyDict"})
_SAID_OF_WEIGHTS = frozenset({"_metadata"})  # versions of layers, kept as an attribute
_OTHERS = frozenset(
    {"builtins set", "numpy dtype", "numpy ndarray", "_codecs encode", "torch device", "torch Size"}
    | {"torch float16", "torch float32"}
)
KNOWN = _NUMBERS | _DICTIONARIES | _OTHERS | {MODULE, TENSOR, PARAMETER, STORAGE}
"""Names that pickles of networks have: none of them is looked up, here they are but words."""


@dataclass(frozen=True)
class Name:
    """What would have been imported: module and name, a space between."""

    text: str


@dataclass(eq=False)
class Record:
    """What would have been a call.

    Parameters
    ----------
    name
        What would have been called.
    arguments
        With these.
    state
        What the result would have been given afterwards.
    """

    name: str
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True)
class Persistent:
    """What stands outside of the pickle, by the identifier that it has in there."""

    identifier: Any


class RefusedError(ValueError):
    """The pickle has what is not wanted, at a byte that the message names."""


def read_pickle(data: bytes) -> Any:
    """Read a pickle without executing anything.

    Returns
    -------
    Any
        Numbers, texts, bytes, lists, tuples, dicts, sets; `Name` and `Record` for the rest.

    Raises
    ------
    RefusedError
        It is damaged, no pickle, or has what no pickle of a network needs.

    Examples
    --------
    >>> import pickle
    >>> read_pickle(pickle.dumps({"a": [1, (2.5, None)]}))
    {'a': [1, (2.5, None)]}
    >>> import os
    >>> read_pickle(pickle.dumps(os.getcwd))
    Traceback (most recent call last):
    generators.stylegan.pickles.RefusedError: byte 28: it would import 'posix getcwd'
    """
    return read_from(BytesIO(data))


def read_from(file: BinaryIO, known: frozenset[str] = KNOWN, *, persistent: bool = False) -> Any:
    """Read one pickle that a file goes on with; leave the file where it ends.

    Parameters
    ----------
    file
        Of bytes.
    known
        Names that it may have.
    persistent
        Whether it may name what stands outside of it.
    """
    machine = _Machine(known, persistent=persistent)
    start = file.tell()
    position = start
    try:
        for opcode, argument, at in pickletools.genops(file):
            position = start if at is None else at
            if opcode.name == "STOP":
                break
            machine.run(opcode.name, argument)
        (result,) = machine.stack
    except RefusedError as error:
        raise RefusedError(f"byte {position}: {error}") from error
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, UnicodeError) as error:
        raise RefusedError(f"byte {position}: damaged, or no pickle") from error
    if machine.marks:
        raise RefusedError(f"byte {position}: damaged, or no pickle")
    return result


@dataclass
class _Machine:
    """The stack machine: `stack` since the last mark, and the stacks below in `marks`."""

    known: frozenset[str]
    persistent: bool
    stack: list[Any] = field(default_factory=list)
    marks: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def run(self, name: str, argument: Any) -> None:
        """Carry out one instruction."""
        if name in _PUSHED:
            self.stack.append(argument)
        elif name in _NEW:
            self.stack.append(_NEW[name]())
        elif name in _TUPLES:
            length = _TUPLES[name]
            self.stack[len(self.stack) - length :] = [tuple(self.popped(length))]
        elif name in _DONE:
            _DONE[name](self, argument)
        elif name not in _NOTHING:
            raise RefusedError(f"the instruction {name} is not needed by any network")

    def popped(self, count: int) -> list[Any]:
        """Return the last values, which stay; fewer than asked for is an error."""
        if count > len(self.stack):
            raise IndexError(count)
        return self.stack[len(self.stack) - count :]

    def since_mark(self) -> list[Any]:
        """Return the values since the last mark; the stack is again what was below."""
        values, self.stack = self.stack, self.marks.pop()
        return values

    def mark(self, _: Any) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def drop(self, _: Any) -> None:
        self.stack.pop()

    def drop_to_mark(self, _: Any) -> None:
        self.since_mark()

    def double(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def get(self, index: Any) -> None:
        self.stack.append(self.memo[int(index)])

    def put(self, index: Any) -> None:
        self.memo[int(index)] = self.stack[-1]

    def memoise(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def make_tuple(self, _: Any) -> None:
        values = self.since_mark()
        self.stack.append(tuple(values))

    def make_list(self, _: Any) -> None:
        values = self.since_mark()
        self.stack.append(values)

    def make_dict(self, _: Any) -> None:
        pairs = self.since_mark()
        self.stack.append(_filled({}, pairs))

    def make_frozenset(self, _: Any) -> None:
        values = self.since_mark()
        self.stack.append(frozenset(_keys(values)))

    def append(self, _: Any) -> None:
        value = self.stack.pop()
        _of_type(list, self.stack[-1]).append(value)

    def extend(self, _: Any) -> None:
        values = self.since_mark()
        _of_type(list, self.stack[-1]).extend(values)

    def set_item(self, _: Any) -> None:
        pair = self.popped(2)
        del self.stack[-2:]
        _filled(_of_type(dict, self.stack[-1]), pair)

    def set_items(self, _: Any) -> None:
        pairs = self.since_mark()
        _filled(_of_type(dict, self.stack[-1]), pairs)

    def add(self, _: Any) -> None:
        values = self.since_mark()
        _of_type(set, self.stack[-1]).update(_keys(values))

    def name(self, text: Any) -> None:
        if text not in self.known:
            raise RefusedError(f"it would import {text[:_LONGEST]!r}")
        self.stack.append(Name(text))

    def name_from_stack(self, _: Any) -> None:
        module, name = (_of_type(str, value) for value in self.popped(2))
        del self.stack[-2:]
        self.name(f"{module} {name}")

    def call(self, _: Any) -> None:
        called, arguments = self.popped(2)
        del self.stack[-2:]
        self.stack.append(_called(called, arguments))

    def build(self, _: Any) -> None:
        state = self.stack.pop()
        built = self.stack[-1]
        if type(built) is dict and isinstance(state, dict) and state.keys() <= _SAID_OF_WEIGHTS:
            return
        if not isinstance(built, Record) or built.state is not None:
            raise RefusedError("it would set the state of what has none")
        built.state = state

    def outside(self, _: Any) -> None:
        if not self.persistent:
            raise RefusedError("it would fetch what stands elsewhere")
        identifier = self.stack.pop()
        self.stack.append(Persistent(identifier))


_NOTHING = frozenset({"PROTO", "FRAME"})
_PUSHED = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"}
    | {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
    | {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
    | {"SHORT_BINSTRING", "BINSTRING"}  # texts of Python 2
)
_NEW: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DONE: Mapping[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.drop,
    "POP_MARK": _Machine.drop_to_mark,
    "DUP": _Machine.double,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoise,
    "TUPLE": _Machine.make_tuple,
    "LIST": _Machine.make_list,
    "DICT": _Machine.make_dict,
    "FROZENSET": _Machine.make_frozenset,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.extend,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "ADDITEMS": _Machine.add,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.name_from_stack,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.outside,
}


def _called(called: Any, arguments: Any) -> Any:
    """Return what stands for the result of a call."""
    if not isinstance(called, Name) or not isinstance(arguments, tuple):
        raise RefusedError("it would call what is no function of a network")
    if called.text in _DICTIONARIES:
        if not arguments:
            return {}
        (pairs,) = arguments  # as Python 2 has it
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in _of_type(list, pairs)):
            raise RefusedError("a dictionary is made of something else than pairs")
        return _filled({}, [part for pair in pairs for part in pair])
    if called.text == PARAMETER:  # a tensor, and whether it learns
        return arguments[0]
    return Record(called.text, arguments)


def _filled(into: dict[Any, Any], pairs: list[Any]) -> dict[Any, Any]:
    """Add keys and values, one after the other in a list."""
    if len(pairs) % 2:
        raise ValueError(len(pairs))
    into.update(zip(_keys(pairs[::2]), pairs[1::2], strict=True))
    return into


def _keys(values: list[Any]) -> list[Any]:
    """Return values that may be keys: to hash nested tuples could take for ever."""
    if not all(isinstance(value, _SCALARS) for value in values):
        raise RefusedError("a key or an element of a set is no plain value")
    return values


def _of_type(kind: type, value: Any) -> Any:
    """Return a value that has to be of a type itself, not of one derived from it."""
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value
