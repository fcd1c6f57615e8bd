"""Run an adapter's own `train.py` in the algorithm's environment and pass on what it reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.errors import AdapterError, SegmenterError, WorkerCrashedError
from adapters.log import Log
from adapters.messages import Progress, Raised, Trained
from adapters.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from adapters.adapter import Adapter
    from adapters.environments import Environment


def run_training(  # noqa: PLR0917 - the order in which data flows
    adapter: Adapter,
    environment: Environment,
    data_dir: Path,
    out_dir: Path,
    options: Mapping[str, Any],
    on_message: Callable[[dict[str, Any]], None],
    *,
    threads: int | None = None,
) -> dict[str, Any]:
    """Train, and return what the adapter's `train` returned.

    Parameters
    ----------
    adapter, environment
        Whose `train.py`, and where it runs.
    data_dir, out_dir
        Handed to ``train(data, out, options, report)`` as absolute paths. What it prints goes to
        ``out_dir/train.log``.
    options
        Handed on; plain JSON values.
    on_message
        Called with every message that ``train`` gave to ``report``, in their order.
    threads
        For the libraries inside; None: one per processor.

    Raises
    ------
    AdapterError
        The adapter has no `train.py`.
    SegmenterError
        Training raised; `detail` holds its traceback.
    WorkerCrashedError
        The process died. It dies with the harness, too.
    """
    if adapter.training is None:
        raise AdapterError(
            f"{adapter.name} cannot be trained here", where=adapter.folder, mend="add a train.py"
        )
    out_dir.mkdir(parents=True, exist_ok=True)
    log = Log(out_dir / "train.log")
    process = Process(adapter, environment, log=log, threads=threads)
    request = {
        "op": "train",
        "script": str(adapter.training),
        "folder": str(adapter.folder),
        "data": str(data_dir.resolve()),
        "out": str(out_dir.resolve()),
        "options": dict(options),
    }
    try:
        reply = process.ask(request, seconds=None)
        while isinstance(reply, Progress):
            on_message(reply.message)
            reply = process.receive(seconds=None)
        if isinstance(reply, Raised):
            log.write(reply.traceback)
    finally:
        process.kill()
        log.close()
    if isinstance(reply, Raised):
        raise SegmenterError(
            f"training failed: {reply.message}", where=log.path, detail=reply.traceback
        )
    if not isinstance(reply, Trained):
        raise WorkerCrashedError(f"{adapter.name} answered something else", where=log.path)
    return reply.result
