"""Training through the package: that it ends, and that a killed one ends the same."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.segmenter, pytest.mark.training]

# Breaks down after so many epochs, if told to.
TRAIN = """
import hashlib, pathlib
from train import train
data, out, limit = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
out.mkdir(exist_ok=True)
class Stop(Exception): pass
lines = []
def report(line):
    lines.append(line)
    if limit and line["epoch"] == limit:
        raise Stop
options = {"epochs": 12, "crops_per_epoch": 2, "batch_size": 1, "crop": 64,
           "checkpoint_every": 2}
try:
    result = train(data, str(out), options, report)
except Stop:
    result = None
model = out / "model.safetensors"
digest = hashlib.sha256(model.read_bytes()).hexdigest() if model.exists() else None
print(json.dumps({"result": result, "lines": lines, "digest": digest}))
"""

VARIED = """
import numpy as np
from train import VariedImages
image = np.stack((np.linspace(0, 1, 100).reshape(10, 10), np.zeros((10, 10)))).astype("float32")
def draws():
    images = VariedImages([image], seed=3)
    return [images[0] for _ in range(3)]
first, again = draws(), draws()
print(json.dumps({
    "alike": all((a == b).all() for a, b in zip(first, again)),
    "differ": not (first[0] == first[1]).all(),
    "second_channel": max(float(abs(a[1]).max()) for a in first),
    "type": str(first[0].dtype),
}, default=bool))
"""


def test_intensities_vary_by_draw_and_not_by_run(inside):
    assert inside(VARIED) == {
        "alike": True,
        "differ": True,
        "second_channel": 0.0,
        "type": "float32",
    }


def test_a_killed_training_ends_in_the_same_weights(inside, folder_of_scenes, tmp_path):
    whole = inside(TRAIN, folder_of_scenes, tmp_path / "whole", 0)
    assert [line["epoch"] for line in whole["lines"] if "val_loss" in line] == [1, 6, 11]
    assert whole["result"]["parameters"] == 6_600_845

    killed = inside(TRAIN, folder_of_scenes, tmp_path / "killed", 9)
    assert killed["digest"] is None
    resumed = inside(TRAIN, folder_of_scenes, tmp_path / "killed", 0)
    assert resumed["lines"][0]["epoch"] == 9
    assert resumed["digest"] == whole["digest"]
    # The package's mean training loss would count the epochs that were passed over.
    expected = whole["result"]["history"]
    expected[-1].pop("train_loss")
    assert resumed["result"]["history"] == expected
