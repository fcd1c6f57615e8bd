from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmark.dataset import seen
from benchmark.dataset.manifest import sealed
from benchmark.dataset.released import Release
from benchmark.errors import DatasetError


def manifest(**fields):
    return sealed(
        {
            "name": "a",
            "version": "1.0.0",
            "licence": "CC0-1.0",
            "channels": ["dna"],
            "targets": ["nuclei"],
            "splits": {"test": 1},
            "labels_note": "",
            "tables": {},
            **fields,
        }
    )


def test_one_name_and_version_has_one_content(own_cache):
    seen.remember(manifest())
    seen.remember(manifest())
    seen.check(manifest())
    with pytest.raises(DatasetError, match=r"version 1\.0\.0 of a was used before") as caught:
        seen.remember(manifest(licence="other"))
    assert "MAJOR" in caught.value.mend
    with pytest.raises(DatasetError):
        seen.check(manifest(licence="other"))
    for free in ({"version": "1.0.1"}, {"name": "b"}):
        seen.remember(manifest(licence="other", **free))
    assert (own_cache / "state" / "datasets.json").is_file()


def test_an_unreleased_version_may_change():
    for licence in ("one", "two"):
        seen.remember(manifest(version=seen.UNRELEASED, licence=licence))
        seen.check(manifest(version=seen.UNRELEASED, licence=licence))


def test_many_at_once_lose_nothing():
    manifests = [manifest(name=f"a{i}") for i in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(seen.remember, manifests))
    for one in manifests:
        with pytest.raises(DatasetError):
            seen.check(manifest(name=one.name, licence="other"))


def test_without_the_variable_the_user_s_own_folders_are_used(monkeypatch):
    monkeypatch.delenv("BENCH_CACHE")
    assert seen.cache_folder().parts[-2:] == ("cellgen-bench", "datasets")
    assert seen.state_folder().parts[-2:] == ("cellgen-bench", "state")


def test_an_unreadable_list_is_an_error_that_names_it(own_cache):
    path = own_cache / "state" / "datasets.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(DatasetError, match="cannot be read") as caught:
        seen.check(manifest())
    assert caught.value.where == str(path)


def test_a_released_set_may_be_seen_in_part_and_whole(monkeypatch):
    part, whole = manifest(), manifest(splits={"test": 1, "train": 2})
    release = Release(
        name="a",
        version="1.0.0",
        recipe="a",
        seed=0,
        digest=whole.digest,
        splits=whole.splits,
        shipped=("test",),
        shipped_digest=part.digest,
    )
    monkeypatch.setattr(seen, "release_of", lambda _manifest: release)
    for known in (part, whole, part):
        seen.remember(known)
    seen.remember(manifest(licence="x"))
    with pytest.raises(DatasetError, match="used before"):
        seen.remember(manifest(licence="y"))
