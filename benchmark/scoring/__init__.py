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
many          images side by side, on all cores
spots         the same for points (`spot_matching`: who is whose)
aggregate     the figures of a data set
breakdown     the same by a factor of the images or a property of the objects
"""

from benchmark.scoring.metrics import SCORER_VERSION, Score, score
from benchmark.scoring.profiles import PROFILES, THRESHOLDS, Profile
from benchmark.scoring.spots import SpotScore, pool_spots, score_spots

__all__ = [
    "PROFILES",
    "SCORER_VERSION",
    "THRESHOLDS",
    "Profile",
    "Score",
    "SpotScore",
    "pool_spots",
    "score",
    "score_spots",
]
