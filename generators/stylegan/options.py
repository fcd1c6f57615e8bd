"""The options of a training, by the names that users of the original know.

What is left open here is decided by `plan.resolved`, once the pictures are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from generators.stylegan.settings import Cfg  # noqa: TC001 - the command line reads it

Aug = Literal["noaug", "ada", "fixed"]


@dataclass(frozen=True)
class Options:
    """How networks are made and learn.

    Parameters
    ----------
    cfg
        stylegan3-t (equivariant to translation), stylegan3-r (to rotation too), stylegan2; by
        default stylegan3-t, with --resume as the network.
    batch
        Pictures a step, of all processes together.
    batch_gpu
        Pictures that a process works on at once; gradients add up. By default its whole share.
    gamma
        Weight of R1; by default 0.0002 · resolution² / batch (arXiv 2006.06676).
    gamma_final
        Weight of R1 that is come to at the end, by one factor a picture; by default it stays.
    r1_every
        Steps between penalties of R1.
    cond
        Learn classes, if the data has them.
    mirror
        Learn from mirror images too.
    aug
        What the discriminator is kept from overfitting by: ada (as much augmentation as is needed),
        fixed, noaug (none).
    augpipe
        Which augmentations: blit, geom, color, filter, noise, cutout, bg, bgc, bgcfnc. By default
        bg for distance maps, whose values are lengths, and bgc for pictures.
    p
        Probability of each augmentation with --aug fixed; by default 0.2.
    target
        What --aug ada holds the mean sign of the discriminator's verdict on real pictures to.
    ada_kimg
        Thousands of pictures in which --aug ada can go from none to all; by default 500, with
        --resume 100.
    freezed
        Layers of the discriminator, from the picture on, that do not learn.
    cbase
        Channels of a layer are this over twice its cutoff; by default 16 · resolution. The
        original's is 32768.
    cmax
        Channels of a layer at most; by default 64. The original's is 512.
    d_cbase
        As --cbase, for the discriminator; by default the same.
    d_cmax
        As --cmax, for the discriminator; by default the same.
    z_dim
        Length of a latent; by default cmax, at least 64. The original's is 512.
    w_dim
        Length of a style; by default as z_dim.
    glr
        Learning rate of the generator; by default 0.0025, for stylegan2 0.002.
    dlr
        Learning rate of the discriminator.
    map_depth
        Layers of the mapping network; by default 2, for stylegan2 8.
    map_rate
        What its learning rate is multiplied by; by default 0.01.
    mbstd_group
        Pictures over which the minibatch's standard deviation is taken.
    num_layers
        Alias-free layers; by default 2 log₂(resolution) - 4, within 6 and 14.
    margin_size
        Samples beyond the border that alias-free layers see; by default 6 to 32 px, else 10.
    mixing
        Share of batches in which styles are mixed; by default 0, for stylegan2 0.9.
    pl_weight
        Weight of path lengths; by default 0, for stylegan2 2.
    ema_kimg
        Half-life of the averaged generator in thousands of pictures; by default batch · 10 / 32.
    ema_rampup
        That half-life, at first, as a share of the pictures seen; 0: no ramp. By default 0.05, with
        --resume 0.
    blur_sigma
        Blur in pixels that the discriminator sees through at first; by default 0, for stylegan3-r
        a sixteenth of the resolution up to 10, with --resume 0.
    blur_kimg
        Thousands of pictures until it is gone; by default batch · 200 / 32.
    seed
        Of all that is drawn.
    """

    cfg: Cfg | None = None
    batch: int = 8
    batch_gpu: int | None = None
    gamma: float | None = None
    gamma_final: float | None = None
    r1_every: int = 16
    cond: bool = False
    mirror: bool = False
    aug: Aug = "ada"
    augpipe: (
        Literal["blit", "geom", "color", "filter", "noise", "cutout", "bg", "bgc", "bgcfnc"] | None
    ) = None
    p: float = 0.2
    target: float = 0.6
    ada_kimg: float | None = None
    freezed: int = 0
    cbase: int | None = None
    cmax: int | None = None
    d_cbase: int | None = None
    d_cmax: int | None = None
    z_dim: int | None = None
    w_dim: int | None = None
    glr: float | None = None
    dlr: float = 0.002
    map_depth: int | None = None
    map_rate: float | None = None
    mbstd_group: int = 4
    num_layers: int | None = None
    margin_size: int | None = None
    mixing: float | None = None
    pl_weight: float | None = None
    ema_kimg: float | None = None
    ema_rampup: float | None = None
    blur_sigma: float | None = None
    blur_kimg: float | None = None
    seed: int = 0
