"""`compiled`: a function turned into machine code once per type, and kept on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from llvmlite import ir
from numba import njit, types
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
    try:
        kept = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # nowhere to keep it: no source file, or no folder that can be written
        kept = njit(nogil=True)(function)
    return cast("Function", kept)


def _trailing_zeros(_context: Any, _word: Any) -> Any:
    def instruct(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), instruct


trailing_zeros: Any = intrinsic(_trailing_zeros)
"""How many zeros a word of 64 bits ends in: one instruction, for compiled functions only."""
