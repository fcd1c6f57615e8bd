"""What runs inside a segmenter's process: loads the algorithm and answers one request at a time.

Standard library and NumPy only, Python 3.8 and up, because it runs on the interpreter that the
algorithm needs; the harness starts it as a script.

Requests and replies are JSON lines on two pipes of their own, since libraries print on stdout.
Arrays cross through files that are mapped into memory here. A third pipe is the lifeline: it
closes when the harness ends, however it ends, and then the whole process group is killed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import mmap
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
import zlib
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, Tuple

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np

Message = Dict[str, Any]

# Part of every prediction's identity: raise it when what a segmenter sees, or what is made of its
# labels, changes.
PROTOCOL = 1
# An environment variable that all processes of one worker share.
MARK = "CELLGEN_BENCH_WORKER"
_LONGEST_MESSAGE = 2_000
_HALF_TRACEBACK = 10_000


class InvalidPrediction(Exception):  # noqa: N818 - named as the harness names the failure
    """What the algorithm returned is no label image of the right shape."""


def guard(lifeline: int, pipes: Tuple[int, ...], scratch: str) -> None:
    """Leave a process behind that kills what was started here when the lifeline closes.

    If the harness said nothing before, it is dead, and its scratch folder goes too.

    A thread could not do it: compiled code may hold the interpreter's lock for ever. The guard is
    forked twice, so it is nobody's child here and no `os.wait` of a library meets it, and it has a
    session of its own, so it is not killed together with the group.
    """
    group = os.getpgrp()
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        os.close(lifeline)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for pipe in pipes:
        os.close(pipe)
    orphaned = not os.read(lifeline, 1)
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
    for process in strays():
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    if orphaned and scratch:
        shutil.rmtree(scratch, ignore_errors=True)
    os._exit(0)


def strays() -> Iterator[int]:
    """Yield the processes that left the group but carry its mark in their environment (Linux)."""
    mark = ("%s=%s" % (MARK, os.environ[MARK])).encode()
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():  # noqa: PTH112, PTH208
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError), open("/proc/%s/environ" % name, "rb") as file:  # noqa: PTH123
                if mark in file.read().split(b"\0"):
                    yield int(name)


class Replies:
    """The pipe to the harness."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def send(self, **reply: Any) -> None:
        """Send one reply; NumPy numbers become plain ones, what is no JSON becomes text."""

        def plain(value: Any) -> Any:
            return value.item() if hasattr(value, "item") else str(value)

        line = json.dumps(reply, default=plain, ensure_ascii=False) + "\n"
        # An exception's message may hold what is no Unicode.
        data = line.encode("utf-8", "replace")
        while data:
            data = data[os.write(self.pipe, data) :]


class SharedFile:
    """A file of the harness, mapped again whenever the harness has made it larger."""

    def __init__(self) -> None:
        self._key = ("", 0)
        self._map: mmap.mmap

    def view(self, place: Message, dtype: str, shape: Tuple[int, ...]) -> np.ndarray:
        """Return the start of the file as an array."""
        import numpy as np  # noqa: PLC0415 - it starts threads, and `guard` has to fork before

        key = (place["path"], place["size"])
        if self._key != key:
            with open(place["path"], "r+b") as file:  # noqa: PTH123 - pathlib costs start-up time
                self._map = mmap.mmap(file.fileno(), place["size"])
            self._key = key
        count = 1
        for length in shape:
            count *= length
        return np.frombuffer(self._map, dtype, count).reshape(shape)


class PeakMemory:
    """The largest resident memory between `start` and `stop`, where the system can tell."""

    def start(self) -> None:
        """Forget the peak so far."""
        with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
            file.write("5")

    def stop(self) -> float:
        """Return the peak of this process, or of the largest program it has started, in MB."""
        # Kilobytes on Linux, bytes on a Mac; there, the peak since the process started.
        unit = 1 if sys.platform == "darwin" else 1024
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        with contextlib.suppress(OSError), open("/proc/self/status") as file:  # noqa: PTH123
            own = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
        programs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
        return max(own, programs) / (1 << 20)


def load(script: str, folder: str | None, name: str) -> ModuleType:
    """Import a file of the adapter's folder under the given module name."""
    if folder is not None:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def seed(image: np.ndarray) -> None:
    """Seed the global generators from the image, so that no result depends on the order."""
    import numpy as np  # noqa: PLC0415 - see SharedFile.view

    value = zlib.crc32(image.data)
    random.seed(value)
    np.random.seed(value)  # noqa: NPY002 - it is the generator that libraries draw from
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(value)


