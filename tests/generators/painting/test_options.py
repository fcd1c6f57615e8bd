from __future__ import annotations

import pytest

from benchmark.errors import RunError
from generators.painting.options import Course, Options


@pytest.mark.parametrize(
    "wrong",
    [{"ngf": 0}, {"glr": float("nan")}, {"late": 1.5}, {"batch": -1}, {"crop": 100}, {"batch": 3}],
)
def test_options_out_of_limits_are_refused_by_name(wrong):
    with pytest.raises(RunError, match=f"--{next(iter(wrong))}"):
        Options(**wrong)


@pytest.mark.parametrize("wrong", [{"kimg": 0}, {"tick": float("inf")}, {"measured": -1}])
def test_courses_that_are_none_are_refused(wrong):
    with pytest.raises(RunError, match=f"--{next(iter(wrong))}"):
        Course(**wrong)


def test_late_crops_have_as_many_pixels_a_step():
    options = Options(crop=64, batch=8, late_crop=128, late=0.5)
    assert options.at(0.2)[:2] == (64, 8)
    assert options.at(0.6)[:2] == (128, 2)
    assert options.largest == 128
    assert Options().at(1.0)[:2] == (128, 4)
