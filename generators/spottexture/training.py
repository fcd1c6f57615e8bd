"""One step of a training: what is learned from a batch of crops, given where it stands."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from generators.painting.filters import blurred
from generators.pix2pixhd.losses import feature_matching, least_squares
from generators.seeds import Seed
from generators.spottexture.examples import SIZE
from generators.spottexture.judge import SpotJudge
from generators.spottexture.lattice import NARROW, SIDE
from generators.spottexture.network import SpotNetwork, SpotSettings, placed

if TYPE_CHECKING:
    from generators.spottexture.examples import Crops
    from generators.spottexture.options import SpotOptions

_STEEP = 8.0  # as in `generators.spottexture.examples.seen`
_LENS = 1.0  # px, of the crops whose differences count


@dataclass
class SpotTraining:
    """Where a training stands; `step` carries it on.

    Parameters
    ----------
    options
        How the networks learn.
    generator, discriminator, average
        The networks; the moving average of the generator is what is kept.
    generator_adam, discriminator_adam
        Their optimisers.
    kimg
        Thousands of crops that it goes on for.
    steps, pictures
        What was done so far.
    """

    options: SpotOptions
    generator: SpotNetwork
    discriminator: SpotJudge
    average: SpotNetwork
    generator_adam: torch.optim.Adam
    discriminator_adam: torch.optim.Adam
    kimg: float
    steps: int = 0
    pictures: int = 0

    @property
    def way(self) -> float:
        """Share of the training that is done."""
        return min(self.pictures / (self.kimg * 1000), 1.0)


def start(options: SpotOptions, kinds: int, kimg: float) -> SpotTraining:
    """Return a training of new networks."""
    seed = Seed.root(options.seed)
    settings = SpotSettings(kinds, options.channels, options.layers, options.latent, options.noise)
    g = SpotNetwork(settings, seed.at("generator").number)
    d = SpotJudge(options.ndf, seed.at("discriminator").number)
    return SpotTraining(
        options,
        g,
        d,
        copy.deepcopy(g).eval().requires_grad_(requires_grad=False),
        torch.optim.Adam(g.parameters(), options.glr, betas=(0.5, 0.99)),
        torch.optim.Adam(d.parameters(), options.dlr, betas=(0.5, 0.99)),
        kimg,
    )


def seen(peaks: torch.Tensor) -> torch.Tensor:
    """Return what networks see of light in peaks, as `generators.spottexture.examples.seen`."""
    return torch.asinh(_STEEP * peaks) / math.asinh(_STEEP)


@dataclass(frozen=True)
class Scenes:
    """A batch as tensors: crops (N, 1, S, S) as networks see them, and what spots are made of."""

    crops: Crops

    @property
    def real(self) -> torch.Tensor:
        """As they are."""
        return seen(torch.from_numpy(self.crops.real)[:, None])

    @property
    def plain(self) -> torch.Tensor:
        """Even Gaussians in the dark."""
        crops = self.crops
        weights = torch.zeros(len(crops.kind), SIDE, SIDE)
        weights[:, SIDE // 2, SIDE // 2] = 1
        # One Gaussian of the lattice, as wide as the spot, in place of many narrow ones.
        wide = torch.from_numpy(crops.sigmas) / NARROW
        return seen(self._sum(placed(weights, torch.from_numpy(crops.positions), wide, SIZE)))

    def _sum(self, spots: torch.Tensor) -> torch.Tensor:
        light = torch.from_numpy(self.crops.light)[:, None, None] * spots
        whole = torch.zeros(len(self.crops.real), SIZE, SIZE)
        return whole.index_add(0, torch.from_numpy(self.crops.crop), light)[:, None]

    def painted(self, network: SpotNetwork, rng: torch.Generator) -> torch.Tensor:
        """Return crops with painted spots in place of real ones, and the camera's noise."""
        crops = self.crops
        drawn = torch.randn(len(crops.kind), network.settings.drawn, generator=rng)
        kinds = torch.from_numpy(crops.kind)
        weights = network(kinds, torch.from_numpy(crops.stretch), drawn)
        sigmas = network.scaled(kinds, weights, torch.from_numpy(crops.sigmas))
        spots = placed(weights, torch.from_numpy(crops.positions), sigmas, SIZE)
        light = self._sum(spots)
        variance = torch.from_numpy(crops.gain)[:, None, None, None] * light.detach()
        noise = torch.randn(light.shape, generator=rng) * variance.clamp(min=0).sqrt()
        whole = torch.from_numpy(crops.clean)[:, None] + light + noise
        return seen(torch.maximum(whole, torch.from_numpy(crops.lowest)[:, None]))


def step(training: SpotTraining, crops: Crops) -> dict[str, float]:
    """Learn from crops.

    Returns
    -------
    dict
        Figures by name: losses, and verdicts on real crops and fakes.
    """
    options = training.options
    for adam, full in (
        (training.generator_adam, options.glr),
        (training.discriminator_adam, options.dlr),
    ):
        adam.param_groups[0]["lr"] = full * max(options.rate(training.way), 0.02)
    rng = torch.Generator().manual_seed(Seed.root(options.seed).at("step", training.steps).number)
    scenes = Scenes(crops)
    real, plain = scenes.real, scenes.plain
    fake = scenes.painted(training.generator, rng)
    on_real, figures = _judge(training, plain, real, fake.detach())
    figures |= _paint(training, plain, (real, fake), on_real)
    training.steps += 1
    training.pictures += len(real)
    _follow(training, len(real))
    return figures


def _judge(
    training: SpotTraining, plain: torch.Tensor, real: torch.Tensor, fake: torch.Tensor
) -> tuple[list[torch.Tensor], dict[str, float]]:
    """Let the discriminator learn; return what it made of the real crops, and figures."""
    training.discriminator.requires_grad_(requires_grad=True)
    on_real = training.discriminator(plain, real)
    on_fake = training.discriminator(plain, fake)
    loss = (least_squares([on_real], real=True) + least_squares([on_fake], real=False)) / 2
    training.discriminator_adam.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    training.discriminator_adam.step()
    return on_real, {
        "D": float(loss.detach()),
        "D real": float(on_real[-1].detach().mean()),
        "D fake": float(on_fake[-1].detach().mean()),
    }


def _paint(
    training: SpotTraining,
    plain: torch.Tensor,
    both: tuple[torch.Tensor, torch.Tensor],
    on_real: list[torch.Tensor],
) -> dict[str, float]:
    """Let the generator learn."""
    options, (real, fake) = training.options, both
    training.discriminator.requires_grad_(requires_grad=False)
    on_fake = training.discriminator(plain, fake)
    detached = [features.detach() for features in on_real]
    away = functional.l1_loss(blurred(fake, _LENS), blurred(real, _LENS))
    losses = {
        "G": least_squares([on_fake], real=True),
        "features": options.lambda_feat * feature_matching([on_fake], [detached]),
        "mean": options.lambda_mean * away,
    }
    total = torch.stack(list(losses.values())).sum()
    training.generator_adam.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    training.generator_adam.step()
    return {name: float(loss.detach()) for name, loss in losses.items()}


def _follow(training: SpotTraining, seen: int) -> None:
    """Move the average a step towards the generator; at first faster."""
    half_life = min(training.options.ema_kimg * 1000, training.pictures / 10)
    kept = 0.5 ** (seen / max(half_life, 1e-9))
    with torch.no_grad():
        for slow, fast in zip(
            training.average.parameters(), training.generator.parameters(), strict=True
        ):
            slow.lerp_(fast, 1 - kept)
