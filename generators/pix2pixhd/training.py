"""A training of Pix2PixHD: how it goes, and where it stands. `steps` carries it on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from generators.pix2pixhd.conditions import conditions
from generators.pix2pixhd.discriminator import MultiscaleDiscriminator
from generators.pix2pixhd.encoder import Encoder
from generators.pix2pixhd.networks import build
from generators.pix2pixhd.pool import Pool
from generators.seeds import Seed
from generators.training.processes import ALONE, Processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generators.pix2pixhd import vgg
    from generators.pix2pixhd.encoder import EncoderSettings
    from generators.pix2pixhd.networks import Generator
    from generators.pix2pixhd.settings import GeneratorSettings, Inputs

Precision = Literal["float32", "float16", "bfloat16"]


@dataclass(frozen=True)
class TrainingSettings:
    """How the networks learn.

    Parameters
    ----------
    epoch
        Pictures of an epoch.
    lr, beta1
        Learning rate and first moment of Adam.
    niter, niter_decay
        Epochs at that rate, and epochs in which it comes down to nothing.
    niter_fix_global
        Epochs in which, of the generator, only the outermost enhancer learns.
    lambda_feat
        Weight of feature matching and of VGG.
    matching
        Whether features are matched.
    least_squares
        Else cross-entropy.
    pool_size
        Earlier fakes that the discriminators are shown again.
    num_d, n_layers_d, ndf
        Scales, layers and channels of the discriminators.
    precision
        What convolutions are computed in.
    seed
        Of all that is drawn.
    """

    epoch: int
    lr: float = 0.0002
    beta1: float = 0.5
    niter: int = 100
    niter_decay: int = 100
    niter_fix_global: int = 0
    lambda_feat: float = 10.0
    matching: bool = True
    least_squares: bool = True
    pool_size: int = 0
    num_d: int = 2
    n_layers_d: int = 3
    ndf: int = 64
    precision: Precision = "float32"
    seed: int = 0

    def rate_at(self, pictures: int) -> float:
        """Return the learning rate when so many pictures were learned from.

        Examples
        --------
        >>> settings = TrainingSettings(epoch=10, lr=0.5, niter=2, niter_decay=4)
        >>> [settings.rate_at(10 * epoch) for epoch in range(6)]
        [0.5, 0.5, 0.5, 0.375, 0.25, 0.125]
        """
        beyond = max(pictures // self.epoch - self.niter, 0)
        return self.lr * max(1 - beyond / max(self.niter_decay, 1), 0.0)


@dataclass(frozen=True)
class Batch:
    """What a step learns from.

    Parameters
    ----------
    given
        Label maps (N, 1, H, W) int64, or pictures (N, C, H, W) float32.
    instances
        (N, 1, H, W) int64; None where they are not needed.
    real
        (N, C, H, W) float32 within [-1, 1].
    """

    given: torch.Tensor
    instances: torch.Tensor | None
    real: torch.Tensor

    def share(self, processes: Processes, device: torch.device) -> Batch:
        """Return what a process takes of it: every so many-th, on its device."""
        mine = slice(processes.rank, None, processes.count)
        instances = None if self.instances is None else self.instances[mine].to(device)
        return Batch(self.given[mine].to(device), instances, self.real[mine].to(device))


@dataclass
class Training:
    """Where a training stands; `steps.step` carries it on.

    Parameters
    ----------
    settings
        How the networks learn.
    inputs
        What the generator sees.
    generator, discriminator, encoder
        The networks; the encoder may be absent.
    generator_adam, discriminator_adam
        Their optimisers; the encoder learns with the generator.
    scaler
        Keeps gradients of 16 bits within their range.
    pool
        Earlier fakes.
    alike
        VGG, if its loss is wanted.
    steps, pictures
        What was done so far.
    processes
        Those that train together.
    """

    settings: TrainingSettings
    inputs: Inputs
    generator: Generator
    discriminator: MultiscaleDiscriminator
    encoder: Encoder | None
    generator_adam: torch.optim.Adam
    discriminator_adam: torch.optim.Adam
    scaler: torch.amp.GradScaler
    pool: Pool
    alike: vgg.Vgg | None = None
    steps: int = 0
    pictures: int = 0
    processes: Processes = ALONE

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.generator.parameters()).device

    @property
    def epochs(self) -> int:
        """Epochs that are done."""
        return self.pictures // self.settings.epoch

    def lower(self) -> torch.autocast:
        """Return the context in which convolutions have the precision of the settings."""
        precision = self.settings.precision
        return torch.autocast(
            self.device.type,
            torch.float16 if precision == "float16" else torch.bfloat16,
            enabled=precision != "float32",
        )


def start(
    settings: TrainingSettings,
    inputs: Inputs,
    generator: GeneratorSettings,
    encoder: EncoderSettings | None = None,
    device: str | torch.device = "cpu",
    *,
    alike: vgg.Vgg | None = None,
    processes: Processes = ALONE,
) -> Training:
    """Return a training of new networks."""
    seed = Seed.root(settings.seed)
    g = build(generator, seed.at("generator").number).to(device)
    d = MultiscaleDiscriminator(
        inputs.conditions + generator.output_nc,
        settings.ndf,
        settings.n_layers_d,
        settings.num_d,
        norm=generator.norm,
        seed=seed.at("discriminator").number,
    ).to(device)
    e = None if encoder is None else Encoder(encoder, seed.at("encoder").number).to(device)
    learning = [*g.parameters(), *([] if e is None else e.parameters())]
    kind = torch.device(device).type
    return Training(
        settings=settings,
        inputs=inputs,
        generator=g,
        discriminator=d,
        encoder=e,
        generator_adam=_adam(learning, settings),
        discriminator_adam=_adam(d.parameters(), settings),
        scaler=torch.amp.GradScaler(kind, enabled=settings.precision == "float16"),
        pool=Pool(settings.pool_size),
        alike=None if alike is None else alike.to(device),
        processes=processes,
    )


def _adam(parameters: Iterable[torch.nn.Parameter], settings: TrainingSettings) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=settings.lr, betas=(settings.beta1, 0.999))


@contextmanager
def still(training: Training) -> Iterator[None]:
    """Let networks make pictures without learning from them."""
    networks = [training.generator, training.encoder]
    try:
        for network in networks:
            if network is not None:
                network.eval()
        with torch.no_grad(), training.lower():
            yield
    finally:
        for network in networks:
            if network is not None:
                network.train()


def made(training: Training, batch: Batch) -> torch.Tensor:
    """Return the pictures (N, C, H, W) that the generator makes of a batch."""
    mine = batch.share(ALONE, training.device)
    with still(training):
        seen = conditions(mine.given, mine.instances, training.inputs)
        pictures: torch.Tensor = training.generator(with_codes(training, seen, mine))
    return pictures.float()


def codes_of(training: Training, batch: Batch) -> torch.Tensor | None:
    """Return the codes (N, feat_num, H, W) of a batch's real pictures; None without an encoder."""
    if training.encoder is None:
        return None
    over = batch.given if training.inputs.label_feat else batch.instances
    assert over is not None
    codes: torch.Tensor = training.encoder(batch.real, over)
    return codes


def with_codes(training: Training, seen: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return conditions (N, conditions, H, W) with codes below them, if the generator sees some."""
    codes = codes_of(training, batch)
    return seen if codes is None else torch.cat([seen, codes], dim=1)
