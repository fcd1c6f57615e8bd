"""How sure a figure is: intervals, ranks and tests over scenes, pure functions of arrays.

bootstrap   intervals of means and ranks, by drawing scenes
"""

from benchmark.statistics.bootstrap import mean_interval, rank_intervals

__all__ = ["mean_interval", "rank_intervals"]
