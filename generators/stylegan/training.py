"""One step of the training: what is learned from a batch, given where the training stands.

Karras et al., arXiv 1912.04958, appendix B (lazy regularisation, moving average), arXiv 2006.06676,
section 3 (adaptive augmentation). What a step consists of is in `phases`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from generators.seeds import Seed
from generators.stylegan import phases
from generators.stylegan.discriminator import Discriminator
from generators.stylegan.generator import Generator
from generators.training.processes import ALONE, Processes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generators.stylegan.augmentation import AugmentationSettings
    from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings


@dataclass(frozen=True)
class TrainingSettings:
    """How the networks learn.

    Parameters
    ----------
    gamma
        Weight of R1; None: `default_gamma`.
    gamma_final, gamma_kimg
        Weight that it comes to after so many thousand pictures, by one factor a picture; None: it
        stays.
    glr, dlr
        Learning rates of generator and discriminator.
    r1_every
        Steps between penalties of the discriminator.
    path_weight, path_every, path_share
        Weight of path lengths (0: none, as in StyleGAN3), steps between penalties, and how much of
        a batch they take.
    mixing
        Share of the batches in which two latents share each picture's layers (StyleGAN2: 0.9).
    ema_kimg, ema_rampup
        Half-life of the averaged generator in thousands of pictures, at first this share of the
        pictures seen; None: no ramp.
    blur_sigma, blur_kimg
        Pictures are blurred before they are judged, by at first this many pixels, and ever less
        until so many thousand pictures (`stylegan3-r`: 10 and 200).
    augmentation
        What is done to pictures before they are judged; None: nothing.
    freezed
        Layers of the discriminator, from the picture on, that do not learn (fine-tuning, Mo et al.,
        arXiv 2002.10964).
    seed
        Of all that is drawn.
    """

    gamma: float | None = None
    gamma_final: float | None = None
    gamma_kimg: float = 0.0
    glr: float = 0.0025
    dlr: float = 0.002
    r1_every: int = 16
    path_weight: float = 0.0
    path_every: int = 4
    path_share: float = 0.5
    mixing: float = 0.0
    ema_kimg: float = 10.0
    ema_rampup: float | None = 0.05
    blur_sigma: float = 0.0
    blur_kimg: float = 200.0
    augmentation: AugmentationSettings | None = None
    freezed: int = 0
    seed: int = 0

    def gamma_at(self, pictures: int, resolution: int, batch: int) -> float:
        """Return the weight of R1 when so many pictures were learned from.

        Examples
        --------
        >>> settings = TrainingSettings(gamma=1.0, gamma_final=0.01, gamma_kimg=2.0)
        >>> [round(settings.gamma_at(n, 32, 8), 3) for n in (0, 1000, 2000, 9000)]
        [1.0, 0.1, 0.01, 0.01]
        """
        gamma = default_gamma(resolution, batch) if self.gamma is None else self.gamma
        if self.gamma_final is None:
            return gamma
        way = min(pictures / max(self.gamma_kimg * 1000, 1), 1.0)
        return float(gamma ** (1 - way) * self.gamma_final**way)


def default_gamma(resolution: int, batch: int) -> float:
    """Return the weight of R1 that the papers start from, 0.0002 N² / M.

    Karras et al., arXiv 2006.06676, appendix C: N pixels across, M pictures a batch.

    Examples
    --------
    >>> round(default_gamma(64, 8), 4)
    0.1024
    """
    return 0.0002 * resolution**2 / batch


@dataclass
class Training:
    """Where a training stands; `step` carries it on.

    Parameters
    ----------
    settings
        How the networks learn.
    generator, discriminator
        The networks.
    average
        The moving average of the generator: what is kept in the end.
    generator_adam, discriminator_adam
        Their optimisers.
    steps, pictures
        What was done so far.
    path_length
        Moving average of path lengths.
    p
        Probability of each augmentation.
    signs
        (2,): sum of the signs of logits of real pictures since p was last adapted, and how many.
    parts
        Parts that this process's share of a batch is worked on in, one after the other; their
        gradients add up.
    processes
        Those that train together.
    """

    settings: TrainingSettings
    generator: Generator
    discriminator: Discriminator
    average: Generator
    generator_adam: torch.optim.Adam
    discriminator_adam: torch.optim.Adam
    steps: int
    pictures: int
    path_length: torch.Tensor
    p: float
    signs: torch.Tensor
    parts: int = 1
    processes: Processes = ALONE

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.path_length.device

    def trained_of_discriminator(self, *, learns: bool) -> None:
        """Let the discriminator's weights, but frozen ones, have gradients, or not."""
        for group in self.discriminator_adam.param_groups:
            for parameter in group["params"]:
                parameter.requires_grad_(learns)


