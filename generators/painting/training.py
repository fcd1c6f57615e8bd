"""One step of a painter's training: what is learned from a batch, given where it stands."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from generators.painting.codes import FEWEST, GRAIN
from generators.painting.filters import blurred
from generators.painting.judge import Judge
from generators.painting.network import Network, NetworkSettings
from generators.painting.scale import CONTRAST
from generators.pix2pixhd.losses import feature_matching, least_squares
from generators.seeds import Seed

if TYPE_CHECKING:
    from generators.painting.examples import Crops
    from generators.painting.options import Options
    from generators.painting.scale import Scale

COARSE = 4.0
"""Standard deviation in px of the Gaussian above whose width structure is left to the judge."""
POOLED = 8
"""Px that brightness is compared over."""
_NEAR_EDGE = 3.0  # px
_NEAR_BORDER = 0.3  # of the map of nearness to other objects: some 3 px


@dataclass
class Training:
    """Where a training stands; `step` carries it on.

    Parameters
    ----------
    options
        How the networks learn.
    scale, step
        Of the images: what they see, and the step between grey levels where it shows; else 0.
    generator, discriminator, average
        The networks; the moving average of the generator is what is kept.
    generator_adam, discriminator_adam
        Their optimisers.
    kimg
        Thousands of pictures that it goes on for.
    steps, pictures
        What was done so far.
    """

    options: Options
    scale: Scale
    step: float
    generator: Network
    discriminator: Judge
    average: Network
    generator_adam: torch.optim.Adam
    discriminator_adam: torch.optim.Adam
    kimg: float
    steps: int = 0
    pictures: int = 0

    @property
    def way(self) -> float:
        """Share of the training that is done."""
        return min(self.pictures / (self.kimg * 1000), 1.0)


def start(options: Options, scale: Scale, step: float, kimg: float) -> Training:
    """Return a training of new networks."""
    seed = Seed.root(options.seed)
    settings = NetworkSettings(options.ngf, options.downs, options.blocks, options.noise)
    g = Network(settings, seed.at("generator").number)
    d = Judge(options.ndf, options.scales, seed.at("discriminator").number)
    layout = torch.channels_last  # a third faster on processors
    g, d = (network.to(memory_format=layout) for network in (g, d))  # type: ignore[call-overload]
    return Training(
        options,
        scale,
        step,
        g,
        d,
        copy.deepcopy(g).eval().requires_grad_(requires_grad=False),
        torch.optim.Adam(g.parameters(), options.glr, betas=(0.5, 0.99)),
        torch.optim.Adam(d.parameters(), options.dlr, betas=(0.5, 0.99)),
        kimg,
    )


def exposed(
    seen: torch.Tensor, scale: Scale, noise: torch.Tensor, rng: torch.Generator
) -> torch.Tensor:
    """Return pictures with the camera's noise; gradients go through.

    Parameters
    ----------
    seen
        (N, 1, H, W).
    scale
        What grey levels they stand for.
    noise
        (4, N, 1, 1, 1): gain, black, floor and unevenness of each picture's camera.
    rng
        Of the noise.
    """
    gain, black, floor, uneven = noise
    above = torch.exp(CONTRAST * seen + scale.level)
    light = ((above + scale.offset).detach() - black).clamp(min=0)
    variance = torch.maximum(gain * light + (uneven * light).square(), floor)
    noisy = above + variance.sqrt() * torch.randn(seen.shape, generator=rng)
    # Below one grey level above the offset the logarithm is a straight line, as steep as there.
    low = noisy.clamp(max=1.0) - 1
    value: torch.Tensor = (torch.log(noisy.clamp(min=1.0)) + low - scale.level) / CONTRAST
    return value


def dithered(seen: torch.Tensor, scale: Scale, step: float, rng: torch.Generator) -> torch.Tensor:
    """Return pictures whose grey levels are spread over their step, as before rounding."""
    grey = torch.exp(CONTRAST * seen + scale.level)
    spread = (grey + step * (torch.rand(seen.shape, generator=rng) - 0.5)).clamp(min=1.0)
    return (torch.log(spread) - scale.level) / CONTRAST


def step(training: Training, crops: Crops) -> dict[str, float]:
    """Learn from crops.

    Each is painted twice, with other noise. What is the same in both follows from the scene, what
    differs is texture: only that counts as unevenness. Else light along the middle line of a
    nucleus would be the easiest unevenness to paint.

    Returns
    -------
    dict
        Figures by name: losses, and verdicts on real pictures and fakes.
    """
    options = training.options
    _, _, rate = options.at(training.way)
    for adam, full in (
        (training.generator_adam, options.glr),
        (training.discriminator_adam, options.dlr),
    ):
        adam.param_groups[0]["lr"] = full * max(rate, 0.02)
    real, maps = torch.from_numpy(crops.seen), torch.from_numpy(crops.maps)
    twice = torch.cat([maps, maps]).contiguous(memory_format=torch.channels_last)
    camera = torch.from_numpy(crops.noise).repeat(1, 2, 1, 1, 1)
    rng = torch.Generator().manual_seed(Seed.root(options.seed).at("step", training.steps).number)
    noise = training.generator.drawn(len(twice), real.shape[2], real.shape[3], rng)
    fake = exposed(training.generator(twice, noise), training.scale, camera, rng)
    if training.step:
        real = dithered(real, training.scale, training.step, rng)
    verdicts, figures = _judge(training, twice, real, fake.detach())
    figures |= _paint(training, twice, (real, fake), verdicts, torch.from_numpy(crops.objects))
    training.steps += 1
    training.pictures += len(fake)
    _follow(training, len(fake))
    return figures


def _judge(
    training: Training, maps: torch.Tensor, real: torch.Tensor, fake: torch.Tensor
) -> tuple[list[list[torch.Tensor]], dict[str, float]]:
    """Let the discriminator learn; return what it made of the real pictures, and figures."""
    training.discriminator.requires_grad_(requires_grad=True)
    on_real = training.discriminator(maps[: len(real)], real)
    on_fake = training.discriminator(maps, fake)
    loss = (least_squares(on_real, real=True) + least_squares(on_fake, real=False)) / 2
    training.discriminator_adam.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    training.discriminator_adam.step()
    scales = training.options.scales
    return on_real, {
        "D": float(loss.detach()) / scales,
        "D real": float(on_real[0][-1].detach().mean()),
        "D fake": float(on_fake[0][-1].detach().mean()),
    }


def _paint(
    training: Training,
    maps: torch.Tensor,
    both: tuple[torch.Tensor, torch.Tensor],
    on_real: list[list[torch.Tensor]],
    objects: torch.Tensor,
) -> dict[str, float]:
    """Let the generator learn."""
    options, (real, fake) = training.options, both
    training.discriminator.requires_grad_(requires_grad=False)
    on_fake = training.discriminator(maps, fake)
    first = [[features[: len(real)] for features in scale] for scale in on_fake]
    one, two = fake.chunk(2)
    common = (one + two) / 2
    pooled = [functional.avg_pool2d(pictures, POOLED) for pictures in (common, real)]
    losses = {
        "G": least_squares(on_fake, real=True),
        "features": options.lambda_feat * feature_matching(first, on_real),
        "mean": options.lambda_mean * functional.l1_loss(pooled[0], pooled[1]),
        "codes": options.lambda_codes * code_differences(one, two, real, objects),
    }
    if options.lambda_edge:
        outline = maps[: len(real), 2:3].abs() < torch.tanh(torch.tensor(_NEAR_EDGE / 2))
        near = (outline | (maps[: len(real), 4:5] > _NEAR_BORDER)).float()
        away = (blurred(common, 1.0) - blurred(real, 1.0)).abs() * near
        losses["edge"] = options.lambda_edge * away.sum() / near.sum().clamp(min=1)
    total = torch.stack(list(losses.values())).sum()
    training.generator_adam.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    training.generator_adam.step()
    return {name: float(loss.detach()) for name, loss in losses.items()}


def code_differences(
    one: torch.Tensor, two: torch.Tensor, real: torch.Tensor, objects: torch.Tensor
) -> torch.Tensor:
    """Return how far objects are from real ones: a scalar.

    Ten times the mean absolute difference of their means, and those of the logarithms of their
    standard deviations: of what is finer than `GRAIN`, and of what lies between that and `COARSE`.
    Of the painted pictures only what differs between the two counts for these.

    Parameters
    ----------
    one, two
        (N, 1, H, W), the same scenes painted with other noise.
    real
        (N, 1, H, W).
    objects
        (N, H, W) numbers through all pictures, 0: not looked at.
    """
    count = int(objects.max()) + 1
    at = objects.reshape(-1)
    size = torch.bincount(at, minlength=count).float()
    counted = size >= FEWEST
    counted[0] = False
    if not counted.any():
        return one.sum() * 0

    def means(values: torch.Tensor) -> torch.Tensor:
        return torch.zeros(count).index_add(0, at, values.reshape(-1)) / size.clamp(min=1)

    def deviations(values: torch.Tensor) -> torch.Tensor:
        return torch.log(means(values.square()) + 1e-6)[counted] / 2

    def bands(pictures: torch.Tensor) -> list[torch.Tensor]:
        """Return fine and coarser texture; what lies outside of the objects is left out of it."""
        away = (pictures - means(pictures)[objects][:, None]) * within
        soft, softer = (blurred(away, s) / share for s, share in shares)
        return [(away - soft) * within, (soft - softer) * within]

    within = (objects > 0).float()[:, None]
    shares = [(sigma, blurred(within, sigma).clamp(min=0.01)) for sigma in (GRAIN, COARSE)]
    mean = (means((one + two) / 2) - means(real))[counted].abs().mean()
    texture = zip(bands((one - two) * 2**-0.5), bands(real), strict=True)
    uneven = [(deviations(made) - deviations(true)).abs().mean() for made, true in texture]
    return 10 * mean + torch.stack(uneven).sum()


def _follow(training: Training, seen: int) -> None:
    """Move the average a step towards the generator; at first faster."""
    half_life = min(training.options.ema_kimg * 1000, training.pictures / 10)
    kept = 0.5 ** (seen / max(half_life, 1e-9))
    with torch.no_grad():
        for slow, fast in zip(
            training.average.parameters(), training.generator.parameters(), strict=True
        ):
            slow.lerp_(fast, 1 - kept)
