"""Streams by name: equal names give equal streams, any other name another one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from generators.seeds import Seed

names = st.lists(st.text(max_size=6), min_size=1, max_size=4)


@given(names, names)
def test_equal_numbers_only_for_equal_paths(a, b):
    assert (Seed.root(0).at(*a).number == Seed.root(0).at(*b).number) == (a == b)


def test_a_joined_name_is_not_a_path_of_two():
    assert Seed.root(0).at("a", "b").number != Seed.root(0).at("a/b").number


def test_order_of_use_does_not_matter():
    scene = Seed.root(3).at("scene")
    first = scene.at("noise").generator().random(4)
    scene.at("outlines").generator().random(100)
    assert (scene.at("noise").generator().random(4) == first).all()


def test_number_fits_a_column_of_int64():
    assert all(0 <= Seed.root(k).number < 2**63 for k in range(200))


def test_known_number():
    # A change here changes every data set ever generated.
    assert Seed.root(0).at("scene", "test-0000").number == 7315411753566430460