def check(result: Any, shape: Tuple[int, ...]) -> None:
    """Refuse a result that is no label image (Y, X) of the right shape."""
    import numpy as np  # noqa: PLC0415 - see SharedFile.view

    if not isinstance(result, np.ndarray):
        kind = type(result)
        name = "%s.%s" % (kind.__module__, kind.__qualname__)
        name = name.replace("builtins.", "")
        raise InvalidPrediction("segment returned %s, not a NumPy array of labels" % name)
    if result.shape != shape:
        raise InvalidPrediction(
            "segment returned the shape %s for an image of (Y, X) = %s" % (result.shape, shape)
        )
    if result.dtype.kind == "b":
        raise InvalidPrediction(
            "segment returned a mask (bool); number its objects, for example with"
            " scipy.ndimage.label"
        )
    if result.dtype.kind == "f" and not np.isfinite(result).all():
        raise InvalidPrediction("segment returned %s with NaN or infinity" % result.dtype)
    if result.dtype.kind not in "iu":
        raise InvalidPrediction(
            "segment returned %s; labels have an integer type, convert them in the adapter"
            % result.dtype
        )
    if result.dtype.kind == "i" and result.size and result.min() < 0:
        raise InvalidPrediction("segment returned negative ids, down to %d" % result.min())


def consecutive(labels: np.ndarray) -> np.ndarray:
    """Return labels numbered 1 … n in the order of their ids, 0 kept.

    Ids may be sparse and as large as they like; truth and prediction are compared by overlap, so
    nothing depends on them.
    """
    import numpy as np  # noqa: PLC0415 - see SharedFile.view

    top = int(labels.max()) if labels.size else 0
    if top > 4 * labels.size + 1024:
        ids, inverse = np.unique(labels, return_inverse=True)
        numbered: np.ndarray = inverse.reshape(labels.shape)
        return numbered if ids[0] == 0 else numbered + 1
    present = np.zeros(top + 1, bool)
    present[labels] = True
    if present[1:].all():
        return labels
    present[0] = True
    relabelled: np.ndarray = (np.cumsum(present, dtype=np.uint32) - 1)[labels]
    return relabelled


def describe(error: BaseException) -> Message:
    """Describe an exception for the harness, which writes the traceback to the log."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    if len(text) > 2 * _HALF_TRACEBACK:
        text = text[:_HALF_TRACEBACK] + "\n[...]\n" + text[-_HALF_TRACEBACK:]
    return {
        "reply": "raised",
        "message": ("%s: %s" % (type(error).__name__, error))[:_LONGEST_MESSAGE],
        "traceback": text,
    }


def flush() -> None:
    """Let the log hold what was printed, before the harness reads it."""
    for stream in (sys.stdout, sys.stderr):
        # The algorithm may have closed it, or put something else in its place.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()


class Server:
    """Answers the harness: holds the algorithm and the two files that arrays cross through."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._segmenter: Any = None
        self._image, self._labels = SharedFile(), SharedFile()

    def serve(self, requests: Iterable[str]) -> None:
        """Answer until the harness closes the pipe."""
        answers = {"start": self._start, "segment": self._segment, "train": self._train}
        for line in requests:
            request = json.loads(line)
            try:
                reply = answers[request["op"]](request)
            except InvalidPrediction as error:
                reply = {"reply": "invalid", "message": str(error)}
            except BaseException as error:  # noqa: BLE001 - sys.exit is no way to end either
                reply = describe(error)
            flush()
            self._replies.send(id=request["id"], **reply)

    def _start(self, request: Message) -> Message:
        module = load(request["script"], request["folder"], "segmenter")
        try:
            self._segmenter = module.Segmenter(
                request["model"], request["parameters"], request["device"], **request["settings"]
            )
        except FileNotFoundError as error:
            return {**describe(error), "reply": "no weights", "message": str(error)}
        return {"reply": "ready"}

    def _segment(self, request: Message) -> Message:
        shape = tuple(request["shape"])
        # A copy: an algorithm may write into its input, or keep it.
        image = self._image.view(request["image"], request["dtype"], shape).copy()
        seed(image)
        memory = PeakMemory()
        memory.start()
        begin = time.perf_counter()
        result = self._segmenter.segment(image)
        seconds = time.perf_counter() - begin
        peak = memory.stop()
        check(result, shape[1:])
        self._labels.view(request["labels"], "u4", shape[1:])[...] = consecutive(result)
        return {"reply": "labels", "seconds": seconds, "peak_mb": peak}

    def _train(self, request: Message) -> Message:
        module = load(request["script"], request["folder"], "train")

        def report(message: Message) -> None:
            if not isinstance(message, dict):
                raise TypeError("report takes a dict, not %s" % type(message).__name__)
            self._replies.send(id=request["id"], reply="progress", message=message)

        result = module.train(request["data"], request["out"], request["options"], report)
        if not isinstance(result, dict):
            raise TypeError("train returned %s, not a dict" % type(result).__name__)
        return {"reply": "trained", "result": result}


def main() -> None:
    """Start from the command line: the numbers of the three pipes, the scratch folder or ""."""
    requests, replies, lifeline = (int(number) for number in sys.argv[1:4])
    for pipe in (requests, replies, lifeline):
        os.set_inheritable(pipe, False)
    guard(lifeline, (requests, replies), sys.argv[4])
    # The harness's modules must not shadow what the algorithm imports.
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[:] = [entry for entry in sys.path if entry != here]
    with os.fdopen(requests, encoding="utf-8") as lines:
        Server(Replies(replies)).serve(lines)


if __name__ == "__main__":
    main()
