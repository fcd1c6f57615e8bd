from __future__ import annotations

import hashlib

import pytest

from generators.masks.networks import SHIPPED, open_network
from generators.masks.tools import level_of
from generators.stylegan.files import NetworkError


def test_a_file_says_what_its_pictures_mean(fields_file):
    network = open_network(fields_file)
    assert network.kind == "fields"
    assert network.level == 0
    assert network.pixel_diameter == 6
    assert network.map is None
    assert network.digest == hashlib.sha256(fields_file.read_bytes()).hexdigest()
    assert not any(p.requires_grad for p in network.generator.parameters())


def test_a_file_that_does_not_is_taken_for_pictures_as_cellgen_has_them(saved):
    network = open_network(saved())
    assert network.kind == "pictures"
    assert network.level == level_of(240)


@pytest.mark.parametrize("name", ["nucleii", "nowhere.safetensors"])
def test_an_unknown_name_gets_the_nearest(name):
    with pytest.raises(NetworkError, match=r"did you mean 'nuclei'|known: fields, nuclei"):
        open_network(name)


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "movies", "level": 0},
        {"level": 0},
        {"kind": "fields"},
        {"kind": "fields", "level": "high"},
        {"kind": ["fields"]},
        {"kind": "objects", "map": {}, "frames": {}},
        [1, 2],
    ],
)
def test_a_meaning_that_cannot_be_read_is_an_error(saved, content):
    with pytest.raises(NetworkError, match="mean cannot be read"):
        open_network(saved(content))


def test_another_file_is_no_network(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(NetworkError, match="not a network"):
        open_network(tmp_path / "x.safetensors")


def test_shipped_networks_have_files_of_their_own():
    assert len(set(SHIPPED.values())) == len(SHIPPED)
    assert all(name.endswith(".safetensors") for name in SHIPPED.values())
