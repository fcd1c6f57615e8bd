"""What runs inside a segmenter's process: loads the algorithm and answers one request at a time.

Standard library and NumPy only, Python 3.8 and up, because it runs on the interpreter that the
algorithm needs. It is started as a script and never imported by the harness.

Requests and replies are JSON lines on two pipes of their own, since libraries print on stdout.
Arrays cross through files that are mapped into memory here. A third pipe is the lifeline: it
closes when the harness ends, however it ends, and then the whole process group is killed.
"""

import importlib.util
import json
import mmap
import os
import random
import signal
import sys
import time
import traceback
import zlib

PROTOCOL = 1
MB = 1 << 20


class InvalidPrediction(Exception):
    """What the algorithm returned is no label image of the right shape."""


def guard(lifeline, pipes):
    """Leave a process behind that kills this process group when the lifeline closes.

    A thread could not do it: compiled code may hold the interpreter's lock for ever. The guard is
    forked twice, so it is nobody's child here and no `os.wait` of a library meets it.
    """
    group = os.getpgrp()
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        os.close(lifeline)
        return
    if os.fork():
        os._exit(0)
    for pipe in pipes:
        os.close(pipe)
    os.read(lifeline, 1)
    os.killpg(group, signal.SIGKILL)


class Replies:
    """The pipe to the harness."""

    def __init__(self, pipe):
        self.pipe = pipe

    def send(self, **reply):
        """Send one reply; NumPy numbers become plain ones."""
        line = json.dumps(reply, default=lambda value: value.item()) + "\n"
        data = line.encode()
        while data:
            data = data[os.write(self.pipe, data) :]


class SharedFile:
    """A file of the harness, mapped again whenever the harness made it larger."""

    def __init__(self):
        self.key = None
        self.map = None

    def view(self, path, size, dtype, shape):
        """Return the start of the file as an array."""
        import numpy as np  # noqa: PLC0415 - after `guard`, which has to fork before any thread exists

        if self.key != (path, size):
            with open(path, "r+b") as file:  # noqa: PTH123 - pathlib costs start-up time
                self.map = mmap.mmap(file.fileno(), size)
            self.key = (path, size)
        count = 1
        for length in shape:
            count *= length
        return np.frombuffer(self.map, dtype, count).reshape(shape)


def load(script, folder, name):
    """Import a file of the adapter's folder under the given module name."""
    if folder is not None:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def seed(image):
    """Seed the global generators from the image, so that no result depends on the order."""
    import numpy as np  # noqa: PLC0415 - see SharedFile.view

    value = zlib.crc32(image)
    random.seed(value)
    np.random.seed(value)  # noqa: NPY002 - it is the generator that libraries draw from
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(value)


def write_labels(result, shape, file, target):
    """Check a prediction and write it to the harness's file as consecutive uint32.

    Ids may be of any integer type, sparse and as large as they like: objects are numbered 1 … n
    in the order of their ids.
    """
    import numpy as np  # noqa: PLC0415 - see SharedFile.view

    if not isinstance(result, np.ndarray):
        kind = type(result)
        raise InvalidPrediction(
            "segment returned %s.%s, not a NumPy array of labels"
            % (kind.__module__, kind.__qualname__)
        )
    if result.shape != shape:
        raise InvalidPrediction(
            "segment returned shape %s for an image of (Y, X) = %s" % (result.shape, shape)
        )
    if result.dtype.kind == "b":
        raise InvalidPrediction(
            "segment returned a mask (bool); number its objects, for example with"
            " scipy.ndimage.label"
        )
    if result.dtype.kind not in "iu":
        raise InvalidPrediction(
            "segment returned %s; labels are integers (whole numbers in floats are refused too)"
            % result.dtype
        )
    out = file.view(target["path"], target["size"], np.uint32, shape)
    if result.size == 0:
        return
    if result.dtype.kind == "i" and result.min() < 0:
        raise InvalidPrediction("segment returned negative ids, down to %d" % result.min())
    out[...] = consecutive(result)


