from __future__ import annotations

import json

import pytest

from benchmark.commands.dataset_released import released as command
from benchmark.dataset import Dataset, released, verify
from benchmark.dataset.released import Release, release_of, releases
from benchmark.errors import DatasetError

ENTRY = """
[[release]]
name = "small"
version = "1.0.0"
recipe = "small"
seed = 0
digest = "{digest}"
splits = {{ test = 2, train = 2 }}
{more}
"""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Write a registry that opening looks into."""
    path = tmp_path / "released.toml"
    path.touch()
    releases.cache_clear()

    def make(digest, more="", times=1):
        path.write_text(ENTRY.format(digest=digest, more=more) * times)
        releases.cache_clear()
        return path

    monkeypatch.setattr(released.release_of, "__defaults__", (path,))
    monkeypatch.setattr(released.check, "__defaults__", (path,))
    yield make
    releases.cache_clear()


def test_the_built_in_set_is_the_released_one():
    builtin = Dataset.open("builtin")
    release = release_of(builtin.manifest)
    assert release.digest == builtin.digest
    assert release.splits == builtin.manifest.splits
    assert release.recipe == "builtin"


def test_the_released_content_opens_and_another_does_not(make_dataset, registry):
    made = make_dataset()
    registry(made.digest)
    assert Dataset.open(made.path).digest == made.digest
    assert verify(made.path) == []
    registry("0" * 64)
    with pytest.raises(
        DatasetError, match=r"small 1\.0\.0 was released with another content"
    ) as error:
        Dataset.open(made.path)
    assert "name or version of its own" in error.value.mend
    [finding] = verify(made.path)
    assert (finding.kind, finding.where) == ("version", "dataset.json")
    assert Dataset.open(made.path, sealed=False).digest == made.digest


def test_what_is_imported_under_a_released_name_is_refused_before_it_is_there(
    make_dataset, registry, tmp_path
):
    registry("0" * 64)
    with pytest.raises(DatasetError, match="was released with another content"):
        make_dataset(tmp_path / "set", remember=True)
    assert not (tmp_path / "set").exists()


def test_other_names_and_versions_are_free(make_dataset, registry, tmp_path):
    registry("0" * 64)
    for name, version in (("small", "1.0.1"), ("other", "1.0.0")):
        made = make_dataset(tmp_path / f"{name}{version}", name=name, version=version)
        assert release_of(made.manifest) is None


def test_a_part_may_be_shipped_under_a_digest_of_its_own(make_dataset, registry):
    made = make_dataset()
    part = f'shipped = ["test"]\nshipped_digest = "{made.digest}"'
    registry("0" * 64, part)
    assert Dataset.open(made.path).digest == made.digest


@pytest.mark.parametrize(
    ("more", "times"),
    [
        ("", 2),
        ('shipped = ["val"]', 1),
        ('shipped = ["test"]', 1),
        (f'shipped_digest = "{"1" * 64}"', 1),
        ('colour = "red"', 1),
        ("= 3", 1),
    ],
)
def test_a_damaged_registry_is_refused(registry, more, times):
    path = registry("0" * 64, more, times)
    with pytest.raises(DatasetError, match="registry of releases"):
        releases(path)


def test_the_command_lists_them(capsys):
    command(json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [Release.model_validate(row) for row in rows] == list(releases())
    command()
    shown = capsys.readouterr().out.split()
    assert "cellgen-nuclei" in shown
    assert "builtin" in shown
