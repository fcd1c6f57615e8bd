"""Scores of many images, on all cores."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from benchmark.scoring.metrics import Score, score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

Item = TypeVar("Item")
Result = TypeVar("Result")


def score_many(
    items: Iterable[Item],
    read: Callable[[Item], tuple[NDArray[Any], NDArray[Any]]],
    evaluate: Callable[[Score], Result] = Score.to_dict,  # type: ignore[assignment]
    *,
    workers: int,
    **options: Any,
) -> Iterator[Result]:
    """Score images in threads and yield the results in the order of the items.

    The passes over pixels are compiled and let go of the interpreter's lock, so threads share the
    work. At most twice as many images as there are threads are held at a time.

    Parameters
    ----------
    items
        What `read` makes truth and prediction of, one an image: names, paths, pairs of arrays.
    read
        Returns truth and prediction of an item; called in a thread.
    evaluate
        What is wanted of a score, called in the thread; by default all of it as plain values.
    workers
        Number of threads.
    options
        Passed on to `score`.

    Examples
    --------
    >>> import numpy as np
    >>> images = [(np.array([1, 1, 0]), np.array([2, 2, 0])), (np.array([1, 0]), np.array([0, 0]))]
    >>> list(score_many(images, lambda pair: pair, lambda one: one.mean_ap, workers=2))
    [1.0, 0.0]
    """

    def one(item: Item) -> Result:
        return evaluate(score(*read(item), **options))

    remaining = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(one, item) for item in islice(remaining, 2 * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(one, item) for item in islice(remaining, 1))
