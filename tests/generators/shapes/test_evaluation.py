"""The table: what is real passes, what is not does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from generators.shapes.ellipse import EllipseSource
from generators.shapes.evaluation import SAMPLES, Judge, drawn, evaluate
from generators.shapes.geometry import moments
from generators.shapes.parametric import ParametricSource
from generators.shapes.pca import PcaSource


@pytest.fixture(scope="module")
def judge(nuclei):
    return Judge(nuclei[:200], nuclei[200:], np.random.default_rng(0), samples=150)


def test_the_training_shapes_are_copies_of_themselves(judge, nuclei):
    found = judge.figures(nuclei[:150])
    assert found.copies == found.smooth_copies == 1
    # Two hundred shapes of one source: within the noise of a Kolmogorov-Smirnov distance.
    assert max(found.ks.values()) < 0.16
    assert found.valid > 0.95
    assert 0.03 < found.dented < 0.2
    assert 0.3 < found.auc < 0.7


def test_copies_of_others_can_be_asked_for(judge, nuclei):
    assert judge.figures(nuclei[:150], copies_of=nuclei[200:300]).copies < 0.3


def test_ellipses_are_found_out(judge):
    found = judge.figures(drawn(EllipseSource(), 150, np.random.default_rng(0)))
    assert found.valid == 1
    assert found.dented == 0
    assert found.ks["smooth_solidity"] > 0.3
    assert found.twins > 0.5
    assert found.coverage < 0.5
    assert found.auc > 0.8


def test_distances_are_those_of_scipy(judge, nuclei):
    found = judge.figures(nuclei[:150] * 1.2)
    size = judge.real.area
    larger = moments(nuclei[:150] * 1.2).area * 28**2
    valid = found.valid * 150
    assert found.ks["area"] == pytest.approx(stats.ks_2samp(larger, size).statistic, abs=0.05)
    assert found.wasserstein["area"] == pytest.approx(
        stats.wasserstein_distance(larger, size) / size.std(), abs=0.15
    )
    assert valid == pytest.approx(round(valid))


def test_samples_are_scaled_to_their_own_median():
    stack = drawn(EllipseSource(), 99, np.random.default_rng(0))
    assert np.median(moments(stack).diameter) == pytest.approx(1)


def test_principal_components_give_back_smoothed_shapes(nuclei):
    source = PcaSource(nuclei, 12)
    assert source.name == "pca-12"
    stack = drawn(source, 60, np.random.default_rng(0))
    ours, theirs = moments(stack), moments(nuclei)
    assert np.median(ours.elongation) == pytest.approx(np.median(theirs.elongation), rel=0.1)
    sized = source.sample(5, np.random.default_rng(0), size=2.0)
    assert moments(np.array([o[:40] for o in sized])).area.min() > 0


def test_there_are_figures_of_each_source_and_of_real_shapes(nuclei):
    stacks = {
        source.name: drawn(source, 60, np.random.default_rng(0))
        for source in (EllipseSource(), ParametricSource())
    }
    found = evaluate(stacks, nuclei[:200], nuclei[200:], samples=60)
    assert list(found) == ["real", "ellipse", "parametric"]
    assert [figures.n for figures in found.values()] == [60, 60, 60]
    row = found["ellipse"].row()
    assert {"ks_smooth_solidity", "w1_area", "twins", "auc"} <= set(row)
    assert all(isinstance(value, int | float) for value in row.values())
    assert found["real"].auc < row["auc"]


@pytest.mark.slow
def test_the_shipped_outlines_are_as_real_as_the_card_says(shared_data, tmp_path):
    from benchmark.dataset import open_any
    from generators.shapes.selection import real_stacks, stack_of

    data = [open_any(shared_data / n, cache=tmp_path) for n in ("bbbc039", "dsb2018_fluo")]
    training, held_back = real_stacks(data, "train", "val")
    name, stack = stack_of("outlines", training, held_back, SAMPLES, 0)
    found = evaluate({name: stack}, training, held_back)
    outlines, real = found["outlines"], found["real"]
    assert outlines.n == SAMPLES
    assert outlines.valid >= 0.99
    assert outlines.ks["smooth_solidity"] <= 0.04
    assert outlines.twins <= 0.01
    assert outlines.smooth_copies <= real.smooth_copies
