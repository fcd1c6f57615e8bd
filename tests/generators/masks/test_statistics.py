from __future__ import annotations

import numpy as np
import pytest

from generators.masks.statistics import lines, of_outlines, of_pictures, quantiles


def test_quantiles_of_a_ramp():
    assert quantiles(np.arange(101)) == {"p05": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
    assert quantiles([]) == {}


def test_outlines_are_measured_in_their_own_unit():
    box = np.array([[0.0, 0.0], [0.0, 4.0], [2.0, 4.0], [2.0, 0.0]])
    found = of_outlines([box, 2 * box, 3 * box])
    assert found["objects"] == 3
    assert found["area"]["p50"] == pytest.approx(32, rel=1e-3)
    assert found["elongation"]["p50"] == pytest.approx(2, rel=1e-3)
    assert found["diameter"]["p50"] == pytest.approx(2 * np.sqrt(32 / np.pi), rel=1e-3)
    assert of_outlines([]) == {"objects": 0}


def test_foreground_is_what_exceeds_the_level():
    images = np.full((4, 1, 8, 8), -1, np.float32)
    images[:2, :, :4] = 0.5
    found = of_pictures(images, 0.0)
    assert found["count"] == 4
    assert found["mean_foreground"] == 0.25
    assert of_pictures(images, 0.6)["mean_foreground"] == 0


def test_a_summary_reads_as_lines():
    told = lines({"mean_foreground": 0.25, "area": {"p05": 1.0, "p50": 2.5}, "dropped": {"few": 0}})
    assert told == ["mean foreground 0.25", "area         p05 1, p50 2.5", "dropped      none"]
