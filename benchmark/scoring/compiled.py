"""`compiled`: a function turned into machine code once per type, and kept on disk."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.core.caching import FunctionCache
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function of arrays and numbers when it is first called with their types.

    The machine code is kept beside the source, or in the user's cache folder where that cannot be
    written, so only the first call on a machine waits for the compiler. Compiled code lets go of
    the interpreter's lock: threads run it side by side.

    Examples
    --------
    >>> @compiled
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    dispatcher: Any = njit(nogil=True)(function)
    with suppress(RuntimeError):  # nowhere to keep it: no source file, or no folder to write to
        # What numba's own `cache=True` does, with a cache that may fail.
        dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]  # noqa: SLF001
    return cast("Function", dispatcher)


class _Cache(FunctionCache):
    """Machine code on disk; what cannot be read or written there is compiled again."""

    def load_overload(self, wanted: Any, context: Any) -> Any:
        with suppress(Exception):  # whatever a damaged file makes of itself
            kept = super().load_overload(wanted, context)  # type: ignore[no-untyped-call]
            # Of two processes that wrote at once, one may have taken the other's place.
            if kept is None or kept.signature.args == wanted:
                return kept
        with suppress(OSError):
            self.flush()  # type: ignore[no-untyped-call]
        return None

    def save_overload(self, wanted: Any, made: Any) -> None:
        with suppress(OSError):  # a full disk
            super().save_overload(wanted, made)  # type: ignore[no-untyped-call]


def _trailing_zeros(_context: Any, _word: Any) -> Any:
    def instruct(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), instruct


def _set_bits(_context: Any, _word: Any) -> Any:
    def instruct(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), instruct


def _changes(_context: Any, one: Any, other: Any, _at: Any) -> Any:
    def instruct(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        before = builder.sub(arguments[2], ir.Constant(ir.IntType(64), 1))
        differs = []
        for kind, argument in zip(signature.args[:2], arguments[:2], strict=True):
            data = context.make_array(kind)(context, builder, argument).data
            wide = ir.VectorType(context.get_data_type(kind.dtype), _WIDTH).as_pointer()
            pixels = [
                builder.load(builder.bitcast(builder.gep(data, [place]), wide), align=1)
                for place in (arguments[2], before)
            ]
            differs.append(builder.icmp_unsigned("!=", *pixels))
        return builder.bitcast(builder.or_(*differs), ir.IntType(_WIDTH))

    return types.uint64(one, other, types.int64), instruct


# For compiled functions only. What the compiler would not find by itself, in its own words: each
# processor it knows gets its own instructions for them.
_WIDTH = 64
trailing_zeros: Any = intrinsic(_trailing_zeros)
"""How many zeros a word of 64 bits ends in; 64 for 0."""
set_bits: Any = intrinsic(_set_bits)
"""How many bits of a word of 64 bits are 1."""
changes: Any = intrinsic(_changes)
"""`changes(one, other, at)`: bit k says whether, in either of two contiguous flat arrays, pixel
`at + k` differs from the one before. `at` is at least 1, and there is a pixel `at + 63`."""
