from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from generators.training.processes import ALONE, Processes, together, wanted  # noqa: E402

PROGRAM = """
import json, sys
import torch
from generators.training.processes import together
with together("cpu") as (processes, device):
    mine = [torch.full((2, 2), float(processes.rank)), torch.tensor(10.0 * processes.rank)]
    processes.average(mine)
    processes.wait()
    if processes.first:
        print(json.dumps([processes.count, str(device), *(t.tolist() for t in mine)]))
"""


def test_alone_nothing_is_averaged():
    tensor = torch.tensor([1.0, 2.0])
    ALONE.average([tensor])
    ALONE.wait()
    assert tensor.tolist() == [1.0, 2.0]
    assert ALONE.first
    assert not Processes(rank=1, count=2).first


def test_without_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert wanted() == 1
    with together("cpu") as (processes, device):
        assert processes == ALONE
        assert device == torch.device("cpu")


@pytest.mark.slow
def test_tensors_become_their_means_over_processes():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    around = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, **around, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=300)[0] for process in running]
    assert json.loads(said[0]) == [2, "cpu", [[0.5, 0.5], [0.5, 0.5]], 5.0]
    assert said[1] == ""
