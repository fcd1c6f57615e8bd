"""Times cellpose and stardist on pairs of label images, in an environment that has both.

    python scoring.py PAIRS.npz ROUNDS

Prints, as JSON, the least CPU seconds over the rounds that each takes for AP at ten thresholds.
"""

import json
import sys
import time

import numpy as np

THRESHOLDS = [percent / 100 for percent in range(50, 100, 5)]


def least_cpu_seconds(work, pairs, rounds):
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        for truth, prediction in pairs:
            work(truth, prediction)
        seconds.append(time.process_time() - start)
    return min(seconds)


def main(path, rounds):
    from cellpose.metrics import average_precision
    from stardist.matching import matching

    with np.load(path) as arrays:
        pairs = [(arrays[f"{k}/truth"], arrays[f"{k}/prediction"]) for k in range(len(arrays) // 2)]
    works = {
        "cellpose": lambda truth, found: average_precision([truth], [found], THRESHOLDS),
        "stardist": lambda truth, found: matching(truth, found, thresh=THRESHOLDS),
    }
    small = np.ones((4, 4), pairs[0][0].dtype)
    for work in works.values():
        work(small, small)  # compiles, imports
    print(
        json.dumps({name: least_cpu_seconds(work, pairs, rounds) for name, work in works.items()})
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
