"""One step of the training: what is learned from a batch, given where the training stands.

Karras et al., arXiv 1912.04958, appendix B (lazy regularisation, moving average), arXiv 1812.04948
(style mixing), arXiv 2106.12423, appendix G (blur at the start).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from generators.seeds import Seed
from generators.stylegan.discriminator import Discriminator
from generators.stylegan.generator import Generator
from generators.stylegan.losses import gradient_penalty, path_lengths, wants_fake, wants_real

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings

_PATH_MEMORY = 0.99  # of the moving average of path lengths


@dataclass(frozen=True)
class TrainingSettings:
    """How the networks learn.

    Parameters
    ----------
    gamma
        Weight of R1; None: `default_gamma`.
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
    seed
        Of all that is drawn.
    """

    gamma: float | None = None
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
    seed: int = 0


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


def start(
    settings: TrainingSettings,
    generator: GeneratorSettings,
    discriminator: DiscriminatorSettings,
    device: str | torch.device = "cpu",
) -> Training:
    """Return a training of new networks.

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
        discriminator_adam=_adam(d.parameters(), settings.dlr, settings.r1_every),
        steps=0,
        pictures=0,
        path_length=torch.zeros((), device=device),
    )


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
        (N, channels, resolution, resolution), within about [-1, 1].
    c
        (N, c_dim), their classes; fakes get the same.

    Returns
    -------
    dict
        Figures by name: `generator`, `fake`, `real` (losses), and `r1`, `path` where they were due.
    """
    settings = training.settings
    number = Seed.root(settings.seed).at("step", training.steps).number
    rng = torch.Generator().manual_seed(number)
    figures = {"generator": _improve_generator(training, len(real), c, rng)}
    if settings.path_weight and training.steps % settings.path_every == 0:
        figures["path"] = _even_out_paths(training, len(real), c, rng)
    figures |= _improve_discriminator(training, real, c, rng)
    if training.steps % settings.r1_every == 0:
        figures["r1"] = _smooth_discriminator(training, real, c)
    training.steps += 1
    training.pictures += len(real)
    _follow(training, len(real))
    return figures


def _improve_generator(
    training: Training, n: int, c: torch.Tensor | None, rng: torch.Generator
) -> float:
    """Make fakes that are taken for real."""
    training.discriminator.requires_grad_(requires_grad=False)
    styles = mixed_styles(training.generator, n, c, rng, training.settings.mixing)
    fakes = training.generator.synthesis(styles, update_emas=True, noise=rng)
    loss = wants_real(_judged(training, fakes, c))
    _descend(training.generator_adam, loss)
    training.discriminator.requires_grad_(requires_grad=True)
    return loss.item()


def _even_out_paths(
    training: Training, n: int, c: torch.Tensor | None, rng: torch.Generator
) -> float:
    """Make steps of one length in W change pictures by one amount."""
    settings = training.settings
    some = max(ceil(n * settings.path_share), 1)
    c = None if c is None else c[:some]
    styles = mixed_styles(training.generator, some, c, rng, settings.mixing)
    lengths = path_lengths(training.generator.synthesis(styles, noise=rng), styles, rng)
    training.path_length.lerp_(lengths.detach().mean(), 1 - _PATH_MEMORY)
    loss = (lengths - training.path_length).square().mean()
    _descend(training.generator_adam, loss * settings.path_weight * settings.path_every)
    return loss.item()


def _improve_discriminator(
    training: Training, real: torch.Tensor, c: torch.Tensor | None, rng: torch.Generator
) -> dict[str, float]:
    """Tell fakes from real pictures."""
    with torch.no_grad():
        styles = mixed_styles(training.generator, len(real), c, rng, training.settings.mixing)
        fakes = training.generator.synthesis(styles, noise=rng)
    fake = wants_fake(_judged(training, fakes, c))
    true = wants_real(_judged(training, real, c))
    _descend(training.discriminator_adam, fake + true)
    return {"fake": fake.item(), "real": true.item()}


def _smooth_discriminator(training: Training, real: torch.Tensor, c: torch.Tensor | None) -> float:
    """Keep the discriminator's slope at real pictures small."""
    gamma = training.settings.gamma
    if gamma is None:
        gamma = default_gamma(real.shape[-1], len(real))
    real = real.detach().requires_grad_()
    loss = gradient_penalty(_judged(training, real, c), real, gamma)
    _descend(training.discriminator_adam, loss * training.settings.r1_every)
    return loss.item()


