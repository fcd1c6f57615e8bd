from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.errors import BenchError
from benchmark.scoring.aggregate import POOLED_BY
from benchmark.scoring.breakdown import binned, by_covariate, by_factor, with_truth

SAMPLES = pd.DataFrame(
    {"id": list("abcd"), "snr": [1.0, 1.0, 9.0, np.nan], "kind": ["dim", "dim", "bright", "dim"]}
)


def images(*rows):
    """Results and scores of one algorithm: (sample, tp, fp, fn), the same at every threshold."""
    results, scores = [], []
    for sample, tp, fp, fn in rows:
        total = tp + fp + fn
        ap = tp / total if total else np.nan
        results.append(
            {
                "algorithm": "a",
                "model": "m",
                "sample": sample,
                **dict.fromkeys(("ap50", "ap75", "mean_ap", "f1_50", *POOLED_BY), ap),
                "n_true": tp + fn,
                "n_pred": tp + fp,
                "true_matched": tp,
            }
        )
        scores += [
            {
                "algorithm": "a",
                "model": "m",
                "sample": sample,
                "threshold": threshold,
                "tp": tp,
                "fp": fp,
                "fn": fn,
            }
            for threshold in (0.5, 0.75)
        ]
    return pd.DataFrame(results), pd.DataFrame(scores)


def test_figures_by_a_factor_of_few_values():
    results, scores = images(("a", 1, 0, 0), ("b", 0, 0, 9), ("c", 3, 1, 0), ("d", 5, 5, 5))
    table = by_factor(results, scores, SAMPLES, "snr")
    assert table["bin"].tolist() == ["1", "9"]  # d has no SNR
    assert table["n"].tolist() == [2, 1]
    assert table["ap50"].tolist() == [0.5, 0.75]
    assert table["pooled_ap50"].tolist() == [0.1, 0.75]
    assert table["pooled_mean_ap"].tolist() == [0.1, 0.75]
    assert table["pooled_pq"].tolist() == pytest.approx([2 / 11, 0.75])  # of 2 and 9 objects


def test_figures_by_a_factor_of_words_and_images_without_any_object():
    results, scores = images(("a", 1, 0, 1), ("b", 0, 0, 0), ("c", 1, 0, 0))
    table = by_factor(results, scores, SAMPLES, "kind").set_index("bin")
    assert table["n"].to_dict() == {"dim": 2, "bright": 1}
    assert table["n_empty"].to_dict() == {"dim": 1, "bright": 0}
    assert table["ap50"].to_dict() == {"dim": 0.5, "bright": 1.0}


def test_given_edges_leave_out_what_lies_outside():
    results, scores = images(("a", 1, 0, 0), ("b", 1, 0, 1), ("c", 3, 1, 0))
    table = by_factor(results, scores, SAMPLES, "snr", bins=[0, 1, 2])
    assert table[["bin", "low", "high", "n"]].to_numpy().tolist() == [["1 to 2", 1.0, 2.0, 2]]


def test_bins_hold_equally_many_and_the_largest_value():
    values = pd.Series(np.arange(20.0))
    bins = binned(values, 4)
    assert pd.Series(bins["bin"]).value_counts().tolist() == [5, 5, 5, 5]
    assert bins["high"].iloc[-1] == 19
    assert binned(pd.Series(np.arange(20.0)), None)["bin"].nunique() == 5


@pytest.mark.parametrize("bins", [0, -1, [1.0], [np.nan, 2.0], []])
def test_bins_that_are_none_are_refused(bins):
    with pytest.raises(BenchError, match="makes no bins"):
        binned(pd.Series(np.arange(20.0)), bins)


def test_words_have_no_bins_and_unknown_names_get_the_nearest():
    with pytest.raises(BenchError, match="no number"):
        binned(SAMPLES["kind"], 3)
    results, scores = images(("a", 1, 0, 0))
    with pytest.raises(BenchError, match="snrr") as error:
        by_factor(results, scores, SAMPLES, "snrr")
    assert "'snr'" in str(error.value.mend)


def test_bins_that_hold_nothing_say_where_the_values_are():
    results, scores = images(("a", 1, 0, 0), ("c", 1, 0, 0))
    with pytest.raises(BenchError, match="no snr is in these bins: all are from 1 to 9"):
        by_factor(results, scores, SAMPLES, "snr", bins=[20, 30])
    with pytest.raises(BenchError, match="snr is not known of any"):
        by_factor(*images(("d", 1, 0, 0)), SAMPLES, "snr")
    with pytest.raises(BenchError, match="no area is in these bins"):
        by_covariate(OBJECTS, "area", bins=[20, 30], side="pred")


def test_messages_name_the_factor_and_every_column_is_one():
    results, scores = images(("a", 1, 0, 0), ("c", 1, 0, 0))
    with pytest.raises(BenchError, match="kind is no number"):
        by_factor(results, scores, SAMPLES, "kind", bins=2)
    assert by_factor(results, scores, SAMPLES, "id")["bin"].tolist() == ["a", "c"]


OBJECTS = pd.DataFrame(
    {
        "algorithm": "a",
        "model": "m",
        "sample": "s",
        "side": ["true"] * 4 + ["pred"] * 2,
        "label": np.array([1, 2, 3, 4, 1, 2], np.uint64),
        "area": [10, 20, 30, 40, 10, 90],
        "kind": ["matched", "missed", "merged", "matched", "matched", "spurious"],
        "iou": [0.5, 0.0, 0.0, 1.0, 0.5, 0.0],
        "boundary_mean": [2.0, np.nan, np.nan, 0.0, 2.0, np.nan],
        "boundary_bias": [-1.0, np.nan, np.nan, 0.0, -1.0, np.nan],
    }
)


def test_what_became_of_objects_by_their_size():
    table = by_covariate(OBJECTS, "area", bins=[0, 25, 50])
    assert table["n"].tolist() == [2, 2]
    assert table["matched"].tolist() == [0.5, 0.5]
    assert table["missed"].tolist() == [0.5, 0.0]
    assert table["merged"].tolist() == [0.0, 0.5]
    assert table["iou"].tolist() == [0.5, 1.0]  # of those matched
    assert table["boundary_bias"].tolist() == [-1.0, 0.0]
    kinds = ["matched", "missed", "split", "merged", "catastrophe"]
    assert table[kinds].sum(axis=1).tolist() == [1.0, 1.0]


def test_predictions_by_their_size():
    table = by_covariate(OBJECTS, "area", side="pred", bins=[0, 50, 100])
    assert table["matched"].tolist() == [1.0, 0.0]
    assert table["spurious"].tolist() == [0.0, 1.0]


def test_what_the_data_set_knows_is_joined_by_sample_and_label():
    truth = pd.DataFrame(
        {
            "sample": ["s", "s", "other"],
            "target": ["nuclei", "nuclei", "nuclei"],
            "label": [2, 3, 2],
            "area": [20, 30, 7],
            "snr": [5.0, 8.0, 1.0],
        }
    )
    joined = with_truth(OBJECTS, truth, "nuclei")
    assert len(joined) == len(OBJECTS)
    np.testing.assert_equal(joined["snr"].tolist(), [np.nan, 5.0, 8.0, np.nan, np.nan, np.nan])
    table = by_covariate(joined, "snr")
    assert table[["bin", "missed", "merged"]].to_numpy().tolist() == [["5", 1, 0], ["8", 0, 1]]
