"""The log of a child process."""

from __future__ import annotations

from adapters import log
from adapters.log import Log


def write(kept, data):
    with kept.path.open("ab") as file:
        file.write(data)


def test_what_was_written_after_a_mark(tmp_path):
    kept = Log(tmp_path / "deep" / "a.log")
    write(kept, b"one\n")
    mark = kept.size()
    assert kept.since(mark) == ""
    write(kept, b"two \xff\n")
    assert kept.since(mark) == "two \ufffd\n"
    kept.close()


def test_an_earlier_log_is_added_to(tmp_path):
    (tmp_path / "a.log").write_text("before\n")
    kept = Log(tmp_path / "a.log")
    write(kept, b"after\n")
    kept.close()
    assert (tmp_path / "a.log").read_text() == "before\nafter\n"


def test_a_large_log_is_cut_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "_LARGEST", 1000)
    monkeypatch.setattr(log, "_LARGEST_IN_USE", 3000)
    monkeypatch.setattr(log, "_KEPT", 100)
    kept = Log(tmp_path / "a.log")
    write(kept, b"x" * 1500 + b"the end")
    assert not kept.trim(in_use=True)
    assert kept.trim()
    assert not kept.trim()
    text = kept.path.read_text()
    assert text.startswith("[too much was printed")
    assert text.endswith("\n" + "x" * 93 + "the end")
    write(kept, b"more")
    assert kept.path.read_text() == text + "more"
    kept.close()


def test_a_removed_log_can_still_be_read(tmp_path):
    kept = Log(tmp_path / "a.log")
    write(kept, b"one\n")
    kept.path.unlink()
    assert kept.since(0) == "one\n"
    kept.close()
    kept.close()
