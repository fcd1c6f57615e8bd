from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.extra.numpy import arrays  # noqa: E402

from generators.pix2pixhd.conditions import conditions, edges  # noqa: E402
from generators.pix2pixhd.settings import Inputs  # noqa: E402


@given(arrays("int64", (5, 6), elements=st.integers(0, 2)))
def test_edges_are_where_a_neighbour_differs(labels):
    found = edges(torch.from_numpy(labels)[None, None])[0, 0]
    for y in range(5):
        for x in range(6):
            beside = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
            inside = [labels[b, a] for b, a in beside if 0 <= b < 5 and 0 <= a < 6]
            assert found[y, x] == any(value != labels[y, x] for value in inside)


def test_touching_objects_of_one_label_stay_two():
    instances = torch.tensor([[[[1, 1, 2, 2]]]])
    made = conditions(torch.ones(1, 1, 1, 4), instances, Inputs(label_nc=2))
    assert made[0, :, 0].tolist() == [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]]


def test_pictures_go_through_as_they_are():
    picture = torch.randn(2, 3, 4, 4)
    assert torch.equal(conditions(picture, None, Inputs(0, 3, edges=False)), picture)
    assert conditions(picture, torch.zeros(2, 1, 4, 4), Inputs(0, 3)).shape == (2, 4, 4, 4)