def mixed_styles(
    generator: Generator,
    n: int,
    c: torch.Tensor | None,
    rng: torch.Generator,
    mixing: float = 0.0,
) -> torch.Tensor:
    """Return styles (n, num_styles, w_dim) of random latents.

    With probability `mixing`, layers from a random one on take theirs from other latents.
    """
    where = generator.w_average.device

    def drawn(*, update_emas: bool) -> torch.Tensor:
        z = torch.randn(n, generator.settings.z_dim, generator=rng).to(where)
        return generator.styles(z, c, update_emas=update_emas)

    styles = drawn(update_emas=torch.is_grad_enabled())
    # Drawn in any case, so that what follows does not hang on it.
    chance, share = torch.rand(2, generator=rng).tolist()
    if chance >= mixing:
        return styles
    first = 1 + int(share * (styles.shape[1] - 1))
    return torch.cat([styles[:, :first], drawn(update_emas=False)[:, first:]], 1)


def blurred(pictures: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return pictures (N, C, H, W) under a Gaussian of `sigma` pixels, 0 beyond the border.

    Examples
    --------
    >>> spot = torch.zeros(1, 1, 9, 9)
    >>> spot[0, 0, 4, 4] = 1
    >>> round(blurred(spot, 1.0)[0, 0, 4, 4].item(), 3)  # 1 / 2π
    0.159
    """
    reach = int(3 * sigma)
    if reach == 0:
        return pictures
    at = torch.arange(-reach, reach + 1, dtype=pictures.dtype, device=pictures.device)
    taps = torch.exp(-((at / sigma) ** 2) / 2)
    kernel = (taps / taps.sum()).expand(pictures.shape[1], 1, 1, -1)
    groups = pictures.shape[1]
    along_x = functional.conv2d(pictures, kernel, padding=(0, reach), groups=groups)
    return functional.conv2d(along_x, kernel.mT, padding=(reach, 0), groups=groups)


def _judged(training: Training, pictures: torch.Tensor, c: torch.Tensor | None) -> torch.Tensor:
    """Return logits of pictures, blurred as much as it is time for."""
    settings = training.settings
    if settings.blur_sigma:
        left = max(1 - training.pictures / (settings.blur_kimg * 1000), 0)
        pictures = blurred(pictures, settings.blur_sigma * left)
    logits: torch.Tensor = training.discriminator(pictures, c)
    return logits


def _descend(adam: torch.optim.Adam, loss: torch.Tensor) -> None:
    """Take a step; a gradient that is no number counts as none."""
    adam.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for group in adam.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.grad.nan_to_num_(nan=0.0, posinf=1e5, neginf=-1e5)
    adam.step()


def _follow(training: Training, n: int) -> None:
    """Move the averaged generator a little towards the generator."""
    settings = training.settings
    half_life = settings.ema_kimg * 1000
    if settings.ema_rampup is not None:
        half_life = min(half_life, training.pictures * settings.ema_rampup)
    kept = 0.5 ** (n / max(half_life, 1e-8))
    with torch.no_grad():
        pairs = zip(training.average.parameters(), training.generator.parameters(), strict=True)
        for average, now in pairs:
            average.lerp_(now, 1 - kept)
        for there, here in zip(
            training.average.buffers(), training.generator.buffers(), strict=True
        ):
            there.copy_(here)
