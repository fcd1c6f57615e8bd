from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd.discriminator import MultiscaleDiscriminator  # noqa: E402


def test_names_and_shapes_are_those_of_the_original():
    with torch.device("meta"):
        judge = MultiscaleDiscriminator(39, num_D=2)
    shapes = {name: tuple(value.shape) for name, value in judge.state_dict().items()}
    widths = [39, 64, 128, 256, 512, 1]
    assert {name: shape for name, shape in shapes.items() if name.endswith("weight")} == {
        f"scale{scale}_layer{k}.0.weight": (widths[k + 1], widths[k], 4, 4)
        for scale in (0, 1)
        for k in range(5)
    }
    assert sum(name.endswith("bias") for name in shapes) == 10


def test_channels_stop_at_512():
    with torch.device("meta"):
        judge = MultiscaleDiscriminator(3, ndf=64, n_layers=6, num_D=1)
    widths = [p.shape[0] for name, p in judge.named_parameters() if name.endswith("weight")]
    assert widths == [64, 128, 256, 512, 512, 512, 512, 1]


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch(layers, field):
    judge = MultiscaleDiscriminator(1, ndf=2, n_layers=layers, num_D=1, norm="batch").eval()
    x = torch.randn(1, 1, 160, 160, generator=torch.Generator().manual_seed(0))
    logits = judge(x.requires_grad_())[0][-1]
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    seen = x.grad[0, 0].abs() > 0
    for lines in (seen.any(0), seen.any(1)):
        where = lines.nonzero()
        assert (where.max() - where.min() + 1).item() == field


def test_the_finest_scale_comes_first_and_coarser_ones_see_means():
    judge = MultiscaleDiscriminator(1, ndf=2, n_layers=1, num_D=3)
    x = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    scales = judge(x)
    assert [scale[0].shape[-1] for scale in scales] == [17, 9, 5]
    assert torch.equal(scales[0][0], judge.scale2_layer0(x))
    half = torch.nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    assert torch.equal(scales[1][0], judge.scale1_layer0(half))
    assert all(len(scale) == 3 for scale in scales)


def test_scales_are_different_networks_of_one_seed():
    one, two = (MultiscaleDiscriminator(1, ndf=2, num_D=2, seed=5) for _ in range(2))
    assert torch.equal(one.scale1_layer0[0].weight, two.scale1_layer0[0].weight)
    assert not torch.equal(one.scale1_layer0[0].weight, one.scale0_layer0[0].weight)
