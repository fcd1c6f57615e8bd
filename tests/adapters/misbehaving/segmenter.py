"""Everything an algorithm may do wrong. An image whose first pixel is not 1 is treated well."""

import ctypes
import os
import shutil
import signal
import stat
import sys
import time
from pathlib import Path

import numpy as np


def sleep():
    while True:
        time.sleep(1)


def fork(*, leave_group):
    """Leave a process behind that never ends."""
    if os.fork() == 0:
        if leave_group:
            os.setsid()
        sleep()


def pipes():
    """Return the pipes that this process can write to."""
    found = []
    for number in range(3, 256):
        try:
            os.write(number, b"")
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                found.append(number)
        except OSError:
            continue
    return found


def good(image):
    """Two objects and nothing else."""
    labels = np.zeros(image.shape[1:], np.int32)
    labels[1:3, 1:3] = 1
    labels[4:6, 1:3] = 2
    return labels


class Segmenter:
    def __init__(self, model, parameters, device):
        self.modes = parameters["mode"].split(",")
        if self.modes[0].startswith("init_"):
            getattr(self, self.modes[0])()

    def segment(self, image):
        if image[0, 0, 0] != 1:
            return good(image)
        return getattr(self, self.modes[image[0, 0, 1] - 1])(image)

    # On loading.

    def init_raises(self):
        raise ValueError("no such setting")

    def init_exits(self):
        os._exit(5)

    def init_hangs(self):
        sleep()

    def init_without_weights(self):
        raise FileNotFoundError("the weights are on a server; set TOKEN to fetch them")

    # What the harness has to bear without a word.

    def prints_megabytes(self, image):
        for stream in (sys.stdout, sys.stderr):
            for _ in range(200):
                stream.write("x" * 99_999 + "\n")
        print("the end")
        return good(image)

    def writes_to_descriptors(self, image):
        os.write(1, b"\xff\x00 junk\n")
        os.write(2, b"\xff\x00 junk\n")
        return good(image)

    def closes_stdout(self, image):
        sys.stdout.close()
        sys.stderr = None
        os.closerange(1, 3)
        return good(image)

    def reads_stdin(self, image):
        assert sys.stdin.read() == ""
        return good(image)

    def writes_into_image(self, image):
        image[...] = 0
        return good(image)

    def changes_folder(self, image):
        os.chdir("/")
        os.environ.clear()
        return good(image)

    def leaves_process(self, image):
        fork(leave_group=False)
        return good(image)

    def sparse_ids(self, image):
        return good(image).astype(np.int64) * 2**40

    def huge_unsigned_ids(self, image):
        labels = good(image).astype(np.uint64)
        labels[labels == 2] = 2**64 - 1
        return labels

    def no_background(self, image):
        return good(image).astype(np.uint64) + 2**50

    def small_type(self, image):
        return good(image).astype(np.int8)

    def odd_layout(self, image):
        return np.asfortranarray(good(image)).astype(">i4")

    def gaps(self, image):
        return good(image) * 7

    # What is no label image.

    def returns_nan(self, image):
        return np.full(image.shape[1:], np.nan)

    def returns_float(self, image):
        return good(image).astype(float)

    def returns_mask(self, image):
        return good(image) > 0

    def returns_complex(self, image):
        return good(image).astype(complex)

    def returns_objects(self, image):
        return good(image).astype(object)

    def returns_negative(self, image):
        return good(image) - 1

    def returns_wrong_shape(self, image):
        return good(image)[:-1]

    def returns_channel(self, image):
        return good(image)[np.newaxis]

    def returns_none(self, image):
        return None

    def returns_tuple(self, image):
        return good(image), None

    def returns_list(self, image):
        return good(image).tolist()

    # Errors and deaths.

    def raises(self, image):
        raise ValueError("bad image")

    def raises_odd_exception(self, image):
        class Odd(BaseException):
            def __str__(self):
                return "\ud800 " + "x" * 100_000

        raise Odd

    def recurses(self, image):
        return self.recurses(image)

    def calls_sys_exit(self, image):
        sys.exit("enough")

    def interrupts(self, image):
        raise KeyboardInterrupt

    def exits(self, image):
        os._exit(3)

    def segfaults(self, image):
        ctypes.string_at(0)

    def is_killed(self, image):
        os.kill(os.getpid(), signal.SIGKILL)

    def exits_but_leaves_process(self, image):
        fork(leave_group=True)
        os._exit(0)

    def closes_everything(self, image):
        os.closerange(0, 256)
        return good(image)

    def writes_junk_everywhere(self, image):
        for pipe in pipes():
            os.write(pipe, b"junk\njunk\n")
        return good(image)

    def answers_for_the_harness(self, image):
        for pipe in pipes():
            os.write(pipe, b'{"reply": "labels", "id": 99, "seconds": 0, "peak_mb": 0}\n')
        return good(image)

    def floods_the_pipe(self, image):
        while True:
            for pipe in pipes():
                os.write(pipe, b"x" * 65536)

    def cuts_scratch_files(self, image):
        for path in Path(os.environ["TMPDIR"]).parent.glob("*.bin"):
            os.truncate(path, 0)
        return good(image)

    def removes_scratch_files(self, image):
        shutil.rmtree(Path(os.environ["TMPDIR"]).parent)
        os._exit(1)

    # Time and memory.

    def hangs(self, image):
        print("waiting for the answer", flush=True)
        sleep()

    def hangs_deaf(self, image):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        sleep()

    def hangs_in_compiled_code(self, image):
        # PyDLL keeps the interpreter's lock, as a stuck extension module does.
        ctypes.PyDLL(None).sleep(1000)

    def hangs_with_processes(self, image):
        fork(leave_group=False)
        fork(leave_group=True)
        sleep()

    def eats_memory(self, image):
        kept = []
        while True:
            kept.append(np.ones(1 << 20))
            time.sleep(0.001)

    def child_eats_memory(self, image):
        if os.fork() == 0:
            self.eats_memory(image)
        sleep()
