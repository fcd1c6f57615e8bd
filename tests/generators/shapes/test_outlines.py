"""The learned outlines: what was fitted comes back, and the shipped model is that of the code."""

from __future__ import annotations

import numpy as np
import pytest

from generators.shapes.fourier import analysed
from generators.shapes.geometry import moments, stacked
from generators.shapes.outlines import (
    COMPONENTS,
    HARMONICS,
    SHIPPED,
    OutlineModel,
    OutlineSource,
    variables,
)


def test_the_shipped_model_is_as_large_as_the_code_would_fit_it():
    model = OutlineModel.load(SHIPPED)
    assert model.mean.shape == (4 * HARMONICS - 2,)
    assert model.mixture.weights.shape == (COMPONENTS,)
    assert SHIPPED.stat().st_size < 400_000


def test_the_shipped_outlines_hardly_ever_cross_themselves():
    assert OutlineSource().crossing(1000, np.random.default_rng(0)) < 0.01


@pytest.fixture(scope="module")
def source(nuclei):
    return OutlineSource(OutlineModel.fit(nuclei, np.random.default_rng(0), components=3))


def test_what_was_fitted_comes_back(source, nuclei):
    made = stacked(source.sample(1500, np.random.default_rng(1)))
    ours, theirs = moments(made), moments(nuclei)
    quantiles = [0.1, 0.5, 0.9]
    for name, tolerance in (("diameter", 0.05), ("elongation", 0.1)):
        expected = np.quantile(getattr(theirs, name), quantiles)
        assert np.quantile(getattr(ours, name), quantiles) == pytest.approx(expected, rel=tolerance)
    amplitude, real = (np.abs(analysed(stack, 6))[:, 2:].mean(axis=0) for stack in (made, nuclei))
    assert amplitude == pytest.approx(real, rel=0.25)


def test_mirror_images_are_as_likely(source):
    rows = variables(stacked(source.sample(1500, np.random.default_rng(2))), 3)[:1500]
    # The first imaginary parts tell an outline from its mirror image.
    imaginary = rows[:, 2 + 4 :]
    assert np.abs(imaginary.mean(axis=0) / imaginary.std(axis=0)).max() < 0.12


def test_a_model_is_the_same_after_saving(source, tmp_path):
    source.model.save(tmp_path / "model.npz")
    again = OutlineSource(OutlineModel.load(tmp_path / "model.npz"))
    one, same = (s.sample(20, np.random.default_rng(3)) for s in (source, again))
    # Factors are kept in half precision: three digits.
    assert np.array(same) == pytest.approx(np.array(one), abs=0.02)


def test_the_same_state_gives_the_same_model(nuclei):
    one, same = (OutlineModel.fit(nuclei, np.random.default_rng(5), components=2) for _ in "ab")
    assert (one.mixture.factors == same.mixture.factors).all()
