from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.painting.scale import Scale


@given(st.floats(1, 1000), st.floats(1, 5000))
def test_levels_stand_about_nought_and_come_back(dark, above):
    scale = Scale.of(dark, dark + above)
    levels = np.array([dark, dark + above])
    seen = scale.seen(levels)
    if above > 7:
        assert seen.sum() == pytest.approx(0, abs=1e-9)
        assert scale.grey(seen) == pytest.approx(levels)


def test_what_is_darker_than_the_offset_is_seen_as_dark():
    scale = Scale(offset=90, level=5)
    assert scale.seen([0, 50, 91]).tolist() == [scale.seen(91)] * 3
