from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from generators.training.batches import Batches, chosen


@given(
    n=st.integers(1, 30), batch=st.integers(1, 40), seed=st.integers(0, 3), epochs=st.integers(1, 3)
)
def test_each_example_comes_once_an_epoch(n, batch, seed, epochs):
    steps = -(-n * epochs // batch)
    taken = np.concatenate([chosen(step, n, batch, seed) for step in range(steps)])
    assert len(taken) == steps * batch
    for epoch in range(epochs):
        assert sorted(taken[epoch * n : (epoch + 1) * n].tolist()) == list(range(n))


def test_epochs_and_seeds_have_orders_of_their_own():
    first, second = (chosen(step, 50, 50, seed=0) for step in (0, 1))
    assert first.tolist() != second.tolist()
    assert first.tolist() != chosen(0, 50, 50, seed=1).tolist()
    assert first.tolist() == chosen(0, 50, 50, seed=0).tolist()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_workers_do_not_change_what_is_read(workers):
    read = []

    def double(numbers):
        read.append(numbers.tolist())
        return numbers * 2

    batches = Batches(double, n=10, batch=4, seed=2, workers=workers)
    try:
        # A training may begin anywhere, and jump back.
        for step in (5, 6, 7, 0, 1):
            expected = 2 * chosen(step, 10, 4, 2)
            assert batches.at(step).tolist() == expected.tolist()
        if workers:
            assert len(read) >= 5
        else:
            assert len(read) == 5
    finally:
        batches.close()


def test_what_goes_wrong_in_a_thread_is_told():
    def fail(_numbers):
        raise OSError("the disk is gone")

    batches = Batches(fail, n=4, batch=2, workers=1)
    with pytest.raises(OSError, match="gone"):
        batches.at(0)
    batches.close()
