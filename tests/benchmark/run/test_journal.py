from __future__ import annotations

import json

import pytest

from benchmark.run.journal import FIELDS, Journal


def record(sample: str, **values):
    score = {"ap": [0.5]}
    return {**dict.fromkeys(FIELDS), "sample": sample, "status": "ok", "score": score, **values}


def test_keeps_the_latest_record_of_each_sample(tmp_path):
    path = tmp_path / "a.jsonl"
    with Journal(path) as journal:
        journal.append(record("x", digest="1"))
        journal.append(record("y", digest="2"))
        journal.append(record("x", digest="3"))
    assert Journal(path).records == {"x": record("x", digest="3"), "y": record("y", digest="2")}


def test_tables_of_objects_stay_in_the_file(tmp_path):
    path = tmp_path / "a.jsonl"
    score = {"ap": [0.5], "true_objects": {"label": [1, 2]}, "pred_objects": {}, "events": []}
    with Journal(path) as journal:
        journal.append(record("x", score={**score, "true_objects": {"label": [9]}}))
        journal.append(record("y", score=score))
        journal.append(record("x", score=score))
        for one in (journal, Journal(path)):
            assert one.records == {"x": record("x"), "y": record("y")}
            assert one.whole("x") == record("x", score=score)
            assert one.whole("y") == record("y", score=score)


@pytest.mark.parametrize("keep", range(1, 30))
def test_a_torn_last_line_costs_one_record(tmp_path, keep):
    path = tmp_path / "a.jsonl"
    with Journal(path) as journal:
        journal.append(record("x"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:keep])
    with Journal(path) as journal:
        assert list(journal.records) == ["x"]
        journal.append(record("z"))
    assert list(Journal(path).records) == ["x", "z"]


@pytest.mark.parametrize(
    "junk", [b"{}\n", b"[1]\n", b'{"sample": "z"}\n', b"\xff\n", b"\n", b"torn{\n"]
)
def test_a_line_that_is_no_record_is_passed_over(tmp_path, junk):
    path = tmp_path / "a.jsonl"
    lines = [json.dumps(record(name)).encode() + b"\n" for name in "xy"]
    path.write_bytes(lines[0] + junk + lines[1])
    with Journal(path) as journal:
        assert list(journal.records) == ["x", "y"]
    assert path.read_bytes() == lines[0] + junk + lines[1]
