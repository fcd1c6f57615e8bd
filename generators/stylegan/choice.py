"""Which code does the work of the filtered leaky ReLU: the fused operation, or matrices.

with using("torch"):
    pictures = generator(z)
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeGuard, get_args

from benchmark.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

Ops = Literal["auto", "torch", "fused"]

_chosen: list[Ops] = []  # the last one holds; empty: what the environment says


def ops() -> Ops:
    """Return what is chosen: by `choose` or `using`, else by `BENCH_OPS`, else `auto`.

    `auto` is the fused operation on a CPU where it can be built and where it is the faster, else
    matrices in plain torch; `torch` is matrices anywhere; `fused` fails where the operation cannot
    be built. What the operation does not take, as on a GPU, goes by matrices in any case.

    Raises
    ------
    BenchError
        `BENCH_OPS` is none of these.
    """
    return _chosen[-1] if _chosen else _known(os.environ.get("BENCH_OPS") or "auto")


def choose(name: str) -> None:
    """Choose for the rest of the process.

    Raises
    ------
    BenchError
        The name is none of `auto`, `torch`, `fused`.
    """
    _chosen[:] = [_known(name)]


@contextmanager
def using(name: str) -> Iterator[None]:
    """Choose for a while.

    Raises
    ------
    BenchError
        The name is none of `auto`, `torch`, `fused`.

    Examples
    --------
    >>> with using("torch"):
    ...     ops()
    'torch'
    """
    before = list(_chosen)
    choose(name)
    try:
        yield
    finally:
        _chosen[:] = before


def _known(name: str) -> Ops:
    if _is_known(name):
        return name
    raise BenchError(f"no ops are called {name!r}", mend="choose one of auto, torch, fused")


def _is_known(name: str) -> TypeGuard[Ops]:
    return name in get_args(Ops)
