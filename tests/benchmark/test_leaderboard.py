from __future__ import annotations

import json

import pandas as pd
import pytest

from benchmark.leaderboard import leaderboard, to_csv, to_json
from benchmark.run.results import RESULTS_TYPES, SCORES_TYPES

DATASET = {"name": "toy", "version": "1.0.0", "digest": "0" * 64, "split": "test", "n": 4}
NAN = float("nan")


def results(algorithm, mean_ap, *, track="same-data", model="m", status=None, start=0):
    """Rows of one algorithm on as many images; the image at `start` was a cold one."""
    status = status or ["ok"] * len(mean_ap)
    return [
        {
            "algorithm": algorithm,
            "model": model,
            "track": track,
            "sample": f"s{i}",
            "scene": f"scene{i}",
            "split": "test",
            "status": status[i],
            "message": None if status[i] == "ok" else f"reason {i}",
            "seconds": 1.0 + i if status[i] == "ok" else NAN,
            "start_seconds": 10.0 if i == start else NAN,
            "peak_mb": 100.0 + i,
            **dict.fromkeys(
                [name for name, kind in RESULTS_TYPES.items() if kind == "float64"][3:], value
            ),
            **dict.fromkeys([name for name, kind in RESULTS_TYPES.items() if kind == "int64"], 1),
        }
        for i, value in enumerate(mean_ap)
    ]


def scores(algorithm, counts, model="m"):
    """Rows of one algorithm: (tp, fp, fn) an image, the same at both thresholds."""
    return [
        {
            "algorithm": algorithm,
            "model": model,
            "sample": f"s{i}",
            "threshold": threshold,
            "tp": tp,
            "fp": fp,
            "fn": fn,
        }
        for i, (tp, fp, fn) in enumerate(counts)
        for threshold in (0.5, 0.75)
    ]


def make(result_rows, score_rows):
    table = pd.DataFrame(result_rows, columns=list(RESULTS_TYPES)).astype(RESULTS_TYPES)
    counts = pd.DataFrame(score_rows, columns=list(SCORES_TYPES)).astype(SCORES_TYPES)
    return leaderboard(DATASET, table, counts)


def one(mean_ap, counts, **options):
    (row,) = make(results("a", mean_ap, **options), scores("a", counts))["rows"]
    return row


def test_mean_over_images_and_pooled_over_objects_stand_side_by_side():
    row = one([1.0, 0.0], [(1, 0, 0), (0, 0, 9)])
    assert row["ap50"] == 0.5
    expected = {"ap50": 0.1, "ap75": 0.1, "mean_ap": 0.1, "f1_50": 2 / 11}
    assert {name: row["pooled"][name] for name in expected} == pytest.approx(expected)
    assert row["pooled"]["pq"] == 0.5  # both images have two objects


def test_images_without_any_object_are_left_out_and_counted():
    row = one([0.5, NAN], [(1, 1, 0), (0, 0, 0)])
    assert (row["mean_ap"], row["n"], row["n_empty"]) == (0.5, 2, 1)


def test_cold_and_warm_seconds_are_told_apart():
    row = one([1.0] * 4, [(1, 0, 0)] * 4)
    assert row["seconds_warm"] == 3.0  # the median of 2, 3, 4
    assert row["seconds_cold"] == 11.0  # 10 to start and 1 for the first image
    assert row["peak_mb"] == 103.0


def test_a_failed_image_counts_as_no_detection():
    row = one([1.0, 0.0], [(1, 0, 0), (0, 0, 1)], status=["ok", "timeout"])
    assert (row["status"], row["n"], row["n_ok"], row["mean_ap"]) == ("partial", 2, 1, 0.5)
    assert row["reason"] == "timeout on 1 of 2: reason 1"


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_an_algorithm_that_did_nothing_has_no_figures(status):
    row = one([0.0, 0.0], [(0, 0, 1)] * 2, status=[status] * 2)
    assert row["status"] == status
    assert row["mean_ap"] is None
    assert row["pooled"] is None
    assert row["seconds_warm"] is None


def test_ranks_stay_within_a_track_and_spare_controls_and_the_lonely():
    counts = [(1, 0, 0)] * 8
    rows = [
        *results("good", [0.9, 0.8] * 4),
        *results("bad", [0.1, 0.2] * 4),
        *results("foreign", [1.0] * 8, track="as-published"),
        *results("oracle", [1.0] * 8, track="control"),
        *results("empty", [0.0] * 8, track="control"),
    ]
    names = ["good", "bad", "foreign", "oracle", "empty"]
    board = make(rows, [row for name in names for row in scores(name, counts)])
    assert [(row["algorithm"], row["rank"], row["tier"]) for row in board["rows"]] == [
        ("good", [1, 1], 1),
        ("bad", [2, 2], 2),
        ("foreign", None, None),
        ("oracle", None, None),
        ("empty", None, None),
    ]


def test_four_images_cannot_tell_two_algorithms_apart():
    rows = [*results("good", [0.9, 0.8, 0.9, 0.8]), *results("bad", [0.1, 0.2, 0.1, 0.2])]
    board = make(rows, scores("good", [(1, 0, 0)] * 4) + scores("bad", [(1, 0, 0)] * 4))
    assert [(row["rank"], row["tier"]) for row in board["rows"]] == [([1, 2], 1), ([1, 2], 1)]


def test_equals_share_their_ranks():
    rows = [*results("a", [0.5, 0.1, 0.9, 0.3]), *results("b", [0.1, 0.5, 0.3, 0.9])]
    board = make(rows, scores("a", [(1, 0, 0)] * 4) + scores("b", [(1, 0, 0)] * 4))
    assert [row["rank"] for row in board["rows"]] == [[1, 2], [1, 2]]


def test_files_hold_plain_numbers():
    board = make(
        [*results("a", [NAN] * 2), *results("=cmd()", [0.5] * 2)],
        scores("a", [(0, 0, 0)] * 2) + scores("=cmd()", [(1, 0, 0)] * 2),
    )
    read = json.loads(to_json(board))
    assert read == board
    assert {row["algorithm"]: row["mean_ap"] for row in read["rows"]} == {"a": None, "=cmd()": 0.5}
    lines = to_csv(board["rows"]).decode().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("algorithm,model,track,status")
    assert lines[0].endswith("rank_low,rank_high")
