"""An audit keeps what is finished, and measures anew what is of other images or settings."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PIL import Image

from benchmark.audit import classifier, parts
from benchmark.audit.classifier import Budget
from benchmark.audit.parts import Settings, audit
from benchmark.audit.summary import columns_of, rows_of
from benchmark.errors import RunError

QUICK = Settings(parts=("faithfulness", "copies"), images=2)


@pytest.fixture
def computed(monkeypatch):
    """The parts that were computed, in order."""
    done = []
    before = parts._computed

    def counted(part, *args, **kwargs):
        done.append(part)
        return before(part, *args, **kwargs)

    monkeypatch.setattr(parts, "_computed", counted)
    return done


def test_what_is_finished_is_kept(sources, tmp_path, computed):
    first = audit(sources, QUICK, tmp_path / "audit", command="bench x")
    assert computed == ["faithfulness", "copies"]
    second = audit(sources, QUICK, tmp_path / "audit", command="bench x")
    assert second == first
    assert len(computed) == 2
    assert json.loads((tmp_path / "audit" / "audit.json").read_text()) == first
    assert first["finished"]
    assert set(first["sources"]) == {"synthetic", "baseline", "real", "reference"}


def test_a_part_of_other_settings_is_measured_anew(sources, tmp_path, computed):
    audit(sources, QUICK, tmp_path / "audit")
    audit(sources, replace(QUICK, images=3), tmp_path / "audit")
    assert computed == ["faithfulness", "copies"] * 2
    with_one_more = replace(QUICK, images=3, parts=("faithfulness", "statistics"))
    record = audit(sources, with_one_more, tmp_path / "audit")
    assert computed[4:] == ["statistics"]
    assert set(record["parts"]) == {"faithfulness", "statistics"}


def test_an_audit_that_was_stopped_goes_on(sources, tmp_path, computed, monkeypatch):
    broken = parts.copies
    monkeypatch.setattr(parts, "copies", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        audit(sources, QUICK, tmp_path / "audit")
    assert not json.loads((tmp_path / "audit" / "audit.json").read_text())["finished"]
    monkeypatch.setattr(parts, "copies", broken)
    record = audit(sources, QUICK, tmp_path / "audit")
    assert computed == ["faithfulness", "copies", "copies"]
    assert record["finished"]


def test_what_a_killed_audit_left_is_cleared(sources, tmp_path):
    out = tmp_path / "audit"
    out.mkdir()
    (out / ".lock").touch()
    (out / ".audit.json.123.part").write_text("{")
    audit(sources, replace(QUICK, parts=("faithfulness",)), out)
    assert {file.name for file in out.iterdir()} == {".lock", "audit.json", "faithfulness.json"}


def test_a_damaged_part_is_measured_anew(sources, tmp_path, computed):
    audit(sources, QUICK, tmp_path / "audit")
    (tmp_path / "audit" / "copies.json").write_text('{"inputs": ')
    audit(sources, QUICK, tmp_path / "audit")
    assert computed == ["faithfulness", "copies", "copies"]


def test_folders_of_others_are_left_alone(sources, tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(RunError, match="other files"):
        audit(sources, QUICK, tmp_path)
    with pytest.raises(RunError, match="no folder"):
        audit(sources, QUICK, tmp_path / "thesis.txt" / "audit")


def test_the_patches_that_tell_are_pictures(sources, tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "has_network", lambda: False)
    settings = Settings(parts=("classifier",), budget=Budget(images=6, each=2))
    record = audit(sources, settings, tmp_path / "audit")
    names = record["parts"]["classifier"]["pictures"]
    assert "synthetic-high-pass-made-0.png" in names
    for name in names:
        with Image.open(tmp_path / "audit" / "pictures" / name) as picture:
            assert picture.size == (64, 64)
            assert picture.mode == "L"


def test_rows_have_a_figure_for_every_column(sources, tmp_path):
    settings = replace(QUICK, parts=("faithfulness", "statistics", "copies"))
    record = audit(sources, settings, tmp_path / "audit")
    assert columns_of(record) == ["synthetic", "baseline", "real"]
    rows = rows_of(record)
    assert {row.part for row in rows} == {"faithfulness", "statistics", "copies"}
    signed = next(row for row in rows if row.title == "isolated edges: signed median, px")
    found = record["parts"]["faithfulness"]["columns"]
    for name in columns_of(record):
        assert signed.values[name] == found[name]["isolated"]["signed"]
        assert signed.text(name) == f"{signed.values[name]:.2f}"
        assert signed.notes[name] == f"n = {found[name]['isolated']['n']:,}"
    touching = next(row for row in rows if row.title.startswith("touching edges: signed"))
    assert touching.text("synthetic") == "-"  # nothing touches
