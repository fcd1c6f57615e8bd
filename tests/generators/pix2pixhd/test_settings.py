from __future__ import annotations

import pytest

pytest.importorskip("torch")

from generators.pix2pixhd.settings import GeneratorSettings, Inputs


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"net_g": "wide"}, "net_g = 'wide'"),
        ({"norm": "layer"}, "norm = 'layer'"),
        ({"ngf": 0}, "ngf = 0"),
        ({"n_downsample_global": 9}, "n_downsample_global = 9"),
        ({"n_blocks_global": 1.5}, "n_blocks_global = 1.5"),
    ],
)
def test_what_cannot_be_is_named(values, said):
    with pytest.raises(ValueError, match=said):
        GeneratorSettings(3, 3, **values)


def test_json_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="another kind"):
        GeneratorSettings.from_json('{"resolution": 4}')
    with pytest.raises(ValueError, match="another kind"):
        GeneratorSettings.from_json('{"ngf": 4}')
    with pytest.raises(ValueError, match="another kind"):
        GeneratorSettings.from_json("[]")


def test_channels_add_up():
    assert Inputs(5, edges=True, feat_num=3).channels == 9
    assert Inputs(5, edges=True, feat_num=3).conditions == 6
    with pytest.raises(ValueError, match="label_feat"):
        Inputs(0, feat_num=3, label_feat=True)
