"""Train on synthetic, test on real, with an algorithm that learns one threshold."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from adapters.errors import SegmenterError
from benchmark.audit.sources import sources_of
from benchmark.audit.transfer import Trials, _figures, transfer

FILES = {
    "adapter.toml": 'name = "learner"\n[models.default]\ntrack = "classical"\n',
    "segmenter.py": """
from pathlib import Path
from scipy import ndimage

class Segmenter:
    def __init__(self, model, parameters, device):
        self.threshold = float((Path(model) / "model.safetensors").read_text())

    def segment(self, image):
        return ndimage.label(ndimage.gaussian_filter(image[0], 1.0) > self.threshold)[0]
""",
    # Half way between inside and outside; it breaks down once where `unlucky` says so.
    "train.py": """
import json
from pathlib import Path
import numpy as np

def train(data, out, options, report):
    index = json.loads((Path(data) / "index.json").read_text())
    unlucky = options.get("unlucky")
    if unlucky and not Path(unlucky).exists():
        Path(unlucky).write_text("")
        (Path(out) / "checkpoint.safetensors").write_text("0")
        raise RuntimeError("out of luck")
    report({"epoch": 1, "epochs": options["epochs"], "train_loss": 1.0, "val_loss": 1.0})
    sides = {True: [], False: []}
    for entry in index["splits"]["train"]:
        image = np.load(Path(data) / entry["image"])[0]
        labels = np.load(Path(data) / entry["labels"])
        for inside in sides:
            sides[inside].append(image[(labels > 0) == inside].mean())
    level = (np.mean(sides[True]) + np.mean(sides[False])) / 2 + options["seed"]
    (Path(out) / "model.safetensors").write_text(str(level))
    return {"n": len(index["splits"]["train"])}
""",
}


@pytest.fixture
def learner(tmp_path):
    folder = tmp_path / "learner"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return str(folder)


@pytest.mark.training
def test_all_are_trained_with_one_budget_and_tested_on_the_same(sets, learner, tmp_path):
    sources = sources_of(sets["synthetic"], sets["real"])
    lines = []
    trials = Trials(learner, epochs=1, seeds=(3,), options={"unlucky": str(tmp_path / "was")})
    with pytest.raises(SegmenterError):
        transfer(sources, trials, tmp_path / "t", lines.append)
    # One that broke down goes on.
    found = transfer(sources, trials, tmp_path / "t", lines.append)
    assert (found["images"], found["test"]) == (6, 6)  # the smaller set has six
    assert list(found["columns"]) == ["synthetic", "real"]
    for column in found["columns"].values():
        assert column["objects"] == 6 * 12
        low, high = column["ap50"]["interval"]
        assert low <= column["ap50"]["mean"] <= high
    assert found["columns"]["real"]["ap50"]["mean"] > 0.9
    assert found["columns"]["real"]["ap50"]["ratio"] == 1
    assert found["columns"]["real"]["ap50"]["difference"] == [0, 0]
    # What is finished is not trained again; one seed more is one training more for each set.
    lines.clear()
    assert transfer(sources, trials, tmp_path / "t", lines.append) == found
    assert not any("segmenting" in line for line in lines)
    more = transfer(sources, replace(trials, seeds=(3, 5)), tmp_path / "t", lines.append)
    assert sum("segmenting" in line for line in lines) == 2
    for name, column in more["columns"].items():
        assert column["ap50"]["seeds"][0] == found["columns"][name]["ap50"]["seeds"][0]
        assert len(column["ap50"]["seeds"]) == 2
    records = [json.loads(path.read_text()) for path in (tmp_path / "t").glob("*/training.json")]
    assert sorted(record["options"]["seed"] for record in records) == [3, 3, 5, 5]
    json.dumps(found, allow_nan=False)


def test_figures_worked_by_hand():
    real = np.array([[[0.8, 0.5], [0.6, 0.3]], [[1.0, 0.5], [0.8, 0.3]]])  # seeds, images, AP
    nan = float("nan")
    made = np.array([[[0.4, nan], [0.4, nan]], [[0.4, nan], [0.4, nan]]])
    found = _figures(made, real, ["a", "b"])
    assert found["ap50"]["mean"] == 0.4
    assert found["ap50"]["ratio"] == 0.5
    assert found["ap50"]["seeds"] == [0.4, 0.4]
    low, high = found["ap50"]["difference"]
    assert (low, high) == (-0.5, -0.3)  # .9 and .7 over seeds
    assert found["ap75"]["mean"] is None
    assert found["ap75"]["ratio"] is None
