from __future__ import annotations

import pytest

from benchmark.audit.sources import sources_of, spread
from benchmark.errors import DatasetError


def test_the_reference_is_never_held_back(sets, sources):
    assert set(sources.columns) == {"synthetic", "baseline", "real"}
    assert len(sources.reference) == 8
    assert len(sources.columns["real"]) == 6
    assert not set(sources.reference.ids) & set(sources.columns["real"].ids)
    described = sources.describe()
    assert described["reference"]["splits"] == ["train"]
    assert described["real"]["splits"] == ["val"]
    assert described["synthetic"]["digest"] == sets["synthetic"].digest


def test_a_real_set_without_splits_is_divided(make_set, sets, tmp_path):
    real = make_set(tmp_path / "real", splits=("test",) * 5)
    found = sources_of(sets["synthetic"], real)
    assert found.reference.ids == ("s00", "s02", "s04")
    assert found.columns["real"].ids == ("s01", "s03")
    assert set(found.columns) == {"synthetic", "real"}


def test_one_image_cannot_be_divided(make_set, sets, tmp_path):
    real = make_set(tmp_path / "real", splits=("test",))
    with pytest.raises(DatasetError, match="one real image"):
        sources_of(sets["synthetic"], real)


def test_of_a_generated_set_the_training_split_is_taken(make_set, sets, tmp_path):
    made = make_set(tmp_path / "made", splits=("test", "train", "val", "train"))
    found = sources_of(made, sets["real"])
    assert found.columns["synthetic"].ids == ("s01", "s03")


def test_unknown_targets_are_named(sets):
    with pytest.raises(DatasetError, match="no target 'cell'"):
        sources_of(sets["synthetic"], sets["real"], target="cell")


def test_items_are_spread_over_all():
    items = tuple("abcdefg")
    assert spread(items, None) == spread(items, 7) == spread(items, 99) == items
    assert spread(items, 3) == ("a", "d", "g")
    assert spread(items, 1) == ("a",)
