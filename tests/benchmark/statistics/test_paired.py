from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.errors import BenchError
from benchmark.statistics import compare_all, difference_interval, holm, paired_test
from benchmark.statistics.paired import enough_flips


def test_one_that_wins_everywhere():
    """Of 2^8 swaps only the one seen and its mirror image are as extreme."""
    test = paired_test(np.linspace(0.5, 0.9, 8), np.linspace(0.3, 0.6, 8), range(8))
    assert test.difference == pytest.approx(0.25)
    assert test.p_value == 2 / 256
    assert test.n_scenes == 8
    assert test.low < test.difference < test.high


def test_the_interval_is_that_of_the_difference():
    a, b = np.random.default_rng(0).uniform(size=(2, 15))
    test = paired_test(a, b, range(15), seed=3, draws=500, level=0.9)
    interval = difference_interval(a, b, range(15), seed=3, draws=500, level=0.9)
    assert (test.low, test.high) == interval


def test_equals_do_not_differ():
    same = np.random.default_rng(1).uniform(size=40)
    test = paired_test(same, same, range(40))
    assert (test.difference, test.low, test.high, test.p_value) == (0, 0, 0, 1)


def test_one_scene_tells_nothing():
    test = paired_test([0.9, 0.8], [0.1, 0.2], ["a", "a"])
    assert test.difference == pytest.approx(0.7)
    assert np.isnan([test.low, test.high]).all()
    assert (test.p_value, test.n_scenes) == (1, 1)


def test_nothing_to_compare():
    test = paired_test([0.9, 0.8], [np.nan, np.nan], ["a", "b"])
    assert np.isnan([test.difference, test.low, test.high, test.p_value]).all()
    empty = paired_test([], [], [])
    assert np.isnan([empty.difference, empty.p_value]).all()
    assert empty.n_scenes == 0


def test_scenes_without_a_figure_do_not_count():
    test = paired_test([0.5, np.nan, 0.7], [np.nan, np.nan, 0.6], ["a", "b", "c"])
    assert test.n_scenes == 2


def test_all_pairs_in_the_order_of_the_rows():
    values = np.random.default_rng(2).uniform(size=(4, 9))
    table = compare_all(values, range(9), seed=5)
    assert [(c.a, c.b) for c in table] == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for comparison in table:
        a, b = values[comparison.a], values[comparison.b]
        alone = paired_test(a, b, range(9), seed=5)
        assert comparison.test.p_value == alone.p_value
        assert comparison.test.difference == pytest.approx(a.mean() - b.mean())
        assert (comparison.test.low, comparison.test.high) == (alone.low, alone.high)
    adjusted = [comparison.p_holm for comparison in table]
    assert adjusted == holm([comparison.test.p_value for comparison in table]).tolist()


def test_a_pair_alone_needs_no_adjustment():
    [only] = compare_all(np.random.default_rng(3).uniform(size=(2, 9)), range(9))
    assert only.p_holm == only.test.p_value
    assert compare_all([[0.5, 0.6]], ["a", "b"]) == []


def test_a_clear_winner_among_many_is_still_found():
    """With 10,000 swaps the least adjusted p value of 528 pairs would be above 0.05."""
    values = np.random.default_rng(4).normal(0, 0.01, (33, 20))
    values[0] += 1
    table = compare_all(values, range(20), draws=10)
    assert all(comparison.p_holm <= 0.05 for comparison in table if comparison.a == 0)
    assert enough_flips(len(table)) == 52_800


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.02, 0.03], [0.03, 0.04, 0.04]),  # .03 may not be below .04, which is before it
        ([0.04, 0.001], [0.04, 0.002]),
        ([0.5, 0.6, 0.7], [1, 1, 1]),
        ([0.02, 0.02], [0.04, 0.04]),
        ([np.nan, 0.02, np.nan, 0.01], [np.nan, 0.02, np.nan, 0.02]),
        ([np.nan], [np.nan]),
    ],
)
def test_holm_by_hand(raw, adjusted):
    assert holm(raw).tolist() == pytest.approx(adjusted, nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.5))
def test_holm_rejects_what_the_procedure_as_published_rejects(raw, level):
    rejected = set()
    for step, k in enumerate(sorted(range(len(raw)), key=raw.__getitem__)):
        if raw[k] * (len(raw) - step) > level:
            break
        rejected.add(k)
    adjusted = holm(raw)
    assert set(np.flatnonzero(adjusted <= level)) == rejected
    assert (adjusted >= raw).all()


@pytest.mark.parametrize("wrong", [[0.5, 1.1], [-0.1], [[0.1, 0.2]], 0.5])
def test_what_are_no_p_values_is_refused(wrong):
    with pytest.raises(ValueError, match="p values"):
        holm(wrong)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="do not go with 2 scenes"):
        paired_test([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], ["a", "b"])
    with pytest.raises(ValueError, match="inhomogeneous"):
        paired_test([0.1, 0.2, 0.3], [0.1, 0.2], ["a", "b", "c"])
    with pytest.raises(BenchError, match="no level"):
        paired_test([0.1], [0.2], ["a"], level=95)
    with pytest.raises(BenchError, match="0 draws"):
        paired_test([0.1], [0.2], ["a"], flips=0)


@pytest.mark.slow
def test_no_false_finding_in_most_data_sets():
    """Of data sets of six equal algorithms, at most 5 % may show any difference."""
    generator = np.random.default_rng(5)
    for n_scenes in (10, 30):
        found = 0
        for seed in range(200):
            values = generator.beta(2, 2, n_scenes) + generator.normal(0, 0.1, (6, n_scenes))
            table = compare_all(values, range(n_scenes), seed=seed, draws=1, flips=5000)
            found += any(comparison.p_holm <= 0.05 for comparison in table)
        assert found / 200 <= 0.09
