"""What a step of the training consists of: one descent for each thing that is punished.

Karras et al., arXiv 1912.04958, appendix B (lazy regularisation), arXiv 1812.04948 (style mixing),
arXiv 2106.12423, section 3.2 (blur at the start). Each phase goes through this process's parts of
the batch, adds their gradients up, and averages them over all processes.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from generators.stylegan.augmentation import drawn_augmentations
from generators.stylegan.losses import gradient_penalty, path_lengths, wants_fake, wants_real

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generators.seeds import Seed
    from generators.stylegan.augmentation import Augmentations
    from generators.stylegan.generator import Generator
    from generators.stylegan.training import Training

_PATH_MEMORY = 0.99  # of the moving average of path lengths


def improve_generator(training: Training, n: int, c: torch.Tensor | None, seed: Seed) -> float:
    """Make fakes that are taken for real; return the loss."""
    rng = _random(seed)
    styles = drawn_latents(training.generator, n, rng, training.settings.mixing)
    augmentations = _augmentations(training, n, rng)
    training.trained_of_discriminator(learns=False)
    total = torch.zeros((), device=training.device)
    averages = [a for name, a in training.generator.named_buffers() if _is_average(name)]
    before = [average.clone() for average in averages]
    sums = [torch.zeros_like(average) for average in averages]
    training.generator_adam.zero_grad(set_to_none=True)
    for part, noise in _parts(training, n, seed):
        for average, value in zip(averages, before, strict=True):
            average.copy_(value)
        w = styles.of(training.generator, part, c, update_emas=True)
        fakes = training.generator.synthesis(w, update_emas=True, noise=noise)
        loss = wants_real(_judged(training, fakes, part, c, augmentations)) / training.parts
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
        for index, average in enumerate(averages):
            sums[index] += average / training.parts
    training.processes.average(sums)
    for average, mean in zip(averages, sums, strict=True):
        average.copy_(mean)
    training.trained_of_discriminator(learns=True)
    _descend(training, training.generator_adam)
    return _mean(training, total)


def even_out_paths(training: Training, n: int, c: torch.Tensor | None, seed: Seed) -> float:
    """Make steps of one length in W change pictures by one amount; return the loss."""
    settings = training.settings
    rng = _random(seed)
    stride = training.parts * training.processes.count
    some = min(max(ceil(n * settings.path_share), stride), n)
    styles = drawn_latents(training.generator, some, rng, settings.mixing)
    total, length = torch.zeros(2, device=training.device).unbind()
    training.generator_adam.zero_grad(set_to_none=True)
    for part, noise in _parts(training, some, seed):
        w = styles.of(training.generator, part, c)
        lengths = path_lengths(training.generator.synthesis(w, noise=noise), w, noise)
        # The average of the steps before, so that parts need not wait for each other.
        loss = (lengths - training.path_length).square().mean() / training.parts
        (loss * settings.path_weight * settings.path_every).backward()  # type: ignore[no-untyped-call]
        total = total + loss.detach()
        length = length + lengths.detach().mean() / training.parts
    training.processes.average([length])
    training.path_length.lerp_(length, 1 - _PATH_MEMORY)
    _descend(training, training.generator_adam)
    return _mean(training, total)


def improve_discriminator(
    training: Training, real: torch.Tensor, c: torch.Tensor | None, seed: Seed
) -> dict[str, float]:
    """Tell fakes from real pictures; return both losses."""
    rng, n = _random(seed), len(real)
    styles = drawn_latents(training.generator, n, rng, training.settings.mixing)
    of_fakes, of_real = (_augmentations(training, n, rng) for _ in range(2))
    totals, signs = torch.zeros(2, 2, device=training.device)
    training.discriminator_adam.zero_grad(set_to_none=True)
    for part, noise in _parts(training, n, seed):
        with torch.no_grad():
            w = styles.of(training.generator, part, c)
            fakes = training.generator.synthesis(w, noise=noise)
        fake = wants_fake(_judged(training, fakes, part, c, of_fakes)) / training.parts
        logits = _judged(training, real[part].to(training.device), part, c, of_real)
        true = wants_real(logits) / training.parts
        (fake + true).backward()  # type: ignore[no-untyped-call]
        totals += torch.stack([fake.detach(), true.detach()])
        signs += torch.stack([logits.detach().sign().sum(), logits.new_tensor(float(len(logits)))])
    _descend(training, training.discriminator_adam)
    training.processes.average([totals, signs])
    training.signs += signs
    return dict(zip(("fake", "real"), totals.tolist(), strict=True))


def smooth_discriminator(
    training: Training, real: torch.Tensor, c: torch.Tensor | None, seed: Seed
) -> float:
    """Keep the discriminator's slope at real pictures small; return the penalty."""
    augmentations = _augmentations(training, len(real), _random(seed))
    total = torch.zeros((), device=training.device)
    training.discriminator_adam.zero_grad(set_to_none=True)
    for part, _ in _parts(training, len(real), seed):
        pictures = real[part].to(training.device).detach().requires_grad_()
        logits = _judged(training, pictures, part, c, augmentations)
        gamma = training.settings.gamma_at(training.pictures, real.shape[-1], len(real))
        loss = gradient_penalty(logits, pictures, gamma) / training.parts
        (loss * training.settings.r1_every).backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    _descend(training, training.discriminator_adam)
    return _mean(training, total)


