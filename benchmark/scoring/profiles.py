"""The published conventions of scoring, by name.

Packages that score the same labels differ in who matches whom, in what an image without any object
counts, and in how images are put together. A profile says so for one convention; `docs/scoring.md`
compares them and `docs/agreement.md` tells where the packages themselves fall short of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from benchmark.errors import BenchError, nearest
from benchmark.scoring.matching import HALF

THRESHOLDS = tuple(Fraction(percent, 100) for percent in range(50, 100, 5))
"""IoU thresholds .50, .55 … .95."""


@dataclass(frozen=True)
class Profile:
    """A convention of scoring.

    Parameters
    ----------
    name
        What it is called by.
    source
        Where it was published.
    thresholds
        IoU thresholds, unless others are given; one only where `own_matching` is set.
    headline
        The figure it is known for; of one with several thresholds, the first.
    pooled
        Whether a data set's figure is that of all objects together; else the mean over images.
    strict
        Whether a pair exactly at a threshold is no match.
    empty
        What a figure is where neither image has an object.
    border
        Objects with a pixel in a border of this width are left out.
    leftovers
        Whether pairs below the threshold break ties, see `benchmark.scoring.matching.match`.
    at_first
        Whether kinds of errors, mean IoUs and PQ are those at the first threshold; else at 0.5.
    any_overlap
        Whether splits and merges are objects that several others overlap at an IoU above 0.1,
        whatever else became of them; else they are events.
    own_matching
        Whether deepcell's ObjectMetrics decides what is matched, see `benchmark.scoring.tissuenet`.
    legacy
        Whether each catastrophe counts as one correct detection, as deepcell has it; only where
        `own_matching` is set.
    """

    name: str
    source: str
    thresholds: tuple[Fraction, ...] = THRESHOLDS
    headline: str = "mean_ap"
    pooled: bool = False
    strict: bool = False
    empty: float = math.nan
    border: int = 0
    leftovers: bool = False
    at_first: bool = False
    any_overlap: bool = False
    own_matching: bool = False
    legacy: bool = False


PROFILES = {
    one.name: one
    for one in (
        Profile("default", "this project: docs/scoring.md"),
        Profile(
            "cellpose",
            "Stringer et al. 2021, Nature Methods 18, 100; cellpose.metrics",
            thresholds=(HALF, Fraction(3, 4), Fraction(9, 10)),
            headline="ap",
            leftovers=True,
        ),
        Profile(
            "stardist",
            "Schmidt et al. 2018, MICCAI; stardist.matching",
            thresholds=(HALF,),
            headline="ap",
            pooled=True,
            empty=0.0,
            leftovers=True,
            at_first=True,
        ),
        Profile(
            "dsb2018",
            "Caicedo et al. 2019, Nature Methods 16, 1247: Data Science Bowl 2018",
            strict=True,
        ),
        Profile(
            "caicedo",
            "Caicedo et al. 2019, Cytometry A 95, 952",
            thresholds=THRESHOLDS[:9],
            headline="mean_f1",
            strict=True,
            empty=0.0,
            any_overlap=True,
        ),
        Profile(
            "neurips",
            "Ma et al. 2024, Nature Methods 21, 1103: NeurIPS 2022 cell segmentation",
            thresholds=(HALF,),
            headline="f1",
            empty=0.0,
            border=2,
        ),
        Profile(
            "ctc",
            "Maška et al. 2014, Bioinformatics 30, 1609: Cell Tracking Challenge",
            headline="seg",
            pooled=True,
            empty=0.0,
        ),
        Profile(
            "tissuenet",
            "Greenwald et al. 2022, Nature Biotechnology 40, 555; deepcell's ObjectMetrics",
            thresholds=(Fraction(3, 5),),
            headline="f1",
            pooled=True,
            empty=0.0,
            at_first=True,
            own_matching=True,
        ),
        Profile(
            "pq",
            "Kirillov et al. 2019, CVPR: panoptic segmentation",
            thresholds=(HALF,),
            headline="pq",
            pooled=True,
            strict=True,
            empty=0.0,
        ),
    )
}


def profile_of(name: str | Profile) -> Profile:
    """Return a profile by name; one made by hand is returned as it is.

    Raises
    ------
    BenchError
        There is none of that name.

    Examples
    --------
    >>> profile_of("caicedo").headline
    'mean_f1'
    """
    if isinstance(name, Profile):
        return name
    if name not in PROFILES:
        raise BenchError(
            f"there is no scoring profile {name!r}",
            mend=nearest(name, PROFILES),
        )
    return PROFILES[name]
