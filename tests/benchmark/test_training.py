"""`bench train`, with an adapter that needs no framework: it learns one threshold."""

from __future__ import annotations

import json
import tempfile

import numpy as np
import pytest

from adapters.errors import AdapterError, SegmenterError
from benchmark import training
from benchmark.commands import train as command
from benchmark.dataset import Dataset, DatasetWriter, SampleInput
from benchmark.errors import DatasetError, RunError
from benchmark.training import Training, hand_over, train

ADAPTER = """
name = "learner"
[models.default]
track = "classical"
"""

SEGMENTER = """
from pathlib import Path
from scipy import ndimage

class Segmenter:
    def __init__(self, model, parameters, device):
        self.threshold = float((Path(model) / "model.safetensors").read_text())

    def segment(self, image):
        return ndimage.label(image[0] > self.threshold)[0]
"""

# It keeps its progress in a checkpoint and breaks down where `break_at` says, once.
TRAIN = """
import json
from pathlib import Path
import numpy as np

def train(data, out, options, report):
    index = json.loads((Path(data) / "index.json").read_text())
    checkpoint = Path(out) / "checkpoint.safetensors"
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for epoch in range(done, options["epochs"]):
        report({"epoch": epoch + 1, "epochs": options["epochs"], "train_loss": 1 / (epoch + 1)})
        checkpoint.write_text(str(epoch + 1))
        if epoch + 1 == options.get("break_at") and done == 0:
            raise RuntimeError("out of luck")
    entries = index["splits"]["train"]
    inside = [np.load(Path(data) / e["image"])[0][np.load(Path(data) / e["labels"]) > 0]
              for e in entries]
    if not options.get("forget"):
        (Path(out) / "model.safetensors").write_text(str(min(a.min() for a in inside) - 1))
    return {"resumed_at": done, "n": len(entries), "device": options["device"]}
"""


@pytest.fixture
def dataset(tmp_path):
    """Two training scenes and one for validation: bright squares of 200 on 10."""
    path = tmp_path / "data"
    with DatasetWriter(
        path, name="squares", version="1.0.0", targets=("nuclei",), channels=("dna",)
    ) as writer:
        for number, split in enumerate(("train", "train", "val")):
            labels = np.zeros((16, 20), np.uint16)
            labels[2:6, 3:8] = 1
            labels[9:14, 10 + number : 15 + number] = 2
            image = np.where(labels > 0, 200, 10).astype(np.uint16)[None]
            writer.add(
                SampleInput(id=f"s{number}", image=image, labels={"nuclei": labels}, split=split)
            )
    return Dataset.open(path)


@pytest.fixture
def learner(tmp_path):
    folder = tmp_path / "learner"
    folder.mkdir()
    for name, text in {
        "adapter.toml": ADAPTER,
        "segmenter.py": SEGMENTER,
        "train.py": TRAIN,
    }.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def plan(learner):
    def make(**options):
        return Training(str(learner), options={"epochs": 3, **options})

    return make


def test_what_is_handed_over_is_what_the_data_set_holds(dataset, tmp_path):
    folder = tmp_path / "handed"
    hand_over(dataset, {"train": "train", "val": "val"}, "nuclei", folder)
    index = json.loads((folder / "index.json").read_text())
    assert index["target"] == "nuclei"
    assert index["channels"] == ["dna"]
    assert {k: [e["id"] for e in v] for k, v in index["splits"].items()} == {
        "train": ["s0", "s1"],
        "val": ["s2"],
    }
    for entries in index["splits"].values():
        for entry in entries:
            image = np.load(folder / entry["image"], allow_pickle=False)
            labels = np.load(folder / entry["labels"], allow_pickle=False)
            np.testing.assert_array_equal(image, dataset.read_image(entry["id"]))
            np.testing.assert_array_equal(labels, dataset.read_labels(entry["id"]))


def test_a_training_leaves_weights_and_a_record_of_what_made_them(dataset, plan, tmp_path):
    out = tmp_path / "out"
    messages = []
    record = train(plan(), dataset, out, command="bench train", on_message=messages.append)
    assert (out / "model.safetensors").read_text() == "199"
    assert [message["epoch"] for message in messages] == [1, 2, 3]
    assert json.loads((out / "training.json").read_text()) == record
    assert record["command"] == "bench train"
    assert record["dataset"] == {"name": "squares", "version": "1.0.0", "digest": dataset.digest}
    assert record["result"] == {"resumed_at": 0, "n": 2, "device": "cpu"}
    # The threshold separates both squares exactly, so nothing is lost at any threshold of IoU.
    assert record["validation"] == {
        "split": "val",
        "n": 1,
        "scorer": record["validation"]["scorer"],
        "ap50": 1.0,
        "mean_ap": 1.0,
    }
    assert not (out / "checkpoint.safetensors").exists()


