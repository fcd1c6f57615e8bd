"""How sure a figure is: intervals, ranks, tiers and tests over scenes, pure functions of arrays.

scenes      figures by scene, and draws of scenes
bootstrap   intervals of means, differences and ranks; how often one is better
paired      tests of pairs of algorithms, corrected for their number
swaps       the permutation test that paired and tiers rest on
tiers       who cannot be told apart
missing     what a missing prediction counts
"""

from benchmark.statistics.bootstrap import (
    difference_interval,
    mean_interval,
    probability_better,
    rank_intervals,
)
from benchmark.statistics.missing import Filled, fill_missing
from benchmark.statistics.paired import (
    Comparison,
    PairedTest,
    compare_all,
    holm,
    paired_test,
)
from benchmark.statistics.tiers import Tiers, tiers

__all__ = [
    "Comparison",
    "Filled",
    "PairedTest",
    "Tiers",
    "compare_all",
    "difference_interval",
    "fill_missing",
    "holm",
    "mean_interval",
    "paired_test",
    "probability_better",
    "rank_intervals",
    "tiers",
]
