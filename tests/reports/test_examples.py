from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from benchmark.dataset import Dataset
from reports.examples import examples_of, open_dataset
from reports.run_folder import read_run


def examples(folder, name="cellpose:cellgen"):
    run = read_run(folder)
    [row] = [row for row in run.rows if row.name == name]
    return examples_of(run, row, Dataset.open(run.plan.dataset.path))


def test_best_median_and_worst(run):
    found = examples(run)
    assert [example.place for example in found] == ["best", "median", "worst"]
    table = pd.read_parquet(run / "results.parquet")
    table = table[(table["algorithm"] == "cellpose") & (table["model"] == "cellgen")]
    scores = sorted(table["mean_ap"], reverse=True)
    assert [example.mean_ap for example in found] == [scores[0], scores[3], scores[-1]]
    for example in found:
        assert example.overlay.truth
        assert example.problem is None
        row = table.set_index("sample").loc[example.sample]
        assert (example.ap50, example.n_true) == (row["ap50"], row["n_true"])


@pytest.mark.parametrize(
    ("n", "places"),
    [
        (1, ["only image"]),
        (2, ["best", "worst"]),
        (3, ["best", "median", "worst"]),
    ],
)
def test_no_image_is_shown_twice(make_run, n, places):
    found = examples(make_run(n=n))
    assert [example.place for example in found] == places
    assert len({example.sample for example in found}) == n


def test_failed_images_are_no_examples(make_run):
    assert examples(make_run({"a:b": ("same-data", "A", None)}, n=2), "a:b") == []


def test_images_without_any_object_are_no_examples(make_run):
    segmenters = {"oracle:truth": ("control", "Oracle", np.copy)}
    assert examples(make_run(segmenters, count=0), "oracle:truth") == []


def test_a_lost_prediction_is_said_and_the_others_are_shown(run):
    found = examples(run)
    plan = json.loads((run / "run.json").read_text())
    (run / "predictions" / plan["algorithms"][0]["key"] / f"{found[0].sample}.tif").unlink()
    again = examples(run)
    assert again[0].overlay is None
    assert "cannot be read" in again[0].problem
    assert again[1].overlay is not None


def test_a_path_that_leads_out_is_not_followed(run, tmp_path):
    secret = tmp_path / "secret.tif"
    table = pd.read_parquet(run / "results.parquet")
    shutil.copy(run / table["prediction"].dropna().iloc[0], secret)
    table["prediction"] = "../secret.tif"
    table.to_parquet(run / "results.parquet")
    for example in examples(run):
        assert example.overlay is None
        assert "leads out" in example.problem


def test_a_data_set_that_is_gone_or_another_one_is_said(run):
    described = read_run(run).plan.dataset
    assert isinstance(open_dataset(described), Dataset)
    changed = described.model_copy(update={"digest": "0" * 64})
    assert "has changed" in open_dataset(changed)
    moved = described.model_copy(update={"path": described.path + "-gone"})
    assert "no longer" in open_dataset(moved)
    assert "no longer" in open_dataset(described.model_copy(update={"path": None}))
    broken = described.model_copy(update={"path": str(run)})
    assert "cannot be opened" in open_dataset(broken)
