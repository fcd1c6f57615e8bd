from __future__ import annotations

import json
from itertools import pairwise

import pytest

from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings, pyramid


@pytest.mark.parametrize(
    "change",
    [
        {"cfg": "stylegan4"},
        {"resolution": 4},
        {"resolution": 10**9},
        {"channels": 0},
        {"cmax": True},
        {"mapping_depth": 0},
        {"num_critical": 14},
        {"first_stopband": 1.0},
        {"mapping_rate": float("nan")},
        {"clamp": "256"},
    ],
    ids=str,
)
def test_numbers_out_of_their_limits_are_refused_by_name(change):
    (name,) = change
    with pytest.raises(ValueError, match=name.replace("mapping_depth", "depth")):
        GeneratorSettings(**({"resolution": 64} | change))


def test_json_brings_back_the_same():
    settings = GeneratorSettings(48, cfg="stylegan3-r", first_stopband=4.4, c_dim=3)
    assert GeneratorSettings.from_json(settings.to_json()) == settings
    judge = DiscriminatorSettings(48, group=8)
    assert DiscriminatorSettings.from_json(judge.to_json()) == judge


@pytest.mark.parametrize(
    "text", ["{", "null", "[]", "{}", '{"resolution": 64, "new": 1}', '{"resolution": 64.5}']
)
def test_other_json_is_refused(text):
    with pytest.raises(ValueError):
        GeneratorSettings.from_json(text)


def test_mapping_is_as_deep_as_the_papers_say():
    depths = {cfg: GeneratorSettings(64, cfg=cfg).depth for cfg in ("stylegan3-t", "stylegan2")}
    assert depths == {"stylegan3-t": 2, "stylegan2": 8}
    assert json.loads(GeneratorSettings(64, mapping_depth=5).to_json())["mapping_depth"] == 5


@pytest.mark.parametrize("resolution", [8, 37, 48, 100, 256])
def test_a_pyramid_ends_at_a_few_pixels(resolution):
    sizes = pyramid(resolution)
    assert sizes[0] == resolution
    assert 4 <= sizes[-1] < 8
    assert all(small == -(-large // 2) for large, small in pairwise(sizes))
