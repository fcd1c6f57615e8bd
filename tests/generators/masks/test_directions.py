from __future__ import annotations

import numpy as np
import pytest

from generators.masks.directions import directions, regressed


@pytest.fixture
def population():
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(6, 6))
    w = rng.normal(size=(4000, 6)) @ mix.T
    truth = rng.normal(size=(6, 2))
    return w, w @ truth + 0.1 * rng.normal(size=(4000, 2)), truth


def test_a_linear_measurement_is_found(population):
    w, y, truth = population
    told = w @ regressed(w, y + 5)
    assert np.std(told - w @ truth, axis=0).max() < 0.02 * np.std(y, axis=0).min()


def test_what_hangs_on_nothing_is_shrunk_away():
    rng = np.random.default_rng(0)
    w, noise = rng.normal(size=(60, 30)), rng.normal(size=(60, 1))
    free = np.linalg.lstsq(w, noise, rcond=None)[0]
    assert np.linalg.norm(regressed(w, noise)) < 0.3 * np.linalg.norm(free)


def test_a_step_changes_its_own_score_alone(population):
    w, _, readers = population
    found = directions(readers, np.cov(w.T))
    np.testing.assert_allclose(readers.T @ found, np.eye(2), atol=1e-9)


def test_no_other_such_step_is_less_unusual(population):
    w, _, readers = population
    spread = np.cov(w.T)
    inverse = np.linalg.inv(spread)
    best = directions(readers, spread)[:, 0]
    free = np.linalg.svd(readers.T)[2][2:].T  # changes of w that change no score
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = best + free @ rng.normal(size=4)
        assert other @ inverse @ other > best @ inverse @ best
