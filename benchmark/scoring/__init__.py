"""Scores of a predicted label image against the true one: pure functions of arrays.

contingency   which objects overlap, and by how many pixels
matching      which of those pairs count, at an IoU threshold
metrics       the figures of one image
aggregate     the figures of a data set
"""

from benchmark.scoring.metrics import SCORER_VERSION, THRESHOLDS, Score, score

__all__ = ["SCORER_VERSION", "THRESHOLDS", "Score", "score"]
