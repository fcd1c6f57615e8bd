"""One step of the training: what is learned from a batch, given where the training stands.

Wang et al., arXiv 1711.11585, sections 3.2 to 3.4 and appendix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from generators.pix2pixhd import losses, vgg
from generators.pix2pixhd.conditions import conditions
from generators.pix2pixhd.networks import LocalEnhancer
from generators.pix2pixhd.training import with_codes
from generators.seeds import Seed

if TYPE_CHECKING:
    from generators.pix2pixhd.training import Batch, Training


def step(training: Training, batch: Batch) -> dict[str, float]:
    """Learn from one batch.

    What is drawn depends on the seed and on how many steps were done, so a training that is
    continued from a saved state goes as if it had never stopped.

    Parameters
    ----------
    training
        Carried on, in place.
    batch
        The whole batch, the same in all processes that train together.

    Returns
    -------
    dict
        Losses by the names that they have in the original: `G_GAN`, `G_GAN_Feat`, `G_VGG`,
        `D_real`, `D_fake`.
    """
    n = len(batch.real)
    mine = batch.share(training.processes, training.device)
    _prepare(training)
    with training.lower():
        seen = conditions(mine.given, mine.instances, training.inputs)
        fake = training.generator(with_codes(training, seen, mine))
        # Judged once: the discriminator is the same in both halves of the step.
        judged_real = training.discriminator(torch.cat([seen, mine.real], dim=1))
        figures = _of_generator(training, seen, fake, mine.real, judged_real)
    _learn(training, training.generator_adam, figures)
    with training.lower():
        shown = training.pool.exchanged(
            torch.cat([seen, fake.detach().float()], dim=1),
            Seed.root(training.settings.seed).at("pool", training.steps).generator(),
        )
        training.discriminator.requires_grad_(requires_grad=True)
        judged_fake = training.discriminator(shown)
        judged = {
            "D_real": _verdict(training, judged_real, real=True),
            "D_fake": _verdict(training, judged_fake, real=False),
        }
    _learn(training, training.discriminator_adam, judged, weight=0.5)
    training.scaler.update()
    training.steps += 1
    training.pictures += n
    told = {name: value.detach() for name, value in (figures | judged).items()}
    training.processes.average(told.values())
    return {name: value.item() for name, value in told.items()}


def _prepare(training: Training) -> None:
    """Set the learning rate, and which parameters learn."""
    settings, generator = training.settings, training.generator
    for adam in (training.generator_adam, training.discriminator_adam):
        for group in adam.param_groups:
            group["lr"] = settings.rate_at(training.pictures)
    outermost = isinstance(generator, LocalEnhancer) and training.epochs < settings.niter_fix_global
    generator.requires_grad_(requires_grad=not outermost)
    if isinstance(generator, LocalEnhancer):
        for parameter in generator.outermost():
            parameter.requires_grad_(True)
    training.discriminator.requires_grad_(requires_grad=True)


def _of_generator(
    training: Training,
    seen: torch.Tensor,
    fake: torch.Tensor,
    real: torch.Tensor,
    judged_real: list[list[torch.Tensor]],
) -> dict[str, torch.Tensor]:
    """Return the generator's losses, weighted."""
    settings = training.settings
    training.discriminator.requires_grad_(requires_grad=False)  # a gradient nobody wants
    judged = training.discriminator(torch.cat([seen, fake], dim=1))
    figures = {"G_GAN": _verdict(training, judged, real=True)}
    if settings.matching:
        matched = losses.feature_matching(judged, judged_real)
        figures["G_GAN_Feat"] = settings.lambda_feat * matched
    if training.alike is not None:
        figures["G_VGG"] = settings.lambda_feat * vgg.difference(training.alike, fake, real)
    return figures


def _verdict(training: Training, judged: list[list[torch.Tensor]], *, real: bool) -> torch.Tensor:
    loss = losses.least_squares if training.settings.least_squares else losses.cross_entropy
    return loss([[features.float() for features in scale[-1:]] for scale in judged], real)


def _learn(
    training: Training,
    adam: torch.optim.Adam,
    figures: dict[str, torch.Tensor],
    weight: float = 1.0,
) -> None:
    """Descend along the gradient of the sum of losses."""
    adam.zero_grad(set_to_none=True)
    loss = weight * torch.stack(list(figures.values())).sum()
    training.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    every = [parameter for group in adam.param_groups for parameter in group["params"]]
    training.processes.average(p.grad for p in every if p.grad is not None)
    training.scaler.step(adam)
