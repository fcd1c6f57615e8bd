"""Training: what it learns from, that it ends, and that a killed one ends the same."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.segmenter, pytest.mark.training]

DEPTH = """
import numpy as np
from train import depth
print(json.dumps(depth(np.array(json.loads(sys.argv[1]))).tolist()))
"""

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
options = {"epochs": 4, "crops_per_epoch": 1, "batch_size": 1, "checkpoint_every": 2}
try:
    result = train(data, str(out), options, report)
except Stop:
    result = None
model = out / "model.safetensors"
digest = hashlib.sha256(model.read_bytes()).hexdigest() if model.exists() else None
print(json.dumps({"result": result, "lines": lines, "digest": digest}))
"""


def test_depth_is_1_in_the_middle_of_every_object_whatever_its_size(inside):
    labels = np.zeros((7, 12), int)
    labels[1:6, 1:6] = 1  # a square of 5, touching one of 3 columns
    labels[1:6, 6:9] = 2
    labels[3, 10] = 3  # a single pixel
    depth = np.array(inside(DEPTH, labels.tolist()))
    assert not depth[labels == 0].any()
    np.testing.assert_allclose(depth[3, 1:6], [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])
    np.testing.assert_allclose(depth[3, 6:9], [1 / 2, 1, 1 / 2])
    assert depth[3, 10] == 1


def test_a_killed_training_ends_in_the_same_weights(inside, folder_of_scenes, tmp_path):
    whole = inside(TRAIN, folder_of_scenes, tmp_path / "whole", 0)
    assert [line["epoch"] for line in whole["lines"]] == [1, 2, 3, 4]
    assert whole["result"]["parameters"] == 1_133_510
    assert np.isfinite(whole["result"]["val_loss"])

    killed = inside(TRAIN, folder_of_scenes, tmp_path / "killed", 3)
    assert killed["digest"] is None
    resumed = inside(TRAIN, folder_of_scenes, tmp_path / "killed", 0)
    assert [line["epoch"] for line in resumed["lines"]] == [3, 4]
    assert resumed["digest"] == whole["digest"]
    assert resumed["result"]["history"] == whole["result"]["history"]
