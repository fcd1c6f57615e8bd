"""`bench breakdown` on a real run."""

from __future__ import annotations

import json
from io import StringIO

import pandas as pd
import pytest

from benchmark.cli import app
from benchmark.errors import BenchError


def bench(*arguments):
    """Run a command to its end; return its exit code."""
    with pytest.raises(SystemExit) as end:
        app([str(argument) for argument in arguments], exit_on_error=False)
    return end.value.code


@pytest.fixture
def run(dataset, make_adapter, tmp_path, capsys):
    """The folder of a run of three algorithms, one of which fails on every image."""
    names = ["oracle", make_adapter("good"), make_adapter("bad", before="raise OSError")]
    folder = tmp_path / "run"
    code = bench("run", dataset.path, "--split", "test", "-a", ",".join(names), "--out", folder)
    assert code == 1
    capsys.readouterr()
    return folder


def test_by_a_factor_in_three_forms(run, capsys):
    bench("breakdown", run, "--by", "n_nuclei", "--json")
    rows = json.loads(capsys.readouterr().out)
    assert sum(row["n"] for row in rows if row["algorithm"] == "oracle") == 6
    assert {row["ap50"] for row in rows if row["algorithm"] == "oracle"} == {1.0}
    assert {row["ap50"] for row in rows if row["algorithm"] == "bad"} == {0.0}
    bench("breakdown", run, "--by", "n_nuclei", "--csv")
    table = pd.read_csv(StringIO(capsys.readouterr().out), dtype={"bin": str})
    assert table.to_dict("records") == rows
    bench("breakdown", run, "--by", "n_nuclei")
    assert "pooled AP50" in capsys.readouterr().out


def test_numbers_are_whole(run, capsys):
    edge = 0.12345678901234566
    for form in ("--json", "--csv"):
        bench("breakdown", run, "--by", "n_nuclei", "--bins", f"{edge},1e6", form)
        assert str(edge) in capsys.readouterr().out


def test_by_a_property_of_objects(run, dataset, capsys):
    n_objects = (dataset.objects["sample"].isin(dataset.ids("test"))).sum()
    bench("breakdown", run, "--objects", "touching", "--json")
    rows = pd.DataFrame(json.loads(capsys.readouterr().out))
    assert rows.groupby("algorithm")["n"].sum().to_dict() == dict.fromkeys(
        ("oracle", "good", "bad"), n_objects
    )
    by_name = rows.groupby("algorithm")
    assert (by_name["matched"].min()["oracle"], by_name["missed"].min()["bad"]) == (1.0, 1.0)


def test_the_table_of_objects_adds_up_to_the_results(run):
    objects = pd.read_parquet(run / "objects.parquet")
    results = pd.read_parquet(run / "results.parquet")
    assert set(results["algorithm"]) == {"oracle", "good", "bad"}
    for row in results.to_dict("records"):
        of_image = (objects["algorithm"] == row["algorithm"]) & (objects["sample"] == row["sample"])
        for side in ("true", "pred"):
            counted = objects[of_image & (objects["side"] == side)]["kind"].value_counts()
            prefix = f"{side}_"
            expected = {name: n for name, n in row.items() if name.startswith(prefix) and n}
            assert {prefix + kind: n for kind, n in counted.items()} == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "by a factor or by a property"),
        (("--by", "snr", "--objects", "area"), "by a factor or by a property"),
        (("--by", "nonsense"), "no factor"),
        (("--objects", "outline"), "no property|holds a list"),
        (("--by", "n_nuclei", "--bins", "few"), "neither a number"),
        (("--by", "n_nuclei", "--bins", "0"), "makes no bins"),
        (("--by", "n_nuclei", "--bins", "1e6,1e7"), "no n_nuclei is in these bins"),
        (("--objects", "touching", "--side", "pred"), "touching is not known"),
        (("--by", "n_nuclei", "--json", "--csv"), "cannot both be printed"),
    ],
)
def test_wrong_questions_are_answered_clearly(run, arguments, message):
    with pytest.raises(BenchError, match=message):
        bench("breakdown", run, *arguments)


def test_a_folder_that_is_no_run_or_lacks_a_table_is_named(run, tmp_path):
    with pytest.raises(BenchError, match="no folder of a run"):
        bench("breakdown", tmp_path, "--by", "snr")
    (run / "objects.parquet").write_bytes(b"torn")
    with pytest.raises(BenchError, match="missing or cannot be read") as error:
        bench("breakdown", run, "--objects", "area")
    assert "objects.parquet" in str(error.value.where)


def test_a_run_of_another_scorer_is_to_be_scored_anew(run):
    path = run / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "scorer": "1"}))
    with pytest.raises(BenchError, match="scored by version 1") as error:
        bench("breakdown", run, "--by", "n_nuclei")
    assert "bench run" in str(error.value.mend)
