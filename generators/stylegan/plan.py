"""From the options of a training to its settings: what is left open is decided here.

Defaults are the original's where they do not depend on its pictures of a thousand pixels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import log2
from typing import TYPE_CHECKING, Any

from benchmark.errors import RunError
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings

if TYPE_CHECKING:
    from generators.stylegan.options import Options
    from generators.stylegan.training import TrainingSettings

_LEARNING = (
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
"""Options that the settings of a training call the same."""


@dataclass(frozen=True)
class Subject:
    """What the options are decided for.

    Parameters
    ----------
    resolution, channels
        Of the pictures.
    c_dim
        Classes they have; 0: none.
    distances
        Whether their values are lengths.
    processes
        How many train together.
    network
        The trained generator that is started from, if there is one.
    """

    resolution: int
    channels: int = 1
    c_dim: int = 0
    distances: bool = False
    processes: int = 1
    network: GeneratorSettings | None = None


def resolved(options: Options, subject: Subject) -> Options:
    """Return options with nothing left open.

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
    if options.batch < 1:
        raise RunError(f"--batch {options.batch} is below 1", mend="choose it otherwise")
    kind = "stylegan3-t" if subject.network is None else subject.network.cfg
    options = replace(options, cfg=options.cfg or kind)
    chosen = replace(
        options,
        batch_gpu=options.batch_gpu or max(options.batch // subject.processes, 1),
        augpipe=options.augpipe or ("bg" if subject.distances else "bgc"),
        **_sizes(options, subject),
        **_rates(options, subject),
    )
    _check(chosen, subject)
    return chosen


def _sizes(options: Options, subject: Subject) -> dict[str, Any]:
    """Return what networks are made of: as the one that is started from, else by resolution."""
    like, side = subject.network, subject.resolution
    if like is not None:
        defaults = {name: getattr(like, name) for name in ("cbase", "cmax", "z_dim", "w_dim")}
        defaults |= {"map_depth": like.depth, "num_layers": like.num_layers}
        defaults |= {"margin_size": like.margin_size}
    else:
        cmax = options.cmax or 64
        z_dim = options.z_dim or max(cmax, 64)
        defaults = {"cbase": 16 * side, "cmax": cmax, "z_dim": z_dim, "w_dim": z_dim}
        defaults |= {"map_depth": 8 if options.cfg == "stylegan2" else 2}
        defaults |= {"num_layers": min(max(2 * round(log2(side)) - 4, 6), 14)}
        defaults |= {"margin_size": 6 if side <= 32 else 10}
    given = {name: getattr(options, name) for name in defaults}
    return {name: defaults[name] if value is None else value for name, value in given.items()}


def _rates(options: Options, subject: Subject) -> dict[str, Any]:
    """Return how fast things go, and how much weight they have."""
    old, rotated = options.cfg == "stylegan2", options.cfg == "stylegan3-r"
    resumed, batch, side = subject.network is not None, options.batch, subject.resolution
    like = subject.network
    defaults = {
        "gamma": 0.0002 * side**2 / batch,
        "ada_kimg": 100.0 if resumed else 500.0,
        "glr": 0.002 if old else 0.0025,
        "map_rate": 0.01 if like is None else like.mapping_rate,
        "mixing": 0.9 if old else 0.0,
        "pl_weight": 2.0 if old else 0.0,
        "ema_kimg": batch * 10 / 32,
        "ema_rampup": 0.0 if resumed else 0.05,
        "blur_sigma": min(10.0, side / 16) if rotated and not resumed else 0.0,
        "blur_kimg": batch * 200 / 32,
    }
    given = {name: getattr(options, name) for name in defaults}
    return {name: defaults[name] if value is None else value for name, value in given.items()}


def _check(options: Options, subject: Subject) -> None:
    """Raise a RunError where resolved options contradict each other or the data."""
    share = (options.batch_gpu or 1) * subject.processes
    if share < 1 or options.batch % share:
        raise RunError(
            f"a batch of {options.batch} is no multiple of {share}, what {subject.processes} "
            f"process(es) take at {options.batch_gpu} pictures each",
            mend="change --batch, --batch-gpu or --gpus",
        )
    if options.cond and not subject.c_dim:
        raise RunError(
            "the data has no classes to learn",
            mend="leave out --cond, or give the pictures classes in dataset.json",
        )
    for name in ("p", "target", "mixing", "ema_rampup"):
        value = getattr(options, name)
        if not 0 <= value <= 1:
            raise RunError(f"{flag(name)} {value:g} is not between 0 and 1", mend="choose it so")
    for name in ("r1_every", "glr", "dlr", "ada_kimg", "blur_kimg", "ema_kimg", "mbstd_group"):
        value = getattr(options, name)
        if value <= 0:
            raise RunError(f"{flag(name)} {value:g} is not above 0", mend="choose it so")
    for name in ("gamma", "pl_weight", "blur_sigma", "freezed"):
        value = getattr(options, name)
        if value < 0:
            raise RunError(f"{flag(name)} {value:g} is below 0", mend="choose it otherwise")
    if options.gamma_final is not None and min(options.gamma_final, options.gamma or 0.0) <= 0:
        raise RunError(
            "R1 cannot come down to, or from, no weight at all",
            mend="give --gamma and --gamma-final above 0",
        )


def flag(name: str) -> str:
    """Return what an option is called on the command line.

    Examples
    --------
    >>> flag("batch_gpu")
    '--batch-gpu'
    """
    return "--" + name.replace("_", "-")


def generator_settings(options: Options, subject: Subject) -> GeneratorSettings:
    """Return what the generator of resolved options is made of.

    Raises
    ------
    RunError
        A number is out of its limits.
    """
    made = {
        "resolution": subject.resolution,
        "channels": subject.channels,
        "c_dim": subject.c_dim if options.cond else 0,
        "mapping_depth": options.map_depth,
        "mapping_rate": options.map_rate,
        **{
            name: getattr(options, name)
            for name in ("cfg", "cbase", "cmax", "z_dim", "w_dim", "num_layers", "margin_size")
        },
    }
    try:
        if subject.network is not None:
            return replace(subject.network, **made)
        return GeneratorSettings(**made)
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
            cbase=options.d_cbase or options.cbase or 0,
            cmax=options.d_cmax or options.cmax or 0,
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
    from generators.stylegan.training import TrainingSettings  # noqa: PLC0415 - torch is slow

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
        ema_rampup=options.ema_rampup or None,
        **{name: given[name] for name in _LEARNING},
    )


def _out_of_limits(error: ValueError) -> RunError:
    return RunError(f"such networks cannot be made: {error}", mend="choose the option within them")
