"""Several processes that train as one: each takes a share of the batch, gradients are averaged.

`torchrun` starts them and tells each its place; `gloo` carries the numbers between CPUs, `nccl`
between GPUs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
from torch import distributed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PATIENCE = timedelta(hours=2)  # the others wait while the first one measures


@dataclass(frozen=True)
class Processes:
    """The place of a process among those that train together.

    Parameters
    ----------
    rank
        Its number; 0 writes the files.
    count
        How many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether it is this one that writes files and talks."""
        return self.rank == 0

    def average(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace tensors, in place, by their means over all processes.

        Parameters
        ----------
        tensors
            The same ones, in the same order, in each process; float32, on its device.
        """
        given = list(tensors)
        if self.count == 1 or not given:
            return
        joined = torch.cat([tensor.detach().reshape(-1) for tensor in given])
        distributed.all_reduce(joined)
        joined /= self.count
        with torch.no_grad():
            for tensor, mean in zip(
                given, torch.split(joined, [tensor.numel() for tensor in given]), strict=True
            ):
                tensor.copy_(mean.view_as(tensor))

    def wait(self) -> None:
        """Wait until all processes have come this far."""
        if self.count > 1:
            distributed.barrier()


ALONE = Processes()


def wanted() -> int:
    """Return how many processes `torchrun` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def together(device: str) -> Iterator[tuple[Processes, torch.device]]:
    """Join the processes that `torchrun` started; yield this one's place and device.

    Parameters
    ----------
    device
        As the user says it; `cuda` becomes the GPU of this process's number on its machine.
    """
    if wanted() == 1:
        yield ALONE, torch.device(device)
        return
    on_gpu = torch.device(device).type == "cuda"
    where = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if on_gpu else device)
    if on_gpu:
        torch.cuda.set_device(where)
    distributed.init_process_group(
        "nccl" if on_gpu else "gloo",
        timeout=_PATIENCE,
        device_id=where if on_gpu else None,
    )
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size()), where
    finally:
        distributed.destroy_process_group()


def launch(count: int) -> None:
    """Run this very command in several processes on this machine, by `torchrun`; wait for them.

    Raises
    ------
    SystemExit
        With the exit code of the command, if it failed.
    """
    program = "from benchmark.cli import main; main()"
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python"]
    command = [*run, f"--nproc-per-node={count}", sys.executable, "-c", program, *sys.argv[1:]]
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(done.returncode)
