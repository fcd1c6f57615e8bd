"""The layers, against the sizes and channels in the names of the published networks' layers."""

from __future__ import annotations

import numpy as np
import pytest

from generators.stylegan.schedule import schedule
from generators.stylegan.settings import GeneratorSettings

T_256 = (
    "36_512 36_512 36_512 52_512 52_512 84_512 84_512 148_512 148_512 148_362 276_256 276_181"
    " 276_128 256_128 256_3"
)
R_1024 = (
    "36_1024 36_1024 52_1024 52_1024 84_1024 148_1024 148_1024 276_645 276_406 532_256 1044_161"
    " 1044_102 1044_64 1024_64 1024_3"
)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (GeneratorSettings(256, channels=3), T_256),
        (GeneratorSettings(1024, channels=3, cfg="stylegan3-r"), R_1024),
    ],
    ids=["t 256", "r 1024"],
)
def test_published_networks_have_these_layers(settings, names):
    made = schedule(settings)
    signals = [*(layer.result for layer in made.layers), made.picture]
    assert [f"{signal.size}_{signal.channels}" for signal in signals] == names.split()


def test_frequencies_by_hand():
    made = schedule(GeneratorSettings(64))
    first, middle, last = (made.layers[i].result for i in (0, 6, 13))
    assert (first.cutoff, first.rate) == (2, 16)
    assert first.width == pytest.approx(8 - 2)  # half the rate is above 2^2.1
    # Half way between 2 and 32, and between 2^2.1 and 2^5.3.
    assert middle.cutoff == pytest.approx(8)
    assert middle.rate == 32
    assert middle.width == pytest.approx(16 - 8)
    assert (last.cutoff, last.rate) == (32, 64)
    assert last.width == pytest.approx(2**5.3 - 32)


@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan3-r"])
@pytest.mark.parametrize("resolution", [8, 37, 48, 50, 64, 100])
@pytest.mark.parametrize("layers", [6, 14])
def test_layers_fit_together_and_keep_the_centre(cfg, resolution, layers):
    made = schedule(GeneratorSettings(resolution, cfg=cfg, num_layers=layers, margin_size=5))
    assert made.layers[0].source == made.start
    assert made.layers[-1].result.size == made.picture.size == resolution
    for layer in made.layers:
        length = layer.source.size + layer.kernel - 1
        taps = layer.up_filter.taps + layer.down_filter.taps
        before, after = layer.padding
        room = length * layer.up + before + after - taps + 2
        assert (room - 1) // layer.down + 1 == layer.result.size
        assert layer.source.rate * layer.up == layer.result.rate * layer.down == layer.rate
        # Where the first and the last sample of the result stand among the source's samples.
        ends = np.array([0, (layer.result.size - 1) * layer.down]) - before + (taps - 2) / 2
        assert ends.sum() == (length - 1) * layer.up


def test_no_layer_carries_more_than_its_rate():
    for resolution in (32, 50, 256):
        for layer in schedule(GeneratorSettings(resolution)).layers:
            assert 2 * layer.result.cutoff <= layer.result.rate
            assert layer.result.rate <= resolution


def test_radial_filters_but_in_critical_layers():
    made = schedule(GeneratorSettings(64, cfg="stylegan3-r"))
    assert [len(layer.down_filter.terms) > 1 for layer in made.layers] == [True] * 12 + [False] * 2
    assert all(len(layer.up_filter.terms) == 1 for layer in made.layers)
    assert {layer.kernel for layer in made.layers} == {1}
