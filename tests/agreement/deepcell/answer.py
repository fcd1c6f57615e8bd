"""What deepcell says about each pair of label images: answer.py PAIRS.npz ANSWERS.json.

Runs in an environment of its own and imports nothing of this project.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
from deepcell_toolbox.metrics import ObjectMetrics
from skimage.segmentation import relabel_sequential


def objects(index):
    """Return indices as a list; a single object has a number in place of a tuple."""
    return [] if index is None else [int(i) for i in np.atleast_1d(index)]


def say_as_given(truth, prediction):
    found = ObjectMetrics(truth, prediction, is_3d=truth.ndim == 3)
    kinds = ("correct", "missed", "gained", "splits", "merges", "catastrophes")
    events = {
        kind: sorted(
            [objects(one.true_index), objects(one.pred_index)] for one in getattr(found, "_" + kind)
        )
        for kind in kinds
    }
    figures = found.to_dict()
    return {"events": events, **{name: float(value) for name, value in figures.items()}}


def say(truth, prediction):
    """Return the same after its own `Metrics`' first step: objects get ids without a gap."""
    return say_as_given(relabel_sequential(truth)[0], relabel_sequential(prediction)[0])


def answer(say, truth, prediction):
    try:
        return say(truth.copy(), prediction.copy())
    except Exception as error:  # noqa: BLE001 - a failure of any kind is an answer
        return {"error": f"{type(error).__name__}: {error}"}


def main(source, target):
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    with np.load(source) as arrays:
        names = [name[: -len("/truth")] for name in arrays.files if name.endswith("/truth")]
        pairs = {name: (arrays[name + "/truth"], arrays[name + "/prediction"]) for name in names}
    answers = {name: answer(say, *pair) for name, pair in pairs.items()}
    for name, pair in pairs.items():
        if not name.startswith("random"):
            answers[name]["as given"] = answer(say_as_given, *pair)
    Path(target).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
