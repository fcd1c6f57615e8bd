"""The learned outlines: what was fitted comes back, and the shipped model is that of the code."""

from __future__ import annotations

import numpy as np
import pytest

from generators.shapes.fourier import analysed
from generators.shapes.geometry import moments, normals, stacked
from generators.shapes.outlines import (
    COMPONENTS,
    FINE,
    HARMONICS,
    SHIPPED,
    OutlineModel,
    OutlineSource,
    roughened,
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


def test_what_the_harmonics_leave_out_is_drawn_anew_and_finer(nuclei):
    rng = np.random.default_rng(4)
    count = nuclei.shape[1]
    stairs = 0.01 * np.sqrt(2) * np.cos(60 * 2 * np.pi * np.arange(count) / count)
    stepped = nuclei + stairs[:, None] * normals(nuclei)
    model = OutlineModel.fit(stepped, rng, components=1)
    assert model.roughness == pytest.approx(0.01, rel=0.05)
    moved = roughened(nuclei, np.full(len(nuclei), 0.02), rng) - nuclei
    across = np.sum(moved * normals(nuclei), axis=2)
    assert np.sqrt(np.mean(across**2)) == pytest.approx(0.02, rel=0.02)
    power = np.mean(np.abs(np.fft.rfft(across, axis=1)) ** 2, axis=0)
    first, last = FINE
    assert power[first : last + 1].sum() == pytest.approx(power.sum(), rel=1e-9)


@pytest.mark.slow
def test_shipped_outlines_are_copies_no_more_than_real_ones(shared_data, tmp_path):
    from benchmark.dataset import open_any
    from generators.shapes.evaluation import SAMPLES, evaluate
    from generators.shapes.selection import real_stacks, stack_of

    data = [open_any(shared_data / n, cache=tmp_path) for n in ("bbbc039", "dsb2018_fluo")]
    training, held_back = real_stacks(data, "train", "val")
    name, stack = stack_of("outlines", training, held_back, SAMPLES, 0)
    figures = evaluate({name: stack}, training, held_back)
    found, real = figures[name], figures["real"]
    assert found.ks["smooth_solidity"] <= 0.04
    assert found.twins <= 0.01
    assert found.copies <= real.copies
    assert found.smooth_copies <= real.smooth_copies
