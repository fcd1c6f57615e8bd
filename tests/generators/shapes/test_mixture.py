"""Mixtures: densities against scipy, conditioning against the closed form, fits against truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from generators.shapes.mixture import Mixture, fitted


@pytest.fixture
def mixture():
    factors = np.array([[[1, 0, 0], [0.5, 1, 0], [0.2, -0.7, 0.5]], 0.4 * np.eye(3)])
    return Mixture(np.array([0.7, 0.3]), np.array([[0.0, 0, 0], [4, 4, -4]]), factors)


def test_densities_are_those_of_scipy(mixture):
    x = np.random.default_rng(0).standard_normal((50, 3))
    parts = zip(mixture.weights, mixture.means, mixture.factors, strict=True)
    theirs = sum(w * stats.multivariate_normal(m, f @ f.T).pdf(x) for w, m, f in parts)
    assert special.logsumexp(mixture.log_densities(x), axis=1) == pytest.approx(np.log(theirs))


def test_samples_have_the_mixture_s_moments(mixture):
    x = mixture.sample(40_000, np.random.default_rng(0))
    assert x.mean(axis=0) == pytest.approx([1.2, 1.2, -1.2], abs=0.05)
    within = sum(
        w * (f @ f.T + np.outer(m, m))
        for w, m, f in zip(mixture.weights, mixture.means, mixture.factors, strict=True)
    )
    assert np.cov(x.T) == pytest.approx(
        within - np.outer([1.2, 1.2, -1.2], [1.2, 1.2, -1.2]), abs=0.1
    )


def test_a_known_variable_chooses_the_component_and_shifts_the_others(mixture):
    known = np.full((20_000, 1), 0.6)
    x = mixture.sample(20_000, np.random.default_rng(0), [1], known)
    assert (x[:, 1] == 0.6).all()
    # Of one Gaussian, E[x0 | x1] = Σ01 / Σ11 · x1; the other component lies 8.5 deviations off.
    covariance = mixture.factors[0] @ mixture.factors[0].T
    expected = covariance[[0, 2], 1] / covariance[1, 1] * 0.6
    assert x[:, [0, 2]].mean(axis=0) == pytest.approx(expected, abs=0.03)
    left = covariance[0, 0] - covariance[0, 1] ** 2 / covariance[1, 1]
    assert x[:, 0].var() == pytest.approx(left, rel=0.05)


def test_a_fit_finds_what_was_drawn(mixture):
    x = mixture.sample(6000, np.random.default_rng(1))
    found = fitted(x, 2, np.random.default_rng(0), prior=0.0)
    order = np.argsort(found.means[:, 0])
    assert found.weights[order] == pytest.approx([0.7, 0.3], abs=0.02)
    assert found.means[order] == pytest.approx(mixture.means, abs=0.1)


def test_a_component_stands_for_its_images_as_well():
    # Two groups, mirror images of each other: one component holds both, tightly.
    rng = np.random.default_rng(0)
    side = rng.choice([-1.0, 1.0], 3000)
    x = np.column_stack([side * (3 + 0.5 * rng.standard_normal(3000)), rng.standard_normal(3000)])
    both = np.concatenate([x, x * [-1, 1]])
    found = fitted(both, 1, np.random.default_rng(0), images=2, prior=0.0)
    assert abs(found.means[0]) == pytest.approx([3, 0], abs=0.06)
    assert found.factors[0] @ found.factors[0].T == pytest.approx(np.diag([0.25, 1]), abs=0.06)


def test_the_prior_keeps_a_small_component_from_going_flat():
    rng = np.random.default_rng(0)
    few = 6 + rng.standard_normal((12, 4)) * [1, 1, 1, 1e-4]
    x = np.concatenate([rng.standard_normal((500, 4)), few])

    def thinnest(prior):
        found = fitted(x, 2, np.random.default_rng(3), prior=prior)
        return np.linalg.cond(found.factors[np.argmin(found.weights)])

    assert thinnest(0.0) > 1000
    assert thinnest(50.0) < 10