def start(
    settings: TrainingSettings,
    generator: GeneratorSettings,
    discriminator: DiscriminatorSettings,
    device: str | torch.device = "cpu",
    *,
    parts: int = 1,
    processes: Processes = ALONE,
) -> Training:
    """Return a training of new networks.

    Parameters
    ----------
    settings, generator, discriminator
        How, and what, learns.
    device
        Where.
    parts, processes
        How a batch is shared out: see `Training`. Beside rounding they make a difference only where
        they cut groups of the batch's statistics, or noise and paths, which parts draw themselves.

    Raises
    ------
    ValueError
        The networks differ in resolution, channels or classes.
    """
    for name in ("resolution", "channels", "c_dim"):
        if getattr(generator, name) != getattr(discriminator, name):
            raise ValueError(f"generator and discriminator differ in {name}")
    seed = Seed.root(settings.seed)
    g = Generator(generator, seed.at("generator").number).to(device)
    d = Discriminator(discriminator, seed.at("discriminator").number).to(device)
    path_every = settings.path_every if settings.path_weight else None
    return Training(
        settings=settings,
        generator=g,
        discriminator=d,
        average=copy.deepcopy(g).eval().requires_grad_(requires_grad=False),
        generator_adam=_adam(g.parameters(), settings.glr, path_every),
        discriminator_adam=_adam(_thawed(d, settings.freezed), settings.dlr, settings.r1_every),
        steps=0,
        pictures=0,
        path_length=torch.zeros((), device=device),
        p=settings.augmentation.p if settings.augmentation else 0.0,
        signs=torch.zeros(2, device=device),
        parts=parts,
        processes=processes,
    )


def _thawed(discriminator: Discriminator, frozen: int) -> list[torch.nn.Parameter]:
    """Freeze the first layers of a discriminator; return the parameters of the others."""
    layers: list[torch.nn.Module] = [discriminator.from_picture]
    for block in discriminator.blocks:
        layers += [getattr(block, name) for name in ("first", "second", "skip")]
    for layer in layers[:frozen]:
        layer.requires_grad_(requires_grad=False)
    return [parameter for parameter in discriminator.parameters() if parameter.requires_grad]


def _adam(
    parameters: Iterable[torch.nn.Parameter], rate: float, every: int | None
) -> torch.optim.Adam:
    """Return Adam, slowed for the steps of a regularisation that is done every so often.

    arXiv 1912.04958, appendix B: c = k / (k + 1); the rate becomes c λ, each β becomes β^c.
    """
    c = 1.0 if every is None else every / (every + 1)
    return torch.optim.Adam(parameters, lr=rate * c, betas=(0.0, 0.99**c), eps=1e-8)


def step(training: Training, real: torch.Tensor, c: torch.Tensor | None = None) -> dict[str, float]:
    """Learn from one batch.

    What is drawn depends on the seed and on how many steps were done, so a training that is
    continued from a saved state goes as if it had never stopped.

    Parameters
    ----------
    training
        Carried on, in place.
    real
        (N, channels, resolution, resolution), within about [-1, 1]; the whole batch, the same in
        all processes that train together.
    c
        (N, c_dim), their classes; fakes get the same.

    Returns
    -------
    dict
        Figures by name: `generator`, `fake`, `real` (losses), `r1`, `path` where they were due, and
        with augmentation `p`, `overfitting` where they were adapted.

    Raises
    ------
    ValueError
        Processes and parts do not divide the batch.
    """
    if len(real) % (training.parts * training.processes.count):
        raise ValueError(
            f"{len(real)} pictures cannot be shared by {training.processes.count} processes"
            f" in {training.parts} parts each"
        )
    settings, n = training.settings, len(real)
    seed = Seed.root(settings.seed).at("step", training.steps)
    figures = {"generator": phases.improve_generator(training, n, c, seed.at("generator"))}
    if settings.path_weight and training.steps % settings.path_every == 0:
        figures["path"] = phases.even_out_paths(training, n, c, seed.at("paths"))
    figures |= phases.improve_discriminator(training, real, c, seed.at("discriminator"))
    if training.steps % settings.r1_every == 0:
        figures["r1"] = phases.smooth_discriminator(training, real, c, seed.at("r1"))
    training.steps += 1
    training.pictures += n
    phases.follow(training, n)
    return figures | _adapt(training, n)


def _adapt(training: Training, n: int) -> dict[str, float]:
    """Raise the probability of augmentations where the discriminator overfits, or lower it."""
    augmentation = training.settings.augmentation
    if augmentation is None or training.steps % augmentation.every:
        return {}
    total, count = training.signs.tolist()
    training.signs.zero_()
    overfitting = total / count
    training.p = augmentation.adapted(training.p, overfitting, n * augmentation.every)
    return {"p": training.p, "overfitting": overfitting}
