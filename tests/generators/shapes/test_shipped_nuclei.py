"""The shipped network of nuclei is what its model card says."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from generators.shapes.geometry import moments, stacked
from generators.shapes.learned import SHIPPED, LearnedSource
from generators.shapes.measures import measured

pytestmark = pytest.mark.skipif(not find_spec("torch"), reason="needs the extra `networks`")


def test_it_is_small_and_draws_whole_dented_shapes():
    assert SHIPPED.stat().st_size < 5_000_000
    source = LearnedSource()
    stack = stacked(source.sample(60, np.random.default_rng(0)))
    assert source.invalid / source.drawn <= 0.03
    found = measured(stack / np.median(moments(stack).diameter))
    assert found.valid.mean() >= 0.97
    # Of ellipses none is below, of real nuclei an eighth, of its own shapes a fifth.
    assert 0.05 < np.mean(found.smooth_solidity < 0.97) < 0.5


def test_its_pictures_move_with_their_input():
    from generators.stylegan.equivariance import equivariance
    from generators.stylegan.files import load_generator
    from generators.stylegan.generator import latents

    network = load_generator(SHIPPED)
    z = latents(list(range(8)), network.settings.z_dim)
    assert equivariance(network, z, "integer") >= 50


@pytest.mark.slow
def test_its_shapes_are_as_real_as_the_card_says(shared_data, tmp_path):
    from benchmark.dataset import open_any
    from generators.shapes.evaluation import SAMPLES, evaluate
    from generators.shapes.selection import real_stacks, stack_of

    data = [open_any(shared_data / n, cache=tmp_path) for n in ("bbbc039", "dsb2018_fluo")]
    training, held_back = real_stacks(data, "train", "val")
    name, stack = stack_of("stylegan3", training, held_back, SAMPLES, 0)
    found = evaluate({name: stack}, training, held_back)[name]
    assert found.valid >= 0.97
    assert found.ks["area"] <= 0.08
    assert found.ks["eccentricity"] <= 0.08
    assert found.ks["smooth_solidity"] <= 0.15
    assert found.dented >= 0.05
    assert found.twins <= 0.1
    assert found.copies <= 0.05
