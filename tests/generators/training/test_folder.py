from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")

from benchmark.errors import RunError
from generators.training.folder import RECORD, claim
from generators.training.loop import CHECKPOINT

SETTINGS = {"data digest": "ab", "batch_gpu": 4, "gamma": 0.1, "resume": None}


def test_a_new_folder_is_made_and_recorded(tmp_path):
    claim(tmp_path / "a" / "b", SETTINGS, {"command": "bench train masks"})
    record = json.loads((tmp_path / "a" / "b" / RECORD).read_text())
    assert record == {"settings": SETTINGS, "command": "bench train masks"}


def test_the_same_settings_continue(tmp_path):
    claim(tmp_path, SETTINGS, {"command": "one"})
    (tmp_path / CHECKPOINT).write_bytes(b"")
    claim(tmp_path, SETTINGS, {"command": "two"})
    assert json.loads((tmp_path / RECORD).read_text())["command"] == "two"


def test_other_settings_are_refused_by_name(tmp_path):
    claim(tmp_path, SETTINGS, {})
    (tmp_path / CHECKPOINT).write_bytes(b"")
    with pytest.raises(RunError) as caught:
        claim(tmp_path, {**SETTINGS, "gamma": 0.2, "batch_gpu": 8}, {})
    assert "--batch-gpu 4, not 8; --gamma 0.1, not 0.2" in str(caught.value)
    assert "--batch-gpu 4 --gamma 0.1" in caught.value.mend
    assert json.loads((tmp_path / RECORD).read_text())["settings"] == SETTINGS


def test_other_data_is_refused(tmp_path):
    claim(tmp_path, SETTINGS, {})
    (tmp_path / CHECKPOINT).write_bytes(b"")
    with pytest.raises(RunError, match="data digest ab, not cd") as caught:
        claim(tmp_path, {**SETTINGS, "data digest": "cd"}, {})
    assert caught.value.mend == "continue it with what it began with, or choose another --out"


def test_what_a_killed_training_left_half_written_goes(tmp_path):
    claim(tmp_path, SETTINGS, {})
    (tmp_path / ".checkpoint.safetensors.12.part").write_bytes(b"half")
    claim(tmp_path, SETTINGS, {})
    assert [path.name for path in tmp_path.iterdir()] == [RECORD]


def test_without_a_checkpoint_a_mistyped_option_costs_nothing(tmp_path):
    claim(tmp_path, SETTINGS, {})
    claim(tmp_path, {**SETTINGS, "gamma": 0.2}, {})


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(RunError, match="holds something else"):
        claim(tmp_path, SETTINGS, {})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("content", ["", "[]", '{"settings": 3}', "\x00"])
def test_a_record_of_something_else_is_refused(tmp_path, content):
    (tmp_path / RECORD).write_text(content)
    with pytest.raises(RunError, match="no record"):
        claim(tmp_path, SETTINGS, {})
