from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd.networks import GlobalGenerator, LocalEnhancer, build  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings  # noqa: E402


def published(input_nc=36, output_nc=3, ngf=64, downs=4, blocks=9, *, last=True):
    """Names and shapes of the original's global generator, as its architecture numbers them.

    Each convolution is followed by norm and ReLU; paddings and residual blocks count as one each.
    """
    shapes, at = {"model.1": (ngf, input_nc, 7, 7)}, 4
    for level in range(downs):
        shapes[f"model.{at}"] = (ngf * 2 ** (level + 1), ngf * 2**level, 3, 3)
        at += 3
    wide = ngf * 2**downs
    for _ in range(blocks):
        for part in (1, 5):
            shapes[f"model.{at}.conv_block.{part}"] = (wide, wide, 3, 3)
        at += 1
    for level in reversed(range(downs)):
        # Of a transposed convolution the first axis is the input.
        shapes[f"model.{at}"] = (ngf * 2 ** (level + 1), ngf * 2**level, 3, 3)
        at += 3
    if last:
        shapes[f"model.{at + 1}"] = (output_nc, ngf, 7, 7)
    return shapes


def weights(network):
    return {
        name.removesuffix(".weight"): tuple(value.shape)
        for name, value in network.state_dict().items()
        if name.endswith(".weight")
    }


def on_paper(kind, settings):
    with torch.device("meta"):
        return kind(settings)


def test_global_names_and_shapes_are_those_of_the_original():
    network = on_paper(GlobalGenerator, GeneratorSettings(36, 3))
    assert weights(network) == published()
    assert list(network.state_dict())[-1] == "model.38.bias"
    assert sum(p.numel() for p in network.parameters()) == 182_546_755


def test_local_names_and_shapes_are_those_of_the_original():
    network = on_paper(LocalEnhancer, GeneratorSettings(36, 3, "local", ngf=32))
    assert weights(network) == published(last=False) | {
        "model1_1.1": (32, 36, 7, 7),
        "model1_1.4": (64, 32, 3, 3),
        **{f"model1_2.{k}.conv_block.{part}": (64, 64, 3, 3) for k in range(3) for part in (1, 5)},
        "model1_2.3": (64, 32, 3, 3),
        "model1_2.7": (3, 32, 7, 7),
    }


def test_with_two_enhancers_only_the_last_makes_a_picture():
    settings = GeneratorSettings(5, 1, "local", 4, 2, 1, n_local_enhancers=2, n_blocks_local=1)
    network = on_paper(LocalEnhancer, settings)
    shapes = weights(network)
    assert shapes["model.1"] == (16, 5, 7, 7)
    assert shapes["model1_1.1"] == (8, 5, 7, 7)
    assert shapes["model2_1.1"] == (4, 5, 7, 7)
    assert shapes["model2_2.5"] == (1, 4, 7, 7)
    assert not any(name.startswith("model1_2.5") for name in shapes)
    outermost = sum(p.numel() for p in network.outermost())
    assert outermost == sum(
        p.numel() for name, p in network.named_parameters() if name.startswith("model2")
    )


def test_batch_norms_have_weights_and_averages():
    settings = GeneratorSettings(3, 3, ngf=4, n_downsample_global=1, n_blocks_global=1)
    plain = on_paper(GlobalGenerator, settings).state_dict()
    batch = on_paper(GlobalGenerator, GeneratorSettings(3, 3, "global", 4, 1, 1, norm="batch"))
    more = set(batch.state_dict()) - set(plain)
    assert {name.rpartition(".")[0] for name in more} == {
        "model.2",
        "model.5",
        "model.7.conv_block.2",
        "model.7.conv_block.6",
        "model.9",
    }
    assert set(plain) < set(batch.state_dict())


def test_pictures_have_the_size_of_the_input_and_all_weights_a_gradient():
    for settings in (
        GeneratorSettings(3, 2, "global", 4, 2, 1),
        GeneratorSettings(3, 2, "local", 4, 1, 1, n_local_enhancers=2, n_blocks_local=1),
    ):
        network = build(settings)
        made = network(torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(0)))
        assert made.shape == (2, 2, 16, 24)
        assert made.abs().max() <= 1
        made.square().sum().backward()
        last = [name for name, p in network.named_parameters() if p.grad is None]
        assert last == []
        convolutions = [p.grad for n, p in network.named_parameters() if n.endswith("weight")]
        assert all(grad.abs().max() > 0 for grad in convolutions)


def test_an_enhancer_adds_what_is_below_to_what_it_sees():
    network = build(GeneratorSettings(1, 1, "local", 4, 1, 1, n_blocks_local=1))
    x = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    counted = torch.nn.functional.pad(torch.ones_like(x), [1] * 4)
    sums = torch.nn.functional.pad(x, [1] * 4)
    ones = torch.ones(1, 1, 3, 3)
    half = torch.conv2d(sums, ones, stride=2) / torch.conv2d(counted, ones, stride=2)
    below = network.model(half)
    by_hand = network.model1_2(network.model1_1(x) + below)
    assert torch.allclose(network(x), by_hand, atol=1e-6)


def test_the_same_seed_gives_the_same_network():
    settings = GeneratorSettings(1, 1, "global", 4, 1, 1)
    one, two, other = build(settings, 3), build(settings, 3), build(settings, 4)
    assert torch.equal(one.model[1].weight, two.model[1].weight)
    assert torch.equal(one.model[1].bias, two.model[1].bias)
    assert not torch.equal(one.model[1].weight, other.model[1].weight)
    deep = build(GeneratorSettings(16, 1, "global", 16, 2, 2))
    assert deep.model[4].weight.std().item() == pytest.approx(0.02, rel=0.1)
