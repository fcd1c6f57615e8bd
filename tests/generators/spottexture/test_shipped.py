"""The painter of spots that is shipped: true places, photons and widths, and not a Gaussian."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.seeds import Seed  # noqa: E402
from generators.spots import LEARNED  # noqa: E402
from generators.spottexture.files import load  # noqa: E402
from generators.spottexture.measures import alone  # noqa: E402
from generators.spottexture.painter import HOME, named  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", LEARNED)
def test_spots_are_true_and_look_real(name):
    painter = named(name)
    for kind, _ in enumerate(painter.kinds):
        made = alone(painter, kind, 1.3, Seed.root(11), count=25)
        assert np.abs(made.centroids - made.asked.positions).max() < 0.02
        away = np.hypot(*(made.found.positions - made.asked.positions).T)
        assert np.median(away) <= 0.1
        assert made.light == pytest.approx(np.full(len(made.light), 1000.0), rel=1e-3)
        assert np.median(made.found.sigmas) == pytest.approx(1.3, rel=0.1)
        # A Gaussian fitted to real spots leaves some 4.5 % of their peak.
        assert 0.02 < np.median(made.found.misfit) < 0.1


@pytest.mark.parametrize("name", LEARNED)
def test_the_file_is_small_and_says_where_it_comes_from(name):
    path = HOME / f"{name}.safetensors"
    assert path.stat().st_size < 1_000_000
    stored = load(path)
    assert {"command", "data digest", "spots", "options", "pictures"} <= set(stored.notes)
    assert {kind.name for kind in stored.kinds} == {"beads_300", "iss_rnd0_ch3_z0"}