def consecutive(labels):
    """Return labels numbered 1 … n in the order of their ids, 0 kept."""
    import numpy as np  # noqa: PLC0415 - see SharedFile.view

    top = int(labels.max())
    if top > 4 * labels.size + 1024:
        ids, inverse = np.unique(labels, return_inverse=True)
        return inverse.reshape(labels.shape) + (1 if ids[0] else 0)
    present = np.zeros(top + 1, bool)
    present[labels] = True
    present[0] = False
    if present[1:].all():
        return labels
    return np.cumsum(present, dtype=np.uint32)[labels] * (labels != 0)


class PeakMemory:
    """The largest resident memory while one image was segmented, in MB."""

    def start(self):
        """Forget the peak so far, where the system can."""
        try:
            with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
                file.write("5")
        except OSError:
            pass

    def stop(self):
        """Return the peak of this process or of the largest program it started."""
        import resource  # noqa: PLC0415 - exists on POSIX only, as this module's users do

        unit = 1 if sys.platform == "darwin" else 1024
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        try:
            with open("/proc/self/status") as file:  # noqa: PTH123
                for line in file:
                    if line.startswith("VmHWM"):
                        own = int(line.split()[1]) * 1024
                        break
        except OSError:
            pass
        programs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
        return max(own, programs) / MB


def flush():
    """Let the log hold what was printed, before the harness reads it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def raised(error):
    """Describe an exception for the harness."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {
        "reply": "raised",
        "type": type(error).__name__,
        "message": "%s: %s" % (type(error).__name__, error),
        "traceback": text[-20000:],
    }


def start(request):
    """Load the algorithm and its model."""
    module = load(request["script"], request["folder"], "segmenter")
    try:
        return module.Segmenter(request["model"], request["parameters"], request["device"])
    except FileNotFoundError as error:
        error.weights = True
        raise


def segment(segmenter, request, image_file, labels_file):
    """Segment one image and return the reply."""
    source = request["image"]
    shape = tuple(source["shape"])
    # A copy: an algorithm may write into its input or keep it.
    image = image_file.view(source["path"], source["size"], source["dtype"], shape).copy()
    seed(image)
    memory = PeakMemory()
    memory.start()
    begin = time.perf_counter()
    result = segmenter.segment(image)
    seconds = time.perf_counter() - begin
    peak = memory.stop()
    write_labels(result, shape[1:], labels_file, request["labels"])
    return {"reply": "labels", "id": request["id"], "seconds": seconds, "peak_mb": peak}


def train(request, replies):
    """Run the adapter's own training and return the reply."""
    module = load(request["script"], request["folder"], "train")
    result = module.train(
        request["data"],
        request["out"],
        request["options"],
        lambda message: replies.send(reply="progress", message=message),
    )
    return {"reply": "trained", "result": result}


def serve(requests, replies):
    """Answer requests until the harness closes the pipe."""
    segmenter = None
    image_file, labels_file = SharedFile(), SharedFile()
    for line in requests:
        request = json.loads(line)
        try:
            if request["op"] == "start":
                segmenter = start(request)
                reply = {"reply": "ready", "protocol": PROTOCOL, "python": sys.version.split()[0]}
            elif request["op"] == "train":
                reply = train(request, replies)
            else:
                reply = segment(segmenter, request, image_file, labels_file)
        except InvalidPrediction as error:
            reply = {"reply": "invalid", "message": str(error)}
        except BaseException as error:  # noqa: BLE001 - also what calls sys.exit
            reply = raised(error)
            reply["weights"] = getattr(error, "weights", False)
        flush()
        replies.send(**reply)


def main():
    """Start from the command line: the numbers of the three pipes."""
    requests, replies, lifeline = (int(number) for number in sys.argv[1:4])
    for pipe in (requests, replies, lifeline):
        os.set_inheritable(pipe, False)
    guard(lifeline, (requests, replies))
    # The harness's folder must not shadow what the algorithm imports.
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[:] = [entry for entry in sys.path if entry != here]
    with os.fdopen(requests, encoding="utf-8") as lines:
        serve(lines, Replies(replies))


if __name__ == "__main__":
    main()
