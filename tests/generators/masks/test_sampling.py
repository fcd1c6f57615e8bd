from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark.errors import BenchError
from generators.masks.control import Dial, to_json
from generators.masks.making import Making
from generators.masks.sampling import sample_fields


def test_the_same_state_gives_the_same_fields(fields_file):
    first, second = (sample_fields(3, np.random.default_rng(4), fields_file) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(first) == 3
    assert {labels.shape for labels in first} == {(16, 16)}
    assert {labels.dtype.kind for labels in first} == {"u"}
    other = sample_fields(3, np.random.default_rng(5), fields_file)
    assert not np.array_equal(first, other)


def test_fields_have_the_styles_asked_for(ellipses):
    along = np.eye(6)[0].tolist()
    dial = Dial("size", [1.0] * 101, along, along, [-3.0, 3.0], [0.7, 1.43])
    network = replace(ellipses, notes={"styles": to_json({"size": dial})})
    for labels in sample_fields(3, np.random.default_rng(0), network, styles={"size": 1.2}):
        diameter = 2 * np.sqrt((labels == 1).sum() / np.pi) / 16
        assert diameter == pytest.approx(1.2, rel=0.03)


def test_what_makes_no_fields_is_refused(ellipses):
    with pytest.raises(BenchError, match="single objects"):
        sample_fields(1, np.random.default_rng(0), replace(ellipses, kind="objects"))
    with pytest.raises(BenchError, match="no class"):
        sample_fields(1, np.random.default_rng(0), ellipses, Making(label=1))
