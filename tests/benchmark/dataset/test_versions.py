from __future__ import annotations

from dataclasses import replace

import pytest

from benchmark.dataset import compare_versions
from benchmark.dataset.versions import needed_step
from benchmark.errors import DatasetError


@pytest.fixture
def make_version(make_dataset, make_sample, tmp_path):
    def make(version, *, seeds=(0, 1), licence="unknown", name="small"):
        samples = [make_sample(f"s{i}", seed=seed) for i, seed in enumerate(seeds)]
        path = tmp_path / f"{name}-{version}-{seeds}-{licence}"
        return make_dataset(path, samples=samples, version=version, licence=licence, name=name)

    return make


@pytest.mark.parametrize(
    ("version", "change", "needed", "enough"),
    [
        ("1.0.1", {"licence": "CC0-1.0"}, "PATCH", True),
        ("1.0.1", {"seeds": (0, 1, 2)}, "MINOR", False),
        ("1.1.0", {"seeds": (0, 1, 2)}, "MINOR", True),
        ("1.1.0", {"seeds": (0, 7)}, "MAJOR", False),
        ("1.1.0", {"seeds": (0,)}, "MAJOR", False),
        ("2.0.0", {"seeds": (0, 7)}, "MAJOR", True),
        ("2.0.0", {"licence": "CC0-1.0"}, "PATCH", True),
        ("0.9.0", {"seeds": (0, 1, 2)}, "MINOR", False),
    ],
)
def test_the_step_says_how_much_changed(make_version, version, change, needed, enough):
    old, new = make_version("1.0.0"), make_version(version, **change)
    assert needed_step(new, old) == needed
    findings = compare_versions(new, old)
    assert (findings == []) is enough
    if findings:
        assert needed in findings[0].what


def test_a_version_used_for_two_contents_is_found(make_version):
    old = make_version("1.0.0")
    new = make_version("1.0.0", seeds=(0, 7))
    (finding,) = compare_versions(new, old)
    assert finding.kind == "version"
    assert "1.0.0 is used for two contents: pixels or labels changed" in finding.what
    assert compare_versions(old, old) == []


def test_an_added_target_is_a_change_of_labels(make_version, make_dataset, make_sample, tmp_path):
    sample = make_sample("s0")
    both = replace(sample, labels={**sample.labels, "cells": sample.labels["nuclei"]})
    new = make_dataset(
        tmp_path / "both", samples=[both], version="1.1.0", targets=("nuclei", "cells")
    )
    assert needed_step(new, make_version("1.0.0", seeds=(0,))) == "MAJOR"


def test_two_data_sets_are_not_two_versions(make_version):
    with pytest.raises(DatasetError, match="two data sets, not two versions"):
        compare_versions(make_version("1.0.0"), make_version("1.0.1", name="other"))
