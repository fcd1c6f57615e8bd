from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd.encoder import Encoder, EncoderSettings, pooled  # noqa: E402


def test_all_pixels_of_an_instance_have_its_mean():
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 6, 7, generator=rng)
    instances = torch.randint(0, 4, (2, 1, 6, 7), generator=rng) * 1000
    made = pooled(features, instances)
    for picture in range(2):
        for value in instances[picture].unique():
            inside = instances[picture, 0] == value
            mean = features[picture][:, inside].mean(1)
            assert torch.allclose(made[picture][:, inside], mean[:, None], atol=1e-6)


def test_an_instance_of_the_same_number_in_another_picture_is_another():
    features = torch.tensor([[[[1.0]]], [[[3.0]]]])
    assert pooled(features, torch.zeros(2, 1, 1, 1)).flatten().tolist() == [1.0, 3.0]


def test_names_are_those_of_the_original_and_gradients_flow():
    encoder = Encoder(EncoderSettings(3, feat_num=2, nef=4, n_downsample=2))
    convolutions = [n for n in encoder.state_dict() if n.endswith("weight")]
    assert convolutions == [f"model.{k}.weight" for k in (1, 4, 7, 10, 13, 17)]
    codes = encoder(torch.randn(1, 3, 16, 16), torch.arange(256).view(1, 1, 16, 16) // 64)
    assert codes.shape == (1, 2, 16, 16)
    codes.square().sum().backward()
    assert all(p.grad is not None for p in encoder.parameters())
