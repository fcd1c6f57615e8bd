"""From the options of a training to its settings: what is left open is decided here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING

from benchmark.errors import RunError
from generators.pix2pixhd.encoder import EncoderSettings
from generators.pix2pixhd.options import flag
from generators.pix2pixhd.resizing import Resizing
from generators.pix2pixhd.settings import GeneratorSettings, Inputs

if TYPE_CHECKING:
    from generators.pix2pixhd.folders import Source
    from generators.pix2pixhd.greys import Greys
    from generators.pix2pixhd.options import InputOptions, LearningOptions, NetworkOptions

_LABELS, _SIDE, _SET_SIDE, _COLOURS = 35, 512, 256, 3


@dataclass(frozen=True)
class Plan:
    """What is trained, from what.

    Parameters
    ----------
    options
        Of inputs, with nothing left open.
    inputs
        What the generator sees.
    generator
        What it is made of.
    encoder
        What the encoder of codes is made of; None: there is none.
    resizing
        What is done to sizes.
    """

    options: InputOptions
    inputs: Inputs
    generator: GeneratorSettings
    encoder: EncoderSettings | None
    resizing: Resizing


def planned(options: InputOptions, networks: NetworkOptions, source: Source) -> Plan:
    """Return what options come to for a source.

    Raises
    ------
    RunError
        They contradict each other or the source.
    """
    options = _filled(options, source)
    coded = options.instance_feat or options.label_feat
    assert options.label_nc is not None
    assert options.input_nc is not None
    assert options.output_nc is not None
    try:
        inputs = Inputs(
            options.label_nc,
            options.input_nc,
            edges=not options.no_instance,
            feat_num=options.feat_num if coded else 0,
            label_feat=options.label_feat,
        )
        own = {field.name for field in fields(GeneratorSettings)}
        given = {name: value for name, value in asdict(networks).items() if name in own}
        generator = GeneratorSettings(inputs.channels, options.output_nc, **given)
        encoder = EncoderSettings(
            options.output_nc,
            options.feat_num,
            options.nef,
            options.n_downsample_e,
            networks.norm,
        )
    except ValueError as error:
        raise RunError(
            f"such networks cannot be made: {error}", mend="choose the option within its limits"
        ) from error
    multiple = max(generator.multiple, 2**encoder.n_downsample if coded else 1)
    options = _sized(options, source, multiple)
    assert options.resize_or_crop is not None
    assert options.fine_size is not None
    resizing = Resizing(options.resize_or_crop, options.load_size, options.fine_size, multiple)
    return Plan(options, inputs, generator, encoder if coded else None, resizing)


def _filled(options: InputOptions, source: Source) -> InputOptions:
    """Return options with channels, whether given or by the source."""
    labelled = source.labelled
    of_set = bool(labelled)
    label_nc = options.label_nc
    if label_nc is None:
        label_nc = _LABELS if labelled is None else labelled
    elif labelled == 0 and label_nc:
        raise RunError(
            "A and B folders hold pictures, which have no labels",
            where=source.where(0).parent,
            mend="leave out --label_nc, or call the folders train_label and train_img",
        )
    wanted = source.wanted(0)
    if wanted is None:
        raise RunError(
            "there are no real pictures to learn from",
            where=source.where(0).parent,
            mend="put them beside, in train_img for train_label, in train_B for train_A",
        )
    input_nc = options.input_nc or (1 if of_set else _COLOURS)
    output_nc = options.output_nc or (len(wanted) if of_set else _COLOURS)
    return replace(options, label_nc=label_nc, input_nc=input_nc, output_nc=output_nc)


def _sized(options: InputOptions, source: Source, multiple: int) -> InputOptions:
    """Return options with sizes, whether given or by the source."""
    of_set = bool(source.labelled)
    mode = options.resize_or_crop or ("crop" if of_set else "scale_width")
    side = options.fine_size
    if side is None:
        side = _SIDE
        if of_set:
            smallest = min(source.given(0).shape[1:])
            side = max(min(_SET_SIDE, smallest) // multiple, 1) * multiple
    if "crop" in mode and (side % multiple or side < 2 * multiple):
        raise RunError(
            f"{flag('fine_size')} {side} is no multiple of {multiple}, from {2 * multiple} on",
            mend=f"choose {max(round(side / multiple), 2) * multiple}, or fewer halvings",
        )
    scales = mode not in {"crop", "none"}
    if scales and options.load_size < 2 * multiple:
        raise RunError(
            f"{flag('load_size')} {options.load_size} is below {2 * multiple}",
            mend="enlarge it, or choose fewer halvings: --n_downsample_global",
        )
    if scales and "crop" in mode and side > options.load_size:
        raise RunError(
            f"{flag('fine_size')} {side} is larger than {flag('load_size')} {options.load_size}",
            mend="swap them",
        )
    return replace(options, resize_or_crop=mode, fine_size=side)


def check(learning: LearningOptions, networks: NetworkOptions, processes: int) -> None:
    """Raise a RunError where options of learning are out of their limits or contradict others."""
    for name in ("batch_size", "lr", "niter"):
        if getattr(learning, name) <= 0:
            raise RunError(f"{flag(name)} {getattr(learning, name):g} is not above 0")
    for name in ("niter_decay", "niter_fix_global", "lambda_feat", "pool_size"):
        if getattr(learning, name) < 0:
            raise RunError(f"{flag(name)} {getattr(learning, name):g} is below 0")
    if not 0 <= learning.beta1 < 1:
        raise RunError(f"--beta1 {learning.beta1:g} is not within 0 and 1")
    for name, most in (("num_d", 8), ("n_layers_d", 8), ("ndf", 2**12)):
        if not 1 <= getattr(networks, name) <= most:
            raise RunError(f"{flag(name)} {getattr(networks, name)} is not within 1 and {most}")
    _check_together(learning, networks, processes)


def _check_together(learning: LearningOptions, networks: NetworkOptions, processes: int) -> None:
    """Raise a RunError where options exclude each other."""
    if learning.fp16 and learning.bf16:
        raise RunError("--fp16 and --bf16 exclude each other", mend="leave out one")
    if learning.niter_fix_global and networks.net_g == "global":
        raise RunError(
            "--niter_fix_global is for enhancers, and there are none", mend="choose --netG local"
        )
    if learning.batch_size % processes:
        raise RunError(
            f"{flag('batch_size')} {learning.batch_size} is no multiple of {processes} processes",
            mend="change it, or --gpus",
        )
    if learning.pool_size and processes > 1:
        raise RunError(
            "a pool of earlier fakes is for one process", mend="leave out --pool_size or --gpus"
        )


def settings_notes(plan: Plan, greys: Greys, given: Greys) -> dict[str, object]:
    """Return what is told of a network's inputs and outputs in its file.

    Parameters
    ----------
    plan
        What was trained.
    greys
        Of the pictures that it makes.
    given
        Of the pictures that it is given, of no meaning with labels.
    """
    return {
        "inputs": asdict(plan.inputs),
        "greys": asdict(greys),
        "given_greys": asdict(given),
        "resizing": asdict(plan.resizing),
    }
