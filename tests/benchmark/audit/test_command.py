from __future__ import annotations

import json

import pytest

from benchmark.commands import dataset_audit as module
from benchmark.commands.dataset_audit import audit
from benchmark.commands.dataset_card import write_card
from benchmark.dataset import verify
from benchmark.errors import RunError


@pytest.fixture
def run(sets, tmp_path):
    def make(**options):
        audit(
            str(sets["synthetic"].path),
            real=str(sets["real"].path),
            out=tmp_path / "audit",
            **{"parts": "faithfulness", "images": 2, **options},
        )

    return make


def test_it_prints_the_figures_and_writes_a_page(run, sets, tmp_path, capsys):
    run(baseline=str(sets["baseline"].path))
    shown = capsys.readouterr()
    for text in ("synthetic", "baseline", "real", "isolated edges: signed median", "audit.html"):
        assert text in shown.out
    assert "faithfulness: where edges are" in shown.err
    assert "<h1>How far made 1.0.0 can be trusted" in (tmp_path / "audit/audit.html").read_text()


def test_json_is_the_record(run, tmp_path, capsys):
    run(json=True, parts="faithfulness, copies")
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "audit/audit.json").read_text())
    assert list(found["parts"]) == ["faithfulness", "copies"]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"parts": "faithfullness"}, "no part 'faithfullness'"),
        ({"parts": " , "}, "no part of the audit"),
        ({"seeds": "0,x"}, "different whole numbers"),
        ({"seeds": "1,1"}, "different whole numbers"),
    ],
)
def test_wrong_usage_is_found_at_once(run, tmp_path, options, what):
    with pytest.raises(RunError, match=what):
        run(**options)
    assert not (tmp_path / "audit").exists()


@pytest.mark.parametrize(
    ("content", "row", "what"),
    [
        (None, "a.b", "cannot be read"),
        ("{", "a.b", "no JSON"),
        ('{"a": {"c": 1}}', "a.b", "no entry 'a.b'"),
        ('{"a": {"b": 1}}', "a.b", "no per_cell and per_image"),
        ("[]", None, "no per_cell and per_image"),
    ],
)
def test_statistics_that_are_none_are_refused(run, tmp_path, content, row, what):
    path = tmp_path / "stats.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RunError, match=what):
        run(stats=path, stats_row=row)


def test_statistics_are_compared(run, tmp_path, capsys):
    path = tmp_path / "stats.json"
    row = {"per_cell": {"area_px": {"p50": 250}, "touching_fraction": 0.5}, "per_image": {}}
    path.write_text(json.dumps({"mine": {"train": row}}))
    run(parts="statistics", stats=path, stats_row="mine.train", json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["stats"] == "stats.json mine.train"
    gap = found["parts"]["statistics"]["columns"]["synthetic"]["stats"]["area_px"]
    assert 0 <= gap <= 0.5
    assert "to stats" in (tmp_path / "audit/audit.html").read_text()


def test_all_is_all_parts():
    assert module._parts("all") == module.PARTS
    assert module._parts("copies,faithfulness") == ("faithfulness", "copies")


def test_a_card_tells_what_the_audit_of_this_set_found(run, make_set, sets, tmp_path, capsys):
    made = make_set(tmp_path / "card", name="made", sharp=2.0, seed=100)
    run()
    write_card(str(made.path), audit=tmp_path / "audit")
    card = (made.path / "DATACARD.md").read_text()
    assert "| faithfulness: isolated edges: signed median, px | synthetic 0.01; real 0.02 |" in card
    assert verify(made.path) == []
    with pytest.raises(RunError, match="audit of another data set"):
        write_card(str(sets["real"].path), audit=tmp_path / "audit")
    with pytest.raises(RunError, match="cannot be read"):
        write_card(str(made.path), audit=tmp_path)
    capsys.readouterr()
    write_card(str(made.path), json=True)
    assert json.loads(capsys.readouterr().out) == {
        "card": str(made.path / "DATACARD.md"),
        "figures": 0,
    }