def follow(training: Training, n: int) -> None:
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


class DrawnLatents:
    """Latents of a whole batch, of which any part can be mapped to styles.

    Parameters
    ----------
    z, others
        (N, z_dim); `others` rule the layers from `first` on.
    first
        None: no layer.
    """

    def __init__(self, z: torch.Tensor, others: torch.Tensor, first: int | None) -> None:
        self.z, self.others, self.first = z, others, first

    def of(
        self,
        generator: Generator,
        part: slice,
        c: torch.Tensor | None,
        *,
        update_emas: bool = False,
    ) -> torch.Tensor:
        """Return styles (n, num_styles, w_dim) of a part, `c` the classes of the batch."""
        where = generator.w_average.device
        some = None if c is None else c[: len(self.z)][part].to(where)
        styles = generator.styles(self.z[part].to(where), some, update_emas=update_emas)
        if self.first is None:
            return styles
        others = generator.styles(self.others[part].to(where), some)
        return torch.cat([styles[:, : self.first], others[:, self.first :]], 1)


def drawn_latents(
    generator: Generator, n: int, rng: torch.Generator, mixing: float = 0.0
) -> DrawnLatents:
    """Draw the latents of n pictures.

    With probability `mixing`, layers from a random one on take their styles from other latents.
    """
    z, others = torch.randn(2, n, generator.settings.z_dim, generator=rng)
    chance, share = torch.rand(2, generator=rng).tolist()
    layers = generator.synthesis.num_styles
    return DrawnLatents(z, others, 1 + int(share * (layers - 1)) if chance < mixing else None)


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


def _judged(
    training: Training,
    pictures: torch.Tensor,
    part: slice,
    c: torch.Tensor | None,
    augmentations: Augmentations | None,
) -> torch.Tensor:
    """Return logits of a part's pictures, blurred as is due and augmented as was drawn."""
    settings = training.settings
    if settings.blur_sigma:
        left = max(1 - training.pictures / (settings.blur_kimg * 1000), 0)
        pictures = blurred(pictures, settings.blur_sigma * left)
    if augmentations is not None:
        pictures = augmentations.part(part).applied_to(pictures)
    some = None if c is None else c[part].to(pictures.device)
    logits: torch.Tensor = training.discriminator(pictures, some)
    return logits


def _augmentations(training: Training, n: int, rng: torch.Generator) -> Augmentations | None:
    """Draw the augmentations of a batch; None where there are none."""
    settings = training.settings.augmentation
    if settings is None or training.p == 0:
        return None
    of = training.generator.settings
    return drawn_augmentations(settings, n, training.p, (of.channels, of.resolution), rng)


def _parts(training: Training, n: int, seed: Seed) -> Iterator[tuple[slice, torch.Generator]]:
    """Yield which of n pictures this process takes at once, and what its noise is drawn from.

    Parts are interleaved, as the groups of the discriminator's batch statistics are: a group has
    the same members however many parts and processes there are, if they divide the groups.
    """
    stride = training.parts * training.processes.count
    first = training.parts * training.processes.rank
    for number in range(first, first + training.parts):
        yield slice(number, n, stride), _random(seed.at("part", number))


def _random(seed: Seed) -> torch.Generator:
    return torch.Generator().manual_seed(seed.number)


def _descend(training: Training, adam: torch.optim.Adam) -> None:
    """Take a step by the gradients of all processes; one that is no number counts as none."""
    parameters = [p for group in adam.param_groups for p in group["params"]]
    gradients = [p.grad for p in parameters if p.grad is not None]
    training.processes.average(gradients)
    for gradient in gradients:
        gradient.nan_to_num_(nan=0.0, posinf=1e5, neginf=-1e5)
    adam.step()


def _mean(training: Training, total: torch.Tensor) -> float:
    training.processes.average([total])
    return total.item()


def _is_average(name: str) -> bool:
    return name.endswith(("w_average", "magnitude"))
