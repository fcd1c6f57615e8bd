"""One persistent process per segmenter: images go in, labels come out, or a `WorkerError` does."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from adapters.errors import (
    BenchError,
    InvalidPredictionError,
    SegmenterError,
    WeightsUnavailableError,
    WorkerCrashedError,
    WorkerError,
)
from adapters.identity import source_digest, weights_digest
from adapters.log import Log
from adapters.messages import Invalid, Labels, NoWeights, Raised, Ready
from adapters.process import Process
from adapters.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from adapters.adapter import Adapter, Model
    from adapters.environments import Environment
    from adapters.messages import Reply

_COMMAND = Path(__file__).with_name("command.py")


@dataclass(frozen=True)
class Limits:
    """What a segmentation may take: seconds an image, seconds to start, resident memory in MB."""

    seconds: float | None = 600
    start_seconds: float | None = 600
    memory_mb: float | None = None


@dataclass(frozen=True)
class Prediction:
    """A label image and what it cost.

    `labels` is (Y, X) uint32, 0 background, objects 1 … n. `seconds` and `peak_mb` were measured
    in the worker around the algorithm's own call; `log` is what it printed meanwhile.
    `start_seconds` marks the first image after a start, with what that start took.
    """

    labels: NDArray[np.uint32]
    seconds: float
    peak_mb: float
    log: str
    start_seconds: float | None = None


class Worker:
    """A segmenter's process, started at the first image and again after each death.

    Parameters
    ----------
    adapter, model, environment
        From `registry.find` and `environments.ensure`.
    parameters
        By name; those left out take the adapter's defaults.
    device
        Handed to the algorithm: ``cpu``, ``cuda`` or ``cuda:1``.
    limits
        Deadlines and memory.
    threads
        For the libraries inside; None: one per processor.
    log
        A file for what the process prints; None: kept for messages only.
    identity
        From `identity.identify`: what the predictions are filed under. None: the adapter and the
        weights as they lie there now. Where they are not the same any more, no process is started.

    Examples
    --------
    >>> import numpy as np
    >>> from adapters.environments import ensure
    >>> from adapters.registry import find
    >>> adapter, model = find("empty")
    >>> with Worker(adapter, model, ensure(adapter)) as worker:
    ...     prediction = worker.segment(np.zeros((1, 4, 5), np.uint16))
    >>> prediction.labels.shape
    (4, 5)
    """

    def __init__(
        self,
        adapter: Adapter,
        model: Model,
        environment: Environment,
        *,
        parameters: Mapping[str, Any] | None = None,
        device: str = "cpu",
        limits: Limits | None = None,
        threads: int | None = None,
        log: Path | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        self.start_seconds: float | None = None
        self._adapter = adapter
        self._model = model
        self._environment = environment
        self._parameters = adapter.resolve(parameters or {})
        self._device = device
        self._limits = limits or Limits()
        self._threads = threads
        self._files = self._digests() if identity is None else _chosen(identity)
        self._process: Process | None = None
        self._failure: BenchError | None = None
        self._just_started: float | None = None
        self._folder = tempfile.TemporaryDirectory(
            prefix="bench-worker-", ignore_cleanup_errors=True
        )
        self._scratch = Scratch(Path(self._folder.name))
        # The log in the scratch folder goes with it, and explains nothing afterwards.
        self._where = f"{adapter.name}:{model.name}" if log is None else str(log)
        self._log = Log(log or Path(self._folder.name) / "worker.log")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the process and load the model, unless that is done.

        Raises
        ------
        WeightsUnavailableError
            The algorithm cannot have the model's weights here.
        WorkerError
            It crashed, raised, missed the deadline, or is not what it was. An algorithm that never
            came up is not tried again by this worker: the same error is raised at once.
        """
        if self._failure is not None:
            raise self._failure
        if self._process is not None:
            return
        begin = time.perf_counter()
        try:
            self._start()
        except BenchError as error:
            self._stop()
            if self.start_seconds is None:
                self._failure = error
            raise
        self.start_seconds = self._just_started = time.perf_counter() - begin

    def segment(self, image: NDArray[Any]) -> Prediction:
        """Segment one image.

        Parameters
        ----------
        image
            (C, Y, X) uint8 or uint16; for a control that needs the truth, its labels (1, Y, X).

        Raises
        ------
        WorkerError
            This image failed. The next call works, with a new process where this one died.
        WeightsUnavailableError
            See `start`.
        """
        if image.ndim != 3 or image.dtype.kind != "u":
            raise TypeError(f"an image is (C, Y, X) of unsigned integers, not {image.shape}")
        self.start()
        assert self._process is not None
        request = {"op": "segment", **self._scratch.put(image)}
        reply = self._ask(self._process, request, self._limits.seconds)
        log = self._process.printed()
        if not isinstance(reply, Labels):
            raise self._failed(reply, log)
        cold, self._just_started = self._just_started, None
        labels = self._scratch.labels()
        return Prediction(labels, reply.seconds, reply.peak_mb, log, start_seconds=cold)

    def close(self) -> None:
        """End the process and remove the scratch folder."""
        self._stop()
        self._scratch.close()
        self._log.close()
        self._folder.cleanup()

    def _digests(self) -> dict[str, str | None]:
        adapter = self._adapter
        return {
            "source": source_digest(adapter),
            "weights": weights_digest(adapter, self._model),
        }

    def _start(self) -> None:
        adapter = self._adapter
        if self._digests() != self._files:
            raise WorkerError(
                f"{adapter.name} was changed while it ran; run the same command again",
                where=adapter.folder,
            )
        self._process = Process(
            adapter,
            self._environment,
            log=self._log,
            threads=self._threads,
            memory_mb=self._limits.memory_mb,
            scratch=Path(self._folder.name),
        )
        folder = str(adapter.folder)
        request: dict[str, Any] = {
            "op": "start",
            "script": str(adapter.segmenter),
            "folder": folder,
            "model": self._model.argument,
            "parameters": self._parameters,
            "device": self._device,
            "settings": {},
        }
        if adapter.kind == "command":
            settings = {"command": adapter.command, "output": adapter.output, "folder": folder}
            request |= {"script": str(_COMMAND), "folder": None, "settings": settings}
        reply = self._ask(self._process, request, self._limits.start_seconds)
        if isinstance(reply, Ready):
            return
        if isinstance(reply, NoWeights):
            self._log.write(reply.traceback)
            raise WeightsUnavailableError(reply.message, where=f"{adapter.name}:{self._model.name}")
        raise self._failed(reply, self._process.printed())

    def _ask(self, process: Process, request: dict[str, Any], seconds: float | None) -> Reply:
        try:
            return process.ask(request, seconds=seconds)
        except BaseException:
            # Dead, or interrupted in the middle of an answer: neither can go on.
            self._stop(at_once=True)
            raise

    def _failed(self, reply: Reply, log: str) -> WorkerError:
        where = self._where
        if isinstance(reply, Invalid):
            self._log.write(f"{reply.message}\n")
            return InvalidPredictionError(reply.message, where=where, detail=log)
        if isinstance(reply, Raised):
            # Not left to the child: what it runs may have closed stderr, or put it elsewhere.
            self._log.write(reply.traceback)
            return SegmenterError(reply.message, where=where, detail=reply.traceback)
        self._stop(at_once=True)
        return WorkerCrashedError("the process answered something else", where=where, detail=log)

    def _stop(self, *, at_once: bool = False) -> None:
        process, self._process = self._process, None
        if process is not None and at_once:
            process.kill()
        elif process is not None:
            process.close()


def _chosen(identity: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: identity[name] for name in ("source", "weights")}
