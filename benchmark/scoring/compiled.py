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


trailing_zeros: Any = intrinsic(_trailing_zeros)
"""How many zeros a word of 64 bits ends in: one instruction, for compiled functions only."""
