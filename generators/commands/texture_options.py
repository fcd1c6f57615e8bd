"""What `bench train textures` may be told of its data and its course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter


@dataclass(frozen=True)
class DataOptions:
    """What is learned from.

    Parameters
    ----------
    phase
        Which folders: train_label, train_img, train_inst; or train_A and train_B.
    split
        Which images of a data set; by default all.
    labels
        Which labels of a data set; by default its first target.
    max_dataset_size
        Pairs that are taken at most.
    """

    phase: str = "train"
    split: str | None = None
    labels: str | None = None
    max_dataset_size: int | None = None


@dataclass(frozen=True)
class CourseOptions:
    """Where it goes, and what is written; none of it changes what a step learns.

    Parameters
    ----------
    save_latest_freq
        Pictures between checkpoints, lines of statistics and pictures to look at.
    save_epoch_freq
        Epochs between networks that are kept.
    gpus
        Processes to train with, one a GPU with --device cuda.
    n_threads
        Threads that read batches ahead.
    device
        Where the networks are: cpu, cuda, mps.
    threads
        Processor threads; by default one a processor. With 1, the same bytes come out each time.
    """

    save_latest_freq: int = 1000
    save_epoch_freq: int = 10
    gpus: int = 1
    n_threads: Annotated[int, Parameter(name="--nThreads")] = 2
    device: str = "cpu"
    threads: int | None = None
