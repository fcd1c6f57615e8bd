"""Steps of a training: noise, losses, and that a step follows from state and number alone."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.painting import training as module  # noqa: E402
from generators.painting.conditioning import CHANNELS  # noqa: E402
from generators.painting.examples import Crops  # noqa: E402
from generators.painting.options import Options  # noqa: E402
from generators.painting.scale import Scale  # noqa: E402

SCALE = Scale.of(150, 600)
SMALL = Options(ngf=4, blocks=1, ndf=4, crop=32, late=0, batch=2)


@pytest.fixture
def crops():
    rng = np.random.default_rng(0)
    objects = np.zeros((2, 32, 32), np.int64)
    objects[0, 4:14, 4:14], objects[1, 10:25, 10:25] = 1, 2
    return Crops(
        rng.normal(0, 0.2, (2, 1, 32, 32)).astype(np.float32),
        rng.normal(0, 0.2, (2, CHANNELS, 32, 32)).astype(np.float32),
        objects,
        np.array([0.4, 105, 3, 0.01], np.float32)[:, None, None, None, None]
        * np.ones((1, 2, 1, 1, 1), np.float32),
    )


def test_noise_has_the_variance_of_the_camera():
    seen = torch.from_numpy(SCALE.seen(np.full((2, 1, 200, 200), 500.0))).float()
    noise = torch.tensor([[0.4, 2.0], [105, 100], [0, 0], [0.0, 0.1]]).view(4, 2, 1, 1, 1)
    made = module.exposed(seen, SCALE, noise, torch.Generator().manual_seed(0))
    grey = SCALE.grey(made.numpy())
    assert grey.mean() == pytest.approx(500, abs=1)
    assert grey.var(axis=(1, 2, 3)) == pytest.approx([158, 800 + 40**2], rel=0.05)


def test_dark_pixels_stay_numbers_and_keep_a_slope():
    seen = torch.full((1, 1, 64, 64), -2.0, requires_grad=True)
    noise = torch.tensor([0.0, 0, 400, 0]).view(4, 1, 1, 1, 1)
    made = module.exposed(seen, SCALE, noise, torch.Generator().manual_seed(0))
    made.sum().backward()
    assert torch.isfinite(made).all()
    assert (seen.grad > 0).all()


def test_dither_fills_the_steps_between_grey_levels():
    scale = Scale(offset=-10, level=3)
    seen = torch.from_numpy(scale.seen(np.full((1, 1, 100, 100), 7.0))).float()
    grey = scale.grey(module.dithered(seen, scale, 1.0, torch.Generator().manual_seed(0)).numpy())
    assert (np.abs(grey - 7) < 0.51).all()
    assert grey.std() == pytest.approx(12**-0.5, rel=0.05)


@pytest.fixture
def square():
    objects = torch.zeros(1, 40, 40, dtype=torch.int64)
    objects[0, 5:35, 5:35] = 1
    return objects


def waves(square, count=3):
    """Return pictures of random texture whose mean over the square is 0."""
    made = 0.1 * torch.randn(count, 1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    return [wave - wave[0, 0][square[0] == 1].mean() for wave in made]


def test_texture_as_strong_as_the_real_one_costs_little(square):
    one, two, real = waves(square)
    right = module.code_differences(one, two, real, square)
    assert float(right) < 0.2
    strong = module.code_differences(3 * one, 3 * two, real, square)
    assert float(strong) == pytest.approx(2 * np.log(3), abs=0.25)


def test_what_both_pictures_show_is_no_texture(square):
    """Not even if it is as uneven as the real one."""
    one, _, real = waves(square)
    assert float(module.code_differences(one, one.clone(), real, square)) > 5


def test_brightness_is_that_of_the_mean_of_both(square):
    one, two, real = waves(square)
    right = module.code_differences(one, two, real, square)
    shifted = module.code_differences(one + 0.3, two + 0.1, real, square)
    assert float(shifted - right) == pytest.approx(10 * 0.2, abs=0.05)


def test_objects_too_small_to_measure_count_for_nothing():
    objects = torch.zeros(1, 40, 40, dtype=torch.int64)
    objects[0, :3, :3] = 1
    assert float(module.code_differences(*waves(objects * 0 + 1), objects)) == 0


def test_a_step_follows_from_where_the_training_stands(crops):
    one = module.start(SMALL, SCALE, 0.0, 1)
    module.step(one, crops)
    two = copy.deepcopy(one)
    assert module.step(one, crops) == module.step(two, crops)
    assert one.steps == 2
    assert one.pictures == 8
    for name in ("generator", "discriminator", "average"):
        mine, other = getattr(one, name).state_dict(), getattr(two, name).state_dict()
        assert all(torch.equal(value, other[key]) for key, value in mine.items())


def test_the_average_follows_the_generator(crops):
    training = module.start(SMALL, SCALE, 1.0, 1)
    first = training.average.last.weight.clone()
    for _ in range(3):
        module.step(training, crops)
    assert not torch.equal(training.average.last.weight, first)
    assert not torch.equal(training.average.last.weight, training.generator.last.weight)


def test_rates_fall_towards_the_end(crops):
    training = module.start(SMALL, SCALE, 0.0, 1)
    module.step(training, crops)
    assert training.generator_adam.param_groups[0]["lr"] == SMALL.glr
    training.pictures = 800
    module.step(training, crops)
    assert training.generator_adam.param_groups[0]["lr"] == pytest.approx(SMALL.glr / 2)


@pytest.mark.training
def test_brightness_is_learned():
    """Objects are brighter than their codes say, and the network finds out."""
    options = Options(ngf=4, blocks=1, ndf=4, crop=32, glr=5e-3, lambda_feat=0, lambda_codes=0)
    training = module.start(options, SCALE, 0.0, 100)
    maps = np.zeros((4, CHANNELS, 32, 32), np.float32)
    maps[:, 1, 8:24, 8:24] = 1
    seen = maps[:, :1] + 0.2 * maps[:, 1:2]
    noise = np.array([0.0, 0, 1, 0], np.float32)[:, None, None, None, None] * np.ones(
        (1, 4, 1, 1, 1), np.float32
    )
    crops = Crops(seen, maps, np.where(maps[:, 1] > 0, np.arange(1, 5)[:, None, None], 0), noise)
    first = module.step(training, crops)["mean"]
    for _ in range(40):
        last = module.step(training, crops)["mean"]
    assert last < first / 2
