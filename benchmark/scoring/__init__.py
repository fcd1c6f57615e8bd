"""Scores of a predicted label image against the true one: pure functions of arrays.

labels        what is a label image
contingency   which objects overlap, and by how many pixels (`scan`, `compiled`: the pass over both)
matching      which of those pairs count, at an IoU threshold
profiles      the published conventions
figures       from objects, overlaps and matches to figures
kinds         what kind of error was made on which object (`tissuenet`: as deepcell has it)
boundary      how far outlines lie apart
objects       a row per object
metrics       `score`, and the `Score` of one image
spots         the same for points
aggregate     the figures of a data set
"""

from benchmark.scoring.metrics import SCORER_VERSION, Score, score
from benchmark.scoring.profiles import PROFILES, THRESHOLDS, Profile

__all__ = ["PROFILES", "SCORER_VERSION", "THRESHOLDS", "Profile", "Score", "score"]
