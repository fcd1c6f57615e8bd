"""Which examples a step learns from: known from its number alone, so nothing has to be kept."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from generators.seeds import Seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Batch = TypeVar("Batch")


def chosen(step: int, n: int, batch: int, seed: int) -> NDArray[np.intp]:
    """Return the numbers of a step's examples, (batch,).

    All n examples come once, in an order drawn anew, before any comes again.

    Examples
    --------
    >>> twice = np.concatenate([chosen(step, n=6, batch=4, seed=0) for step in range(3)])
    >>> sorted(twice[:6].tolist()), sorted(twice[6:].tolist())
    ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5])
    """
    at = step * batch + np.arange(batch)
    epochs = at // n
    found = np.empty(batch, np.intp)
    for epoch in np.unique(epochs).tolist():
        among = epochs == epoch
        found[among] = _order(epoch, n, seed)[at[among] % n]
    return found


@lru_cache(maxsize=2)
def _order(epoch: int, n: int, seed: int) -> NDArray[np.intp]:
    return Seed.root(seed).at("order", epoch).generator().permutation(n)


class Batches(Generic[Batch]):
    """The batches of a training, read ahead by threads.

    Parameters
    ----------
    read
        Returns the examples of given numbers.
    n
        How many examples there are.
    batch
        How many of them a step takes.
    seed
        Of the order.
    workers
        Threads that read ahead; 0: none. They do not change what is read.
    """

    def __init__(
        self,
        read: Callable[[NDArray[np.intp]], Batch],
        n: int,
        batch: int,
        *,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        self._read, self._n, self._batch, self._seed = read, n, batch, seed
        self._ahead = workers
        self._pool = ThreadPoolExecutor(workers) if workers else None
        self._waiting: dict[int, Future[Batch]] = {}

    def at(self, step: int) -> Batch:
        """Return the batch of a step."""
        if self._pool is None:
            return self._of(step)
        for number in range(step, step + 1 + self._ahead):
            if number not in self._waiting:
                self._waiting[number] = self._pool.submit(self._of, number)
        return self._waiting.pop(step).result()

    def _of(self, step: int) -> Batch:
        return self._read(chosen(step, self._n, self._batch, self._seed))

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
