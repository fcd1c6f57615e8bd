from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.augmentation import (  # noqa: E402
    AugmentationSettings,
    drawn_augmentations,
)

EVERYTHING = "bgcfnc"


def drawn(pipe="bgc", n=64, p=1.0, *, channels=1, size=16):
    rng = torch.Generator().manual_seed(0)
    return drawn_augmentations(AugmentationSettings(pipe), n, p, (channels, size), rng)


def some(n=4, channels=1, size=16):
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(1))


def changed(augmentations):
    """Whether each picture is changed by anything."""
    still = torch.eye(3)
    moved = ((augmentations.blits != still) | (augmentations.moves != still)).flatten(1).any(1)
    shape = augmentations.colours.shape[1:]
    coloured = (augmentations.colours != torch.eye(*shape)).flatten(1).any(1)
    filtered = (augmentations.bands != 1).any(1)
    cut = augmentations.holes[:, 2] > 0
    noisy = 0 if augmentations.noise is None else augmentations.noise.flatten(1).any(1)
    return moved | coloured | filtered | cut | noisy


@pytest.mark.parametrize("pipe", ["bgc", EVERYTHING])
def test_probability_0_changes_nothing(pipe):
    augmentations = drawn(pipe, p=0.0)
    assert not changed(augmentations).any()
    x = some(64)
    assert torch.equal(augmentations.applied_to(x), x)


@pytest.mark.parametrize("pipe", ["blit", "geom", "color", "filter", "noise", "cutout"])
def test_each_kind_changes_only_what_it_says(pipe):
    made = drawn(pipe, n=32)
    kinds = {
        "blit": (made.blits != torch.eye(3)).any(),
        "geom": (made.moves != torch.eye(3)).any(),
        "color": (made.colours != torch.eye(1, 2)).any(),
        "filter": (made.bands != 1).any(),
        "noise": made.noise is not None,
        "cutout": (made.holes[:, 2] > 0).any(),
    }
    assert [kind for kind, found in kinds.items() if found] == [pipe]
    x = some(32)
    assert not torch.allclose(made.applied_to(x), x)


def test_a_share_of_p_is_changed():
    made = drawn("cutout", n=4000, p=0.3)
    assert (made.holes[:, 2] > 0).float().mean().item() == pytest.approx(0.3, abs=0.03)
    # Rotation comes twice, together with probability p; scale and stretch are left out here.
    turned = drawn("geom", n=4000, p=0.3).moves
    still = (turned[:, 0, 0] == 1) & (turned[:, 0, 1] == 0)
    assert still.float().mean().item() == pytest.approx(0.7**3, abs=0.03)


def test_flips_and_quarter_turns_are_even():
    made = drawn("blit", n=4000, p=1.0, size=16).blits
    determinant = torch.linalg.det(made)
    assert (determinant < 0).float().mean().item() == pytest.approx(0.5, abs=0.03)
    assert determinant.abs().allclose(torch.ones(4000))
    upright = made[:, 0, 1].abs() < 1e-6
    assert upright.float().mean().item() == pytest.approx(0.5, abs=0.03)
    shifts = made[:, :2, 2] * 16
    assert torch.allclose(shifts, shifts.round(), atol=1e-5)
    assert shifts.abs().max() <= 2


def test_draws_do_not_depend_on_the_kinds_in_use():
    assert torch.equal(drawn("bgc").moves, drawn("geom").moves)
    assert torch.equal(drawn(EVERYTHING).colours, drawn("color").colours)


def test_a_part_is_augmented_as_in_the_whole():
    x = some(8)
    made = drawn(EVERYTHING, n=8, p=0.7)
    whole = made.applied_to(x)
    for part in (slice(0, None, 2), slice(1, None, 2)):
        assert torch.allclose(made.part(part).applied_to(x[part]), whole[part], atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_go_through_twice(channels):
    x = some(4, channels, 12).requires_grad_()
    made = drawn(EVERYTHING, n=4, channels=channels, size=12)
    (gradient,) = torch.autograd.grad(made.applied_to(x).pow(3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), x)
    assert torch.isfinite(second).all()
    assert second.any()


def test_brightness_comes_before_contrast():
    """y = contrast · (x + brightness): grey of minus the brightness becomes black's neutral 0."""
    made = drawn("color", n=50)
    contrast, added = made.colours[:, 0, 0], made.colours[:, 0, 1]
    assert (contrast > 0).all()
    assert contrast.log2().std().item() == pytest.approx(0.5, rel=0.3)
    assert (added / contrast).std().item() == pytest.approx(0.2, rel=0.3)


def test_a_filter_of_one_octave_keeps_natural_power():
    power = torch.tensor([10.0, 1.0, 1.0, 1.0]) / 13
    bands = drawn("filter", n=500, p=0.1).bands
    once = [gains for gains in bands if len(gains.unique()) == 2]
    assert len(once) > 50
    assert torch.allclose(torch.stack(once).square() @ power, torch.ones(len(once)), atol=1e-5)


@pytest.mark.parametrize(
    ("p", "overfitting", "expected"),
    [(0.5, 0.7, 0.58), (0.5, 0.5, 0.42), (0.5, 0.6, 0.5), (0.0, -1.0, 0.0), (0.97, 1.0, 1.0)],
)
def test_p_follows_the_overfitting(p, overfitting, expected):
    settings = AugmentationSettings(target=0.6, kimg=0.4)
    assert settings.adapted(p, overfitting, 32) == pytest.approx(expected)


def test_a_fixed_p_stays():
    assert AugmentationSettings(p=0.3, target=None).adapted(0.3, 1.0, 1000) == 0.3


@pytest.mark.parametrize("wrong", [{"pipe": "all"}, {"p": 1.5}, {"p": -0.1}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError):
        AugmentationSettings(**wrong)
