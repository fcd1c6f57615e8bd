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


SETTLE = """
import numpy as np, torch
import train
torch.manual_seed(0)
rng = np.random.default_rng(0)
labels = np.zeros((64, 64), np.int32)
labels[16:40, 16:40] = 1
scenes = [train.Scene(labels + rng.normal(0, 0.1, labels.shape).astype(np.float32), labels)]
network = train.U2Net(1, 2, small=True)
settings = {**train.DEFAULTS, "epochs": 2, "crops_per_epoch": 1, "batch_size": 1}
train._settle(network, scenes, settings)
first = next(part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d))
seen = []
handle = first.register_forward_hook(lambda _norm, given, _out: seen.append(given[0]))
train._settle(network, scenes, settings)
mean = torch.stack([x.mean((0, 2, 3)) for x in seen]).mean(0)
off = float((first.running_mean - mean).abs().max())
print(json.dumps({"batches": len(seen), "off": off, "momentum": first.momentum}))
"""


def test_statistics_of_the_norms_are_means_over_many_crops(inside):
    found = inside(SETTLE)
    assert found["batches"] == 2
    assert found["off"] < 1e-5
    assert found["momentum"] == 0.1


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