def test_a_training_that_broke_down_continues(dataset, plan, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(SegmenterError, match="out of luck"):
        train(plan(break_at=2), dataset, out)
    messages = []
    record = train(plan(break_at=2), dataset, out, on_message=messages.append)
    assert record["result"]["resumed_at"] == 2
    assert [message["epoch"] for message in messages] == [3]


def test_a_finished_training_is_not_done_again(dataset, plan, tmp_path):
    first = train(plan(), dataset, tmp_path / "out")
    messages = []
    assert train(plan(), dataset, tmp_path / "out", on_message=messages.append) == first
    assert messages == []


def test_a_folder_with_another_training_is_refused(dataset, plan, tmp_path):
    train(plan(), dataset, tmp_path / "out")
    with pytest.raises(RunError, match="another training: options was") as caught:
        train(plan(seed=1), dataset, tmp_path / "out")
    assert "another folder" in caught.value.mend


def test_a_changed_adapter_is_another_training(dataset, plan, learner, tmp_path):
    train(plan(), dataset, tmp_path / "out")
    (learner / "train.py").write_text(TRAIN + "\n# other code\n")
    with pytest.raises(RunError, match="another training: source was"):
        train(plan(), dataset, tmp_path / "out")


def test_a_training_that_learned_nothing_gives_its_folder_up(dataset, plan, tmp_path):
    with pytest.raises(SegmenterError):
        train(plan(epochs="three"), dataset, tmp_path / "out")
    assert train(plan(), dataset, tmp_path / "out")["options"] == {"epochs": 3}


def test_a_folder_with_other_files_is_refused_and_kept(dataset, plan, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("all of it")
    with pytest.raises(RunError, match="holds other files"):
        train(plan(), dataset, out)
    assert {file.name for file in out.iterdir()} <= {"thesis.txt", ".lock"}


@pytest.mark.parametrize("text", ["", "{", "[1]", "\xff"])
def test_a_record_that_cannot_be_read_is_refused_and_kept(dataset, plan, tmp_path, text):
    out = tmp_path / "out"
    out.mkdir()
    (out / "training.json").write_text(text, encoding="latin-1")
    with pytest.raises(RunError, match="record of a training") as caught:
        train(plan(), dataset, out)
    assert caught.value.where == str(out / "training.json")
    assert (out / "training.json").read_text(encoding="latin-1") == text


@pytest.mark.parametrize("out", ["file", "file/out"])
def test_a_file_in_place_of_the_folder_is_refused(dataset, plan, tmp_path, out):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="no folder can be made"):
        train(plan(), dataset, tmp_path / out)


def test_what_a_killed_training_was_handed_is_removed(dataset, plan, tmp_path, monkeypatch):
    out = tmp_path / "out"
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    with monkeypatch.context() as patch:
        patch.setattr(training.shutil, "rmtree", lambda *_, **__: None)  # killed before it
        with pytest.raises(SegmenterError, match="out of luck"):
            train(plan(break_at=2), dataset, out)
    assert (out / ".data" / "train").is_dir()
    assert list((tmp_path / "scratch").iterdir()) == []
    (out / ".data" / "old.npy").touch()
    train(plan(break_at=2), dataset, out)
    assert {file.name for file in out.iterdir()} <= {
        ".lock",
        "model.safetensors",
        "train.log",
        "training.json",
    }


def test_no_weights_is_an_error(dataset, plan, tmp_path):
    with pytest.raises(RunError, match="without model"):
        train(plan(forget=True), dataset, tmp_path / "out")


def test_an_adapter_without_train_py_says_so(dataset, plan, learner, tmp_path):
    (learner / "train.py").unlink()
    with pytest.raises(AdapterError, match="cannot be trained"):
        train(plan(), dataset, tmp_path / "out")


def test_a_missing_split_is_named(dataset, learner, tmp_path):
    wanted = Training(str(learner), split="trian", options={"epochs": 1})
    with pytest.raises(DatasetError, match="trian"):
        train(wanted, dataset, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_record(dataset, learner, tmp_path, capsys):
    command.train(
        str(learner),
        data=str(dataset.path),
        out=tmp_path / "out",
        epochs=1,
        settings=("seed=3", "note=quick"),
        json=True,
    )
    printed = capsys.readouterr()
    record = json.loads(printed.out)
    assert record["options"] == {"epochs": 1, "seed": 3, "note": "quick"}
    assert "epoch 1 of 1: train_loss 1" in printed.err


def test_a_setting_without_a_value_is_refused():
    with pytest.raises(RunError, match="key=value"):
        command.setting("seed")
