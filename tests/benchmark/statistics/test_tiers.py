from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchError
from benchmark.statistics import compare_all, tiers


def as_lists(table):
    return table.tier.tolist(), table.rank_low.tolist(), table.rank_high.tolist()


def noisy(means, *, noise, n_scenes=20, seed=0):
    """Return figures of these means exactly, in scenes that differ by far more."""
    generator = np.random.default_rng(seed)
    added = generator.normal(0, 1, (len(means), n_scenes)) * np.reshape(noise, (-1, 1))
    added -= added.mean(axis=1, keepdims=True)
    return np.reshape(means, (-1, 1)) + added + generator.uniform(0, 5, n_scenes)


def test_all_are_told_apart():
    assert as_lists(tiers(noisy([3, 1, 2], noise=[0.1] * 3), range(20))) == (
        [1, 3, 2],
        [1, 3, 2],
        [1, 3, 2],
    )


def test_none_is_told_apart():
    assert as_lists(tiers(noisy([1.02, 1.01, 1], noise=[0.5] * 3), range(20))) == (
        [1, 1, 1],
        [1, 1, 1],
        [3, 3, 3],
    )


def test_a_chain_is_cut_at_what_the_best_is_better_than():
    """Neighbours cannot be told apart, the ends can: the second tier begins with the last."""
    values = noisy([1.3, 1.0, 0.7], noise=[0.5] * 3, seed=3)
    found = {(c.a, c.b) for c in compare_all(values, range(20)) if c.p_holm <= 0.05}
    assert found == {(0, 2)}
    assert as_lists(tiers(values, range(20))) == ([1, 1, 2], [1, 1, 2], [2, 3, 3])


def test_nobody_is_put_down_for_lack_of_evidence():
    """The last has the smallest mean, but varies so much that it may be the best."""
    values = noisy([1.0, 0.9, 0.8], noise=[0.01, 0.01, 2])
    assert as_lists(tiers(values, range(20))) == ([1, 2, 1], [1, 2, 1], [2, 3, 3])


def test_equals_share_a_tier():
    same = np.random.default_rng(1).uniform(size=25)
    table = tiers([same, same, same - 0.1], range(25))
    assert as_lists(table) == ([1, 1, 2], [1, 1, 3], [2, 2, 3])


def test_an_algorithm_without_a_figure_is_last():
    nothing = [np.nan] * 20
    values = np.vstack([nothing, noisy([2, 1], noise=[0.1] * 2), nothing])
    assert as_lists(tiers(values, range(20))) == ([3, 1, 2, 3], [3, 1, 2, 3], [3, 1, 2, 3])


def test_few_scenes_tell_nothing_apart():
    """Five scenes have no p value below 1/16."""
    values = noisy([9, 1], noise=[0.1] * 2, n_scenes=5)
    assert as_lists(tiers(values, range(5))) == ([1, 1], [1, 1], [2, 2])
    assert as_lists(tiers(values, ["a"] * 5)) == ([1, 1], [1, 1], [2, 2])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(6, 14), st.integers(0, 2**32))
def test_tiers_and_ranks_follow_from_the_tests(n_algorithms, n_scenes, seed):
    generator = np.random.default_rng(seed)
    values = generator.normal(0, 1, (n_algorithms, n_scenes)) * generator.uniform(
        0.1, 1, (n_algorithms, 1)
    ) + generator.uniform(0, 2, (n_algorithms, 1))
    table = tiers(values, range(n_scenes))
    rank = 1 + (values.mean(axis=1)[None] > values.mean(axis=1)[:, None]).sum(axis=1)
    assert (table.rank_low <= rank).all()
    assert (rank <= table.rank_high).all()
    assert (table.tier <= table.rank_low).all()
    assert set(table.tier) == set(range(1, table.tier.max() + 1))
    better = {
        (c.a, c.b) if c.test.difference > 0 else (c.b, c.a)
        for c in compare_all(values, range(n_scenes))
        if c.p_holm <= 0.05
    }
    best = {t: min(np.flatnonzero(table.tier == t), key=rank.__getitem__) for t in table.tier}
    for row, own in enumerate(table.tier):
        assert all((best[t], row) in better for t in range(1, own))
        assert (best[own], row) not in better


def test_order_of_rows_and_of_images():
    values = noisy([3, 1, 1.1, 2, 2], noise=[0.4] * 5, seed=5)
    scenes, generator = np.arange(20) % 10, np.random.default_rng(6)
    table = tiers(values, scenes)
    rows, images = generator.permutation(5), generator.permutation(20)
    mixed = tiers(values[rows][:, images], scenes[images])
    for name in ("tier", "rank_low", "rank_high"):
        assert (getattr(mixed, name) == getattr(table, name)[rows]).all()


def test_a_stricter_level_tells_fewer_apart():
    values = noisy([1.3, 1.0, 0.7], noise=[0.5] * 3, seed=3)
    assert tiers(values, range(20), level=0.999).tier.tolist() == [1, 1, 1]
    with pytest.raises(BenchError, match="no level"):
        tiers(values, range(20), level=2)


def test_no_algorithm_no_tier():
    assert tiers(np.empty((0, 3)), range(3)).tier.tolist() == []
