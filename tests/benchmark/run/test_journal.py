from __future__ import annotations

import pytest

from benchmark.run.journal import Journal


def record(sample: str, **values):
    return {"sample": sample, "status": "ok", **values}


def test_keeps_the_latest_record_of_each_sample(tmp_path):
    path = tmp_path / "a.jsonl"
    with Journal(path) as journal:
        journal.append(record("x", digest="1"))
        journal.append(record("y", digest="2"))
        journal.append(record("x", digest="3"))
    assert Journal(path).records == {"x": record("x", digest="3"), "y": record("y", digest="2")}


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


@pytest.mark.parametrize("junk", [b"{}\n", b"[1]\n", b'{"sample": 3}\n', b"\xff\n", b"\n"])
def test_a_line_that_is_no_record_ends_what_is_trusted(tmp_path, junk):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"sample": "x"}\n' + junk + b'{"sample": "y"}\n')
    assert list(Journal(path).records) == ["x"]
