"""Training through an adapter's own `train.py`."""

from __future__ import annotations

import math
import subprocess
import sys
import time

import psutil
import pytest

from adapters.adapter import Adapter
from adapters.environments import ensure
from adapters.errors import AdapterError, SegmenterError, WorkerCrashedError
from adapters.training import run_training

SEGMENTER = "class Segmenter: ...\n"
TRAIN = """
import os
import numpy as np
from helper import FACTOR

def train(data, out, options, report):
    print("starting")
    for epoch in range(options["epochs"]):
        report({"epoch": epoch, "loss": np.float32(epoch * FACTOR), "best": np.bool_(True)})
    if options.get("fail") == "raise":
        raise ValueError("the loss is not finite")
    if options.get("fail") == "die":
        os._exit(7)
    if options.get("fail") == "result":
        return [1]
    if options.get("fail") == "report":
        report("epoch 3")
    return {"weights": out + "/net.bin", "data": data, "loss": float("nan")}
"""


@pytest.fixture
def trained(make_adapter, tmp_path):
    """A function that trains with the given options and returns messages and result."""
    folder = make_adapter(segmenter__py=SEGMENTER, train__py=TRAIN, helper__py="FACTOR = 0.5\n")
    adapter = Adapter.load(folder)

    def train(**options):
        messages = []
        result = run_training(
            adapter, ensure(adapter), tmp_path, tmp_path / "out", options, messages.append
        )
        return messages, result

    return train


def test_messages_and_result_arrive(trained, tmp_path):
    messages, result = trained(epochs=3)
    assert messages == [{"epoch": i, "loss": 0.5 * i, "best": True} for i in range(3)]
    assert math.isnan(result.pop("loss"))
    assert result == {"weights": f"{tmp_path}/out/net.bin", "data": str(tmp_path)}
    assert (tmp_path / "out" / "train.log").read_text() == "starting\n"


@pytest.mark.parametrize(
    ("fail", "error", "message"),
    [
        ("raise", SegmenterError, "training failed: ValueError: the loss is not finite"),
        ("die", WorkerCrashedError, "exit status 7"),
        ("result", SegmenterError, "train returned list, not a dict"),
        ("report", SegmenterError, "report takes a dict, not str"),
    ],
)
def test_a_failure_names_the_log(trained, tmp_path, fail, error, message):
    with pytest.raises(error, match=message) as caught:
        trained(epochs=1, fail=fail)
    assert caught.value.where == str(tmp_path / "out" / "train.log")
    if error is SegmenterError:
        assert "Traceback" in (tmp_path / "out" / "train.log").read_text()


def test_an_adapter_without_training_says_so(make_adapter, tmp_path):
    adapter = Adapter.load(make_adapter(segmenter__py=SEGMENTER))
    with pytest.raises(AdapterError, match="cannot be trained"):
        run_training(adapter, ensure(adapter), tmp_path, tmp_path / "out", {}, print)


HARNESS = """
import sys
from pathlib import Path
from adapters.adapter import Adapter
from adapters.environments import ensure
from adapters.training import run_training
adapter = Adapter.load(Path(sys.argv[1]))
out = Path(sys.argv[1]) / "out"
run_training(adapter, ensure(adapter), out, out, {}, lambda m: print(m["pid"], flush=True))
"""


def test_training_dies_with_the_harness(make_adapter):
    source = (
        "import os, time\n"
        "def train(data, out, options, report):\n"
        "    report({'pid': os.getpid()})\n"
        "    time.sleep(1000)\n"
    )
    folder = make_adapter(segmenter__py=SEGMENTER, train__py=source)
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, folder], stdout=subprocess.PIPE, text=True
    ) as harness:
        child = psutil.Process(int(harness.stdout.readline()))
        harness.kill()
    end = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.02)
