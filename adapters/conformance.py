"""What every adapter has to get right before a run trusts it: `bench algorithms check`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from adapters.errors import AdapterError, BenchError
from adapters.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from adapters.adapter import Adapter, Model
    from adapters.environments import Environment
    from adapters.worker import Limits

# Other processors round differently: an outline may move by a pixel, an object may not vanish.
_GOLDEN_IOU = 0.95


@dataclass(frozen=True)
class Case:
    """One thing asked of an adapter; `why` says what was wrong, and is empty where it passed."""

    name: str
    passed: bool
    why: str = ""


class _Failure(Exception):  # noqa: N818 - a verdict, not an error
    """The adapter answered, but wrongly."""


def check(
    adapter: Adapter,
    model: Model,
    environment: Environment,
    *,
    parameters: Mapping[str, Any] | None = None,
    device: str = "cpu",
    limits: Limits | None = None,
) -> list[Case]:
    """Put an adapter through every case; one that cannot be loaded gets no further.

    Parameters
    ----------
    adapter, model, environment, parameters, device, limits
        As for `Worker`.

    Raises
    ------
    AdapterError
        The adapter's golden case cannot be read.

    Examples
    --------
    >>> from adapters.environments import ensure
    >>> from adapters.registry import find
    >>> adapter, model = find("empty")
    >>> all(case.passed for case in check(adapter, model, ensure(adapter)))
    True
    """
    image, expected = _golden(adapter)
    seen: list[NDArray[np.uint32]] = []

    def golden(worker: Worker) -> None:
        seen.append(worker.segment(image).labels)
        if expected is not None:
            _compare(seen[0], expected)
        elif model.track != "control" and not seen[0].any():
            raise _Failure("found none of six bright discs on a dark ground")

    def again(worker: Worker) -> None:
        labels = worker.segment(image).labels
        if seen and not np.array_equal(labels, seen[0]):
            raise _Failure("the same image got other labels; seed the algorithm from its input")

    def started() -> Worker:
        return Worker(
            adapter, model, environment, parameters=parameters, device=device, limits=limits
        )

    with started() as worker:
        cases = [_case("loads", worker.start)]
        if not cases[0].passed:
            return cases
        cases.append(_case("golden case", partial(golden, worker)))
        cases += [_case(name, partial(worker.segment, i)) for name, i in _images(image).items()]
        cases.append(_case("same labels after other images", partial(again, worker)))
    with started() as worker:
        cases.append(_case("same labels in a new process", partial(again, worker)))
    return cases


def _case(name: str, question: Callable[[], object]) -> Case:
    try:
        question()
    except (BenchError, _Failure) as error:
        return Case(name, passed=False, why=str(error))
    return Case(name, passed=True)


def _compare(labels: NDArray[np.uint32], expected: NDArray[Any]) -> None:
    """Compare with golden labels: as many objects, nearly the same foreground."""
    if labels.shape != expected.shape:
        raise _Failure(f"labels of {labels.shape}, golden labels of {expected.shape}")
    wanted = len(np.unique(expected[expected > 0]))
    found = len(np.unique(labels[labels > 0]))
    if found != wanted:
        raise _Failure(f"{found} objects, {wanted} in the golden labels")
    union = np.count_nonzero((labels > 0) | (expected > 0))
    shared = np.count_nonzero((labels > 0) & (expected > 0))
    if shared < _GOLDEN_IOU * union:
        raise _Failure(f"foreground IoU {shared / union:.3f} with the golden labels")


def _golden(adapter: Adapter) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the adapter's own golden image (C, Y, X) and labels (Y, X), or a scene of discs."""
    folder = adapter.folder / "golden"
    if not folder.is_dir():
        return _discs(), None
    try:
        image = np.asarray(tifffile.imread(folder / "image.tif"))
        labels = np.asarray(tifffile.imread(folder / "labels.tif"))
    except (OSError, ValueError) as error:
        raise AdapterError(
            f"the golden case cannot be read: {error}",
            where=folder,
            mend="put an image.tif and a labels.tif there, or remove the folder",
        ) from error
    return (image if image.ndim == 3 else image[np.newaxis]), labels


def _discs() -> NDArray[np.uint16]:
    """Return an image (1, 96, 128) of six soft bright discs, two of them touching."""
    y, x = np.mgrid[:96, :128]
    image = np.random.default_rng(0).normal(200, 10, (96, 128))
    for row, column, radius in [
        (24, 24, 10),
        (24, 44, 11),
        (30, 96, 12),
        (68, 22, 11),
        (66, 62, 13),
        (70, 104, 10),
    ]:
        inside = radius - np.hypot(y - row, x - column)
        image += 1500 / (1 + np.exp(-2 * inside))
    return image.astype(np.uint16)[np.newaxis]


def _images(scene: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return images that have tripped segmenters, made of one scene (C, Y, X)."""
    bright = scene > np.median(scene)
    return {
        "8 bit": np.where(bright, 255, 0).astype(np.uint8),
        "16 bit, full range": np.where(bright, 65535, 0).astype(np.uint16),
        "three channels": np.concatenate([scene[:1]] * 3),
        "odd size": scene[:, :61, :37],
        "nothing in the image": np.zeros_like(scene),
        "all pixels saturated": np.full_like(scene, np.iinfo(scene.dtype).max),
        "a single pixel": scene[:, :1, :1],
    }
