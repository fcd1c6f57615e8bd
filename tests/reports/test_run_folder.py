from __future__ import annotations

import json

import pytest

from benchmark.errors import RunError
from reports.run_folder import read_run

FILES = ("run.json", "leaderboard.json", "results.parquet", "scores.parquet")


def test_reads_what_a_run_wrote(run):
    read = read_run(run)
    assert read.plan.dataset.name == "discs"
    first = read.rows[0]
    assert first.name == "cellpose:cellgen"
    assert len(read.results_of(first)) == 6
    assert len(read.scores_of(first)) == 60
    assert read.algorithms[first.name].title == "Cellpose 3"


@pytest.mark.parametrize("name", FILES)
def test_an_unfinished_run_is_named(run, name):
    (run / name).unlink()
    with pytest.raises(RunError, match=rf"no finished run: {name} is missing") as caught:
        read_run(run)
    assert "bench run" in caught.value.mend


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(run, name):
    (run / name).write_bytes(b"not this")
    with pytest.raises(RunError, match="cannot be read") as caught:
        read_run(run)
    assert caught.value.where.endswith(name)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(RunError, match="no finished run"):
        read_run(tmp_path / "nothing")


def test_a_field_of_the_wrong_type_is_named(run):
    path = run / "leaderboard.json"
    board = json.loads(path.read_text())
    board["rows"][0]["ap50"] = "good"
    path.write_text(json.dumps(board))
    with pytest.raises(RunError, match=r"rows\.0\.ap50"):
        read_run(run)


def test_a_row_that_the_plan_does_not_know_is_refused(run):
    path = run / "run.json"
    plan = json.loads(path.read_text())
    del plan["algorithms"][0]
    path.write_text(json.dumps(plan))
    with pytest.raises(RunError, match="does not list cellpose:cellgen"):
        read_run(run)


def test_later_versions_may_add_fields(run):
    for name in ("run.json", "leaderboard.json"):
        content = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps({**content, "new": 1}))
    assert read_run(run).rows
