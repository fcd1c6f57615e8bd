"""From the options of a training to its settings: what is left open is decided here.

Defaults are the original's where they do not depend on its pictures of a thousand pixels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import log2
from typing import TYPE_CHECKING

from benchmark.errors import RunError
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings

if TYPE_CHECKING:
    from generators.stylegan.options import Options
    from generators.stylegan.training import TrainingSettings


@dataclass(frozen=True)
class Subject:
    """What the pictures are like that options are decided for.

    Parameters
    ----------
    resolution, channels
        Of the pictures.
    c_dim
        Classes they have; 0: none.
    distances
        Whether their values are lengths.
    """

    resolution: int
    channels: int = 1
    c_dim: int = 0
    distances: bool = False


def resolved(
    options: Options, subject: Subject, processes: int = 1, *, resume: bool = False
) -> Options:
    """Return options with nothing left open.

    Parameters
    ----------
    options
        As the user gave them.
    subject
        What is learned.
    processes
        How many train together.
    resume
        Whether the training starts from trained networks.

    Raises
    ------
    RunError
        Options contradict each other or the data.

    Examples
    --------
    >>> from generators.stylegan.options import Options
    >>> made = resolved(Options(batch=16), Subject(resolution=32))
    >>> made.gamma, made.cbase, made.num_layers, made.batch_gpu
    (0.0128, 512, 6, 16)
    """
    old, rotated = options.cfg == "stylegan2", options.cfg == "stylegan3-r"
    side, batch = subject.resolution, options.batch
    z_dim = options.z_dim or max(options.cmax, 64)
    blur = min(10.0, side / 16) if rotated and not resume else 0.0
    chosen = replace(
        options,
        batch_gpu=options.batch_gpu or max(batch // processes, 1),
        gamma=_or(options.gamma, 0.0002 * side**2 / batch),
        augpipe=options.augpipe or ("bg" if subject.distances else "bgc"),
        ada_kimg=_or(options.ada_kimg, 100.0 if resume else 500.0),
        cbase=options.cbase or 16 * side,
        z_dim=z_dim,
        w_dim=options.w_dim or z_dim,
        glr=_or(options.glr, 0.002 if old else 0.0025),
        map_depth=options.map_depth or (8 if old else 2),
        num_layers=options.num_layers or min(max(2 * round(log2(side)) - 4, 6), 14),
        margin_size=_or(options.margin_size, 6 if side <= 32 else 10),
        mixing=_or(options.mixing, 0.9 if old else 0.0),
        pl_weight=_or(options.pl_weight, 2.0 if old else 0.0),
        ema_kimg=_or(options.ema_kimg, batch * 10 / 32),
        ema_rampup=_or(options.ema_rampup, 0.0 if resume else 0.05),
        blur_sigma=_or(options.blur_sigma, blur),
        blur_kimg=_or(options.blur_kimg, batch * 200 / 32),
    )
    _check(chosen, subject, processes)
    return chosen


def _or(given: float | None, default: float) -> float:
    return default if given is None else given


def _check(options: Options, subject: Subject, processes: int) -> None:
    """Raise a RunError where options contradict each other or the data."""
    share = (options.batch_gpu or 1) * processes
    if options.batch % share:
        raise RunError(
            f"a batch of {options.batch} is no multiple of {share}, what {processes} processes "
            f"take at {options.batch_gpu} pictures each",
            mend="change --batch, --batch-gpu or --gpus",
        )
    if options.cond and not subject.c_dim:
        raise RunError(
            "the data has no classes to learn",
            mend="leave out --cond, or give the pictures classes in dataset.json",
        )
    for name in ("p", "target", "mixing"):
        value = getattr(options, name)
        if not 0 <= value <= 1:
            raise RunError(f"--{name} {value:g} is not between 0 and 1", mend="choose it within")
    positive = ("batch", "r1_every", "glr", "dlr", "ada_kimg", "blur_kimg", "mbstd_group")
    for name in positive:
        value = getattr(options, name)
        if value <= 0:
            raise RunError(f"--{_flag(name)} {value:g} is not above 0", mend="choose it above 0")
    if options.gamma_final is not None and min(options.gamma_final, options.gamma or 0.0) <= 0:
        raise RunError(
            "R1 cannot come down to, or from, no weight at all",
            mend="give --gamma and --gamma-final above 0",
        )


def _flag(name: str) -> str:
    return name.replace("_", "-")


def generator_settings(options: Options, subject: Subject) -> GeneratorSettings:
    """Return what the generator of resolved options is made of.

    Raises
    ------
    RunError
        A number is out of its limits.
    """
    try:
        return GeneratorSettings(
            subject.resolution,
            channels=subject.channels,
            cfg=options.cfg,
            cbase=options.cbase or 0,
            cmax=options.cmax,
            z_dim=options.z_dim or 0,
            w_dim=options.w_dim or 0,
            c_dim=subject.c_dim if options.cond else 0,
            mapping_depth=options.map_depth,
            num_layers=options.num_layers or 0,
            margin_size=options.margin_size or 0,
        )
    except ValueError as error:
        raise _out_of_limits(error) from error


def discriminator_settings(options: Options, subject: Subject) -> DiscriminatorSettings:
    """Return what the discriminator of resolved options is made of.

    Raises
    ------
    RunError
        A number is out of its limits.
    """
    try:
        return DiscriminatorSettings(
            subject.resolution,
            channels=subject.channels,
            cbase=options.cbase or 0,
            cmax=options.cmax,
            c_dim=subject.c_dim if options.cond else 0,
            group=options.mbstd_group,
        )
    except ValueError as error:
        raise _out_of_limits(error) from error


def training_settings(options: Options, kimg: float) -> TrainingSettings:
    """Return how the networks of resolved options learn.

    Parameters
    ----------
    options
        Resolved.
    kimg
        Thousands of pictures until `gamma_final`.
    """
    from generators.stylegan.augmentation import AugmentationSettings  # noqa: PLC0415
    from generators.stylegan.training import TrainingSettings  # noqa: PLC0415

    augmentation = None
    if options.aug != "noaug":
        adapted = options.aug == "ada"
        augmentation = AugmentationSettings(
            pipe=options.augpipe or "bgc",
            p=0.0 if adapted else options.p,
            target=options.target if adapted else None,
            kimg=options.ada_kimg or 500.0,
        )
    given = asdict(options)
    return TrainingSettings(
        gamma_kimg=kimg,
        path_weight=options.pl_weight or 0.0,
        augmentation=augmentation,
        **{**{name: given[name] for name in _SAME}, "ema_rampup": options.ema_rampup or None},
    )


_SAME = (
    "gamma",
    "gamma_final",
    "glr",
    "dlr",
    "r1_every",
    "mixing",
    "ema_kimg",
    "blur_sigma",
    "blur_kimg",
    "freezed",
    "seed",
)


def _out_of_limits(error: ValueError) -> RunError:
    return RunError(f"such networks cannot be made: {error}", mend="choose the option within them")
