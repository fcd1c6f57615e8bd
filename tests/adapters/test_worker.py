"""A worker against everything an algorithm may do wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from adapters.adapter import Adapter
from adapters.environments import Environment, ensure
from adapters.errors import (
    InvalidPredictionError,
    SegmenterError,
    WeightsUnavailableError,
    WorkerCrashedError,
    WorkerError,
    WorkerMemoryError,
    WorkerTimeoutError,
)
from adapters.identity import identify
from adapters.registry import find
from adapters.worker import Limits, Worker

GOOD = np.zeros((8, 6), np.uint32)
GOOD[1:3, 1:3] = 1
GOOD[4:6, 1:3] = 2

BORNE = [
    "prints_megabytes",
    "writes_to_descriptors",
    "closes_stdout",
    "reads_stdin",
    "writes_into_image",
    "changes_folder",
    "leaves_process",
    "sparse_ids",
    "huge_unsigned_ids",
    "small_type",
    "odd_layout",
    "gaps",
]
INVALID = {
    "returns_nan": "NaN",
    "returns_float": "float64; labels have an integer type",
    "returns_mask": "mask",
    "returns_complex": "complex128",
    "returns_objects": "object",
    "returns_negative": "negative ids, down to -1",
    "returns_wrong_shape": r"shape \(7, 6\) for an image of \(Y, X\) = \(8, 6\)",
    "returns_channel": r"shape \(1, 8, 6\)",
    "returns_none": "returned NoneType",
    "returns_tuple": "returned tuple",
    "returns_list": "returned list",
}
RAISES = {
    "raises": "ValueError: bad image",
    "raises_odd_exception": "Odd",
    "recurses": "RecursionError",
    "calls_sys_exit": "SystemExit: enough",
    "interrupts": "KeyboardInterrupt",
}
DIES = {
    "exits": "exit status 3",
    "segfaults": "SIGSEGV",
    "is_killed": "SIGKILL",
    "exits_but_leaves_process": "exit status 0",
    "closes_everything": "ended by itself",
    "writes_junk_everywhere": "wrote on the harness's pipe",
    "answers_for_the_harness": "wrote on the harness's pipe",
    "floods_the_pipe": "wrote on the harness's pipe",
    "cuts_scratch_files": "SIGBUS",
    "removes_scratch_files": "exit status 1",
}
HANGS = ["hangs", "hangs_deaf", "hangs_in_compiled_code", "hangs_with_processes"]


def test_every_mode_is_tried():
    source = (Path(__file__).parent / "misbehaving" / "segmenter.py").read_text()
    modes = {line.split("(")[0][8:] for line in source.splitlines() if line.startswith("    def ")}
    tried = {*BORNE, *INVALID, *RAISES, *DIES, *HANGS}
    own_test = {"no_background", "eats_memory", "child_eats_memory"}
    loading = {mode for mode in modes if mode.startswith("init_")}
    assert modes - {"__init__", "segment", "__str__"} - loading == tried | own_test


@pytest.fixture(scope="module")
def survivor(misbehaving):
    """A function that segments an image with the given misbehaviour, all in one process."""
    modes = [*BORNE, *INVALID, *RAISES]
    worker = misbehaving(*modes)
    worker.start()
    first = worker._process._process.pid

    def segment(image, mode=None):
        if mode is not None:
            image[0, 0, 1] = 1 + modes.index(mode)
        prediction = worker.segment(image)
        assert worker._process._process.pid == first, "the process should have lived on"
        return prediction

    return segment


@pytest.mark.parametrize("mode", BORNE)
def test_harmless_misbehaviour_is_borne(survivor, mode, good_image, bad_image):
    assert np.array_equal(survivor(bad_image, mode).labels, GOOD)
    assert bad_image[0, 1:].min() == 1
    assert np.array_equal(survivor(good_image).labels, GOOD)
    assert np.array_equal(survivor(bad_image, mode).labels, GOOD)


@pytest.mark.parametrize(("mode", "message"), INVALID.items())
def test_what_is_no_label_image_is_refused(survivor, mode, message, good_image, bad_image):
    with pytest.raises(InvalidPredictionError, match=message):
        survivor(bad_image, mode)
    assert np.array_equal(survivor(good_image).labels, GOOD)


@pytest.mark.parametrize(("mode", "message"), RAISES.items())
def test_an_exception_fails_one_image(survivor, mode, message, good_image, bad_image):
    with pytest.raises(SegmenterError, match=message) as caught:
        survivor(bad_image, mode)
    assert f"in {mode}" in caught.value.detail
    assert "Traceback" in caught.value.detail
    assert np.array_equal(survivor(good_image).labels, GOOD)


@pytest.mark.parametrize(("mode", "message"), DIES.items())
def test_a_death_fails_one_image(misbehaving, mode, message, good_image, bad_image):
    worker = misbehaving(mode)
    worker.segment(good_image)
    with pytest.raises(WorkerCrashedError, match=message):
        worker.segment(bad_image)
    after = worker.segment(good_image)
    assert np.array_equal(after.labels, GOOD)
    assert after.start_seconds is not None


@pytest.mark.parametrize("mode", HANGS)
def test_a_hang_ends_at_the_deadline(misbehaving, mode, good_image, bad_image):
    worker = misbehaving(mode, limits=Limits(seconds=0.4, start_seconds=20))
    assert np.array_equal(worker.segment(good_image).labels, GOOD)
    family = _family(worker)
    with pytest.raises(WorkerTimeoutError, match=r"within 0\.4 s") as caught:
        worker.segment(bad_image)
    assert mode != "hangs" or caught.value.detail == "waiting for the answer\n"
    assert _gone(family)
    assert np.array_equal(worker.segment(good_image).labels, GOOD)


@pytest.mark.parametrize("mode", ["eats_memory", "child_eats_memory"])
def test_the_memory_limit_holds_for_all_processes(misbehaving, mode, good_image, bad_image):
    worker = misbehaving(mode, limits=Limits(seconds=20, start_seconds=20, memory_mb=200))
    with pytest.raises(WorkerMemoryError, match="more than 200 MB"):
        worker.segment(bad_image)
    assert np.array_equal(worker.segment(good_image).labels, GOOD)


@pytest.mark.parametrize(
    ("mode", "error", "message"),
    [
        ("init_raises", SegmenterError, "no such setting"),
        ("init_exits", WorkerCrashedError, "exit status 5"),
        ("init_hangs", WorkerTimeoutError, "within 1 s"),
        ("init_without_weights", WeightsUnavailableError, "set TOKEN to fetch them"),
    ],
)
def test_a_failed_start_is_final(misbehaving, mode, error, message, good_image):
    worker = misbehaving(mode, limits=Limits(start_seconds=1))
    with pytest.raises(error, match=message) as first:
        worker.start()
    with pytest.raises(error, match=message) as second:
        worker.segment(good_image)
    assert second.value is first.value
    assert worker.start_seconds is None


@pytest.fixture
def versioned(make_adapter):
    """The folder of an adapter that dies on images that are not 0."""
    source = (
        "import os, numpy as np\n"
        "class Segmenter:\n"
        "    def __init__(self, *_): pass\n"
        "    def segment(self, image):\n"
        "        if image.any(): os._exit(1)\n"
        "        return np.ones(image.shape[1:], int)\n"
    )
    folder = make_adapter(segmenter__py=source)
    (folder / "net.bin").write_text("1")
    return folder


@pytest.mark.parametrize("name", ["segmenter.py", "net.bin"])
def test_an_adapter_changed_while_it_runs_is_not_started_again(
    versioned, name, good_image, bad_image
):
    adapter = Adapter.load(versioned)
    with Worker(adapter, adapter.model(), ensure(adapter)) as worker:
        worker.segment(good_image)
        with (versioned / name).open("a") as file:
            file.write("# other\n")
        worker.segment(good_image)  # the process still holds what it loaded
        with pytest.raises(WorkerCrashedError):
            worker.segment(bad_image)
        for _ in range(2):
            with pytest.raises(WorkerError, match=r"was changed.*same command again"):
                worker.segment(good_image)


def test_an_adapter_changed_since_it_was_identified_is_not_started(versioned, good_image, tmp_path):
    weights = tmp_path / "own.bin"
    weights.write_text("1")
    for changed in (versioned / "segmenter.py", weights):
        adapter, model = find(f"{versioned}:{weights}")
        identity = identify(adapter, model, {}, "cpu")
        with Worker(adapter, model, ensure(adapter), identity=identity) as worker:
            worker.segment(good_image)
        with changed.open("a") as file:
            file.write("# other\n")
        with (
            Worker(adapter, model, ensure(adapter), identity=identity) as worker,
            pytest.raises(WorkerError, match="was changed"),
        ):
            worker.segment(good_image)


def test_ids_without_background_stay_objects(misbehaving, bad_image):
    labels = misbehaving("no_background").segment(bad_image).labels
    assert np.array_equal(labels, GOOD + 1)


def test_ids_are_numbered_in_their_order(make_adapter):
    # By hand: 9 < 40 < 700 become 1, 2, 3.
    source = (
        "import numpy as np\n"
        "class Segmenter:\n"
        "    def __init__(self, *_): pass\n"
        "    def segment(self, image): return np.array([[700, 0, 9], [40, 40, 0]])\n"
    )
    adapter = Adapter.load(make_adapter(segmenter__py=source))
    with Worker(adapter, adapter.model(), ensure(adapter)) as worker:
        labels = worker.segment(np.zeros((1, 2, 3), np.uint8)).labels
    assert labels.tolist() == [[3, 0, 1], [2, 2, 0]]
    assert labels.dtype == np.uint32


def test_the_log_is_kept_and_cut(misbehaving, bad_image, tmp_path):
    log = tmp_path / "logs" / "mine.log"
    worker = misbehaving("prints_megabytes", log=log)
    for _ in range(3):
        prediction = worker.segment(bad_image)
    worker.close()
    assert prediction.log.endswith("the end\n")
    assert len(prediction.log) <= 8 << 10
    assert log.stat().st_size <= 8 << 20
    assert "cut off" in log.read_text()[:100]


def test_a_traceback_is_in_the_log(misbehaving, bad_image, tmp_path):
    worker = misbehaving("raises", log=tmp_path / "mine.log")
    with pytest.raises(SegmenterError):
        worker.segment(bad_image)
    assert "ValueError: bad image" in (tmp_path / "mine.log").read_text()


@pytest.mark.parametrize(
    ("modes", "logged"),
    [
        (["raises"], 'raise ValueError("bad image")'),
        (["returns_mask"], "segment returned a mask (bool)"),
        # Its stderr is gone by then.
        (["closes_stdout", "raises"], 'raise ValueError("bad image")'),
    ],
)
def test_a_failure_names_the_log_that_explains_it(misbehaving, modes, logged, tmp_path):
    log = tmp_path / "mine.log"
    worker = misbehaving(*modes, log=log)
    for number in range(1, len(modes)):
        worker.segment(np.full((1, 8, 6), number, np.uint16))
    bad = np.full((1, 8, 6), len(modes), np.uint16)
    bad[0, 0, 0] = 1
    with pytest.raises((SegmenterError, InvalidPredictionError)) as caught:
        worker.segment(bad)
    assert caught.value.where == str(log)
    assert log.read_text().count(logged) == 1


def test_without_a_log_a_failure_names_the_algorithm(misbehaving, bad_image):
    with pytest.raises(SegmenterError) as caught:
        misbehaving("raises").segment(bad_image)
    assert caught.value.where == "misbehaving:default"


def test_a_start_without_weights_leaves_its_traceback_in_the_log(misbehaving, tmp_path):
    worker = misbehaving("init_without_weights", log=tmp_path / "mine.log")
    with pytest.raises(WeightsUnavailableError):
        worker.start()
    assert "in init_without_weights" in (tmp_path / "mine.log").read_text()


def test_a_worker_leaves_nothing_behind(misbehaving, bad_image):
    worker = misbehaving("leaves_process")
    worker.segment(bad_image)
    family = _family(worker)
    folder = Path(worker._folder.name)
    assert folder.is_dir()
    worker.close()
    worker.close()
    assert _gone(family)
    assert not folder.exists()


def test_a_killed_worker_is_started_again(misbehaving, good_image):
    worker = misbehaving()
    first = worker.segment(good_image)
    os.kill(worker._process._process.pid, signal.SIGKILL)
    with pytest.raises(WorkerCrashedError, match="SIGKILL"):
        worker.segment(good_image)
    second = worker.segment(good_image)
    assert first.start_seconds is not None
    assert second.start_seconds is not None
    assert np.array_equal(first.labels, second.labels)


@pytest.mark.kill
def test_kills_at_random_moments_cost_one_image_each(misbehaving, good_image):
    worker = misbehaving()
    rng = np.random.default_rng(0)

    def go_on():
        while True:
            assert np.array_equal(worker.segment(good_image).labels, GOOD)

    for delay in rng.uniform(0, 0.02, 20):
        worker.start()
        killer = threading.Timer(delay, os.kill, (worker._process._process.pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(WorkerCrashedError, match="SIGKILL"):
            go_on()
        killer.join()
    assert np.array_equal(worker.segment(good_image).labels, GOOD)


def test_sizes_and_types_may_change_from_image_to_image():
    adapter, model = find("oracle")
    rng = np.random.default_rng(0)
    with Worker(adapter, model, ensure(adapter)) as worker:
        for shape in [(3, 5), (700, 900), (1, 1), (0, 4), (64, 64)]:
            for dtype in (np.uint8, np.uint16, np.uint32):
                truth = rng.integers(0, 3, shape).astype(dtype)
                labels = worker.segment(truth[np.newaxis]).labels
                assert labels.dtype == np.uint32
                assert labels.shape == shape
                ids = np.unique(truth[truth > 0])
                assert np.array_equal(
                    labels, np.searchsorted(ids, truth) * (truth > 0) + (truth > 0)
                )


def test_views_of_larger_arrays_are_sent_as_they_look():
    adapter, model = find("oracle")
    whole = np.arange(60, dtype=np.uint16).reshape(1, 6, 10)
    with Worker(adapter, model, ensure(adapter)) as worker:
        labels = worker.segment(whole[:, ::2, 1:9:3]).labels
    assert (
        labels.tolist()
        == (np.argsort(np.argsort(whole[0, ::2, 1:9:3].ravel())) + 1).reshape(3, 3).tolist()
    )


def test_an_image_of_another_kind_is_the_callers_mistake(misbehaving):
    worker = misbehaving()
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((1, 4, 4)), np.zeros((1, 4, 4), bool)):
        with pytest.raises(TypeError, match="unsigned"):
            worker.segment(wrong)


def test_labels_do_not_depend_on_the_order(make_adapter):
    source = (
        "import random, numpy as np\n"
        "class Segmenter:\n"
        "    def __init__(self, *_): pass\n"
        "    def segment(self, image):\n"
        "        salt = random.randrange(1000) + len({str(i) for i in range(9)})\n"
        "        return np.random.randint(0, 2, image.shape[1:]) * (salt + 1)\n"
        "        "
    )
    adapter = Adapter.load(make_adapter(segmenter__py=source))
    images = [np.full((1, 9, 9), value, np.uint8) for value in (1, 2, 3)]
    results = []
    for order in ([0, 1, 2], [2, 0, 1]):
        with Worker(adapter, adapter.model(), ensure(adapter)) as worker:
            labels = {index: worker.segment(images[index]).labels for index in order}
        results.append([labels[index].tolist() for index in range(3)])
    assert results[0] == results[1]
    assert results[0][0] != results[0][1]


def test_threads_and_folders_reach_the_algorithm(make_adapter):
    source = (
        "import os, sys, numpy as np\n"
        "from helper import NUMBER\n"
        "import console, random\n"
        "class Segmenter:\n"
        "    def __init__(self, model, parameters, device):\n"
        "        print(model, parameters, device, os.environ['OMP_NUM_THREADS'], console.MINE)\n"
        "        assert hasattr(random, 'Random')\n"
        "    def segment(self, image): return np.full(image.shape[1:], NUMBER)\n"
    )
    folder = make_adapter(
        segmenter__py=source, helper__py="NUMBER = 5\n", console__py="MINE = 'own'\n"
    )
    adapter = Adapter.load(folder)
    with Worker(adapter, adapter.model(), ensure(adapter), threads=3, device="cuda:1") as worker:
        worker.start()
        printed = worker._log.path.read_text()
        labels = worker.segment(np.zeros((2, 2, 2), np.uint8)).labels
    assert printed == "default {} cuda:1 3 own\n"
    assert labels.tolist() == [[1, 1], [1, 1]]


def test_seconds_and_memory_are_the_algorithms_own(make_adapter):
    source = (
        "import time, numpy as np\n"
        "class Segmenter:\n"
        "    def __init__(self, *_): pass\n"
        "    def segment(self, image):\n"
        "        if image.max() > 0:\n"
        "            time.sleep(0.2)\n"
        "            np.ones(100 << 17).sum()\n"
        "        return np.zeros(image.shape[1:], int)\n"
    )
    adapter = Adapter.load(make_adapter(segmenter__py=source))
    small, large = np.zeros((1, 4, 4), np.uint8), np.ones((1, 4, 4), np.uint8)
    with Worker(adapter, adapter.model(), ensure(adapter)) as worker:
        before, during, after = (worker.segment(image) for image in (small, large, small))
    assert during.seconds >= 0.2
    assert after.seconds < during.seconds
    assert during.peak_mb >= before.peak_mb + 90
    if sys.platform == "linux":
        assert after.peak_mb < during.peak_mb - 90


def test_an_environment_that_is_gone_is_a_crash(good_image, tmp_path):
    adapter, model = find("empty")
    gone = Environment(tmp_path / "python", "3.11.0", "0" * 64)
    with (
        Worker(adapter, model, gone) as worker,
        pytest.raises(WorkerError, match="cannot be started"),
    ):
        worker.segment(good_image)


HARNESS = """
import sys
import numpy as np
from pathlib import Path
from adapters.adapter import Adapter
from adapters.environments import ensure
from adapters.worker import Worker
adapter = Adapter.load(Path(sys.argv[1]))
worker = Worker(adapter, adapter.model(), ensure(adapter), parameters={"mode": sys.argv[2]})
worker.start()
print(worker._process._process.pid, worker._folder.name, flush=True)
worker.segment(np.ones((1, 8, 6), np.uint16))
"""


@pytest.mark.parametrize(
    "mode", ["hangs", "hangs_deaf", "hangs_in_compiled_code", "hangs_with_processes"]
)
def test_a_worker_dies_with_the_harness(mode):
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, Path(__file__).parent / "misbehaving", mode],
        stdout=subprocess.PIPE,
        text=True,
    ) as harness:
        number, folder = harness.stdout.readline().split()
        child = psutil.Process(int(number))
        time.sleep(0.2)
        family = [child, *child.children(recursive=True)]
        harness.kill()
    assert _gone(family)
    assert not _group(int(number))
    assert _eventually(lambda: not Path(folder).exists())


def _family(worker):
    child = psutil.Process(worker._process._process.pid)
    return [child, *child.children(recursive=True)]


def _gone(family):
    """Whether all of them end; a zombie waits for nobody but its parent."""
    return _eventually(lambda: not any(_alive(process) for process in family))


def _alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _group(number):
    """Return the living members of a process group, once there are none or time is up."""
    found = []

    def empty():
        found[:] = [p for p in psutil.process_iter() if _in_group(p, number) and _alive(p)]
        return not found

    _eventually(empty)
    return found


def _in_group(process, number):
    try:
        return os.getpgid(process.pid) == number
    except ProcessLookupError:
        return False


def _eventually(condition):
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
