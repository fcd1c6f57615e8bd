"""The SNR dial against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.exposure import electrons_for, snr_of

positive = st.floats(0.05, 20)


@given(
    st.floats(0.2, 200), st.lists(st.tuples(positive, positive), min_size=1, max_size=9), positive
)
def test_the_median_object_reaches_the_dial(snr, objects, read_noise):
    signal, background = np.array(objects).T
    scale = electrons_for(snr, signal, background, read_noise)
    reached = np.sort(snr_of(scale * signal, scale * background, read_noise))
    middle = reached[(len(reached) - 1) // 2], reached[len(reached) // 2]
    assert middle[0] <= snr * (1 + 1e-9)
    assert middle[1] >= snr * (1 - 1e-9)


def test_by_hand():
    # Without background and read noise SNR is the root of the electrons.
    assert electrons_for(10, np.ones(1), np.zeros(1), 0) == pytest.approx(100)
    assert electrons_for(10, np.full(1, 2.0), np.zeros(1), 0) == pytest.approx(50)


def test_no_objects_gets_the_light_of_an_even_one():
    assert electrons_for(10, np.zeros(0), np.zeros(0), 0) == pytest.approx(100)
    assert electrons_for(10, np.zeros(2), np.full(2, 1.0), 0) == pytest.approx(200)
