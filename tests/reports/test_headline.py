from __future__ import annotations

from typing import get_args

import pytest

from adapters.adapter import Track
from benchmark.leaderboard import TRACKS as TRACKS_OF_LEADERBOARD
from reports.headline import TRACKS, headlines, rank_text
from reports.run_folder import Row
from reports.run_folder import Track as TrackOfRun

TO = "\N{EN DASH}"


def row(name, mean_ap, rank, track="same-data"):
    fields = {
        "algorithm": name,
        "model": "m",
        "track": track,
        "status": "ok" if mean_ap is not None else "failed",
        "n": 3,
        "n_ok": 3,
        "n_empty": 0,
        "rank": rank,
        "mean_ap": mean_ap,
    }
    return Row(**{**dict.fromkeys(Row.model_fields), **fields})


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            [row("a", 0.6, (1, 1)), row("b", 0.5, (2, 2))],
            "Trained on the same data, a:m ranks first of 2, with a mean AP of 0.600.",
        ),
        (
            [row("a", 0.6, (1, 2)), row("b", 0.5, (1, 2)), row("c", 0.1, (3, 3))],
            f"Trained on the same data, a:m and b:m cannot be told apart (ranks 1{TO}2 each).",
        ),
        (
            [row("a", 0.6, (1, 2)), row("b", 0.5, (1, 3)), row("c", 0.4, (1, 3))],
            (
                "Trained on the same data, a:m, b:m and c:m cannot be told apart "
                f"(ranks 1{TO}2, 1{TO}3 and 1{TO}3)."
            ),
        ),
        (
            [row("a", 1.0, (1, 1)), row("b", 1.0, (1, 1))],
            "Trained on the same data, a:m and b:m share first of 2, with a mean AP of 1.000.",
        ),
        (
            [row("a", 0.6, (1, 2)), row("b", 0.5, (2, 2))],
            f"Trained on the same data, a:m leads 2 with a mean AP of 0.600, rank 1{TO}2.",
        ),
        (
            [row("a", 0.6, None, "classical")],
            "Among classical methods, a:m has a mean AP of 0.600 and no rival here.",
        ),
    ],
)
def test_says_who_leads(rows, sentence):
    assert headlines(rows) == [sentence]


def test_tracks_are_told_apart_and_controls_left_out():
    rows = [
        row("a", 0.6, None),
        row("b", None, None),
        row("c", 0.7, None, "as-published"),
        row("d", 0.8, None, "own"),
        row("oracle", 1.0, None, "control"),
    ]
    first, second, third = headlines(rows)
    assert first.startswith("Trained on the same data, a:m has")
    assert second.startswith("As published, c:m has")
    assert third.startswith("Among your own, d:m has")


def test_every_track_of_an_adapter_has_a_place():
    tracks = get_args(Track)
    assert sorted(tracks) == sorted(TRACKS_OF_LEADERBOARD) == sorted(get_args(TrackOfRun))
    assert list(TRACKS) == list(TRACKS_OF_LEADERBOARD)


def test_nothing_worked():
    assert headlines([row("a", None, None)]) == ["No segmenter produced a result."]
    assert headlines([]) == ["No segmenter produced a result."]


def test_rank_text():
    assert [rank_text(rank) for rank in [(3, 3), (1, 12), None]] == ["3", f"1{TO}12", ""]
