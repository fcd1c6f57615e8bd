"""What `bench train masks` may be told of its data and its course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DataOptions:
    """What is learned from.

    Parameters
    ----------
    content
        objects (one a picture), fields (many, as CellGen has them), both cut from labels; pictures
        (as they come, from a folder or a zip archive).
    resolution
        Height and width of the pictures.
    split
        Which images of a data set; by default all.
    labels
        Which labels of a data set; by default its first target.
    map
        objects: residual or distance. fields: distance or binary.
    scale
        objects: image or dataset, whose median diameter sizes are measured by.
    rotation
        objects: keep, or align major axes with the rows.
    border
        objects: drop or keep those that the image's border cuts.
    smallest
        objects: diameter in px below which they are dropped.
    layout
        fields: crops, or whole images made smaller.
    pixel_diameter
        fields: what the median object is brought to, in px.
    reach
        fields: px from an outline after which distances are clipped.
    fewest
        fields: drop those with fewer objects.
    fit
        pictures: crop or stretch to a square.
    channels
        pictures: 1 or 3; by default as the first one has.
    threshold
        pictures: make masks by this grey of 0 to 255 (CellGen: 240).
    fill
        fields, pictures: fill holes.
    flip
        learn from flipped variants as well; from residuals of objects along both axes.
    turn
        fields, pictures: learn from variants turned by so many degrees (CellGen: 10).
    brightness
        pictures: learn from variants brighter and darker by this share.
    """

    content: Literal["objects", "fields", "pictures"] = "objects"
    resolution: int = 32
    split: str | None = None
    labels: str | None = None
    map: Literal["residual", "distance", "binary"] | None = None
    scale: Literal["image", "dataset"] | None = None
    rotation: Literal["keep", "align"] | None = None
    border: Literal["drop", "keep"] | None = None
    smallest: float | None = None
    layout: Literal["crops", "whole"] | None = None
    pixel_diameter: float | None = None
    reach: float | None = None
    fewest: int | None = None
    fit: Literal["crop", "stretch"] | None = None
    channels: int | None = None
    threshold: float | None = None
    fill: bool | None = None
    flip: bool | None = None
    turn: float | None = None
    brightness: float | None = None


@dataclass(frozen=True)
class CourseOptions:
    """How long it goes, where, and what is shown; none of it changes what a step learns.

    Parameters
    ----------
    kimg
        Thousands of pictures to learn from in all; more of them continue a training.
    tick
        Thousands of pictures between checkpoints and lines of statistics.
    snap
        Ticks between snapshots and metrics.
    metrics
        Measured at each snapshot: auto, none, or some of eqt_int, eqt_frac, eqr, shapes, fid, kid,
        pr, separated by commas.
    gpus
        Processes to train with, one a GPU with --device cuda.
    workers
        Threads that read batches ahead; worth it where pictures are too many for the memory.
    device
        Where the networks are: cpu, cuda, mps.
    threads
        Processor threads; by default one a processor. With 1, the same bytes come out each time.
    ops
        auto (the compiled operation where it can be), fused, torch.
    """

    kimg: float = 400.0
    tick: float = 4.0
    snap: int = 50
    metrics: str = "auto"
    gpus: int = 1
    workers: int = 0
    device: str = "cpu"
    threads: int | None = None
    ops: Literal["auto", "fused", "torch"] = "auto"
