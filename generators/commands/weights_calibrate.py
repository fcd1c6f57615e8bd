"""`bench weights calibrate`: find which styles of a network can be set, and keep it in its file."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from adapters import console
from benchmark.errors import BenchError

Flag = Annotated[bool, Parameter(negative="")]


def calibrate(
    network: Path,
    *,
    out: Path | None = None,
    samples: Annotated[int, Parameter(validator=Number(gte=100, lte=1_000_000))] = 2000,
    seed: int = 0,
    json: Flag = False,
) -> None:
    """Find which styles of a network of masks can be set, how far and how exactly.

    Makes some pictures, measures them, and looks for the steps that change one measurement alone.
    What it finds is kept in the file, for `bench generate masks --set`.

    Parameters
    ----------
    network
        A .safetensors file of a generator.
    out
        Where to write the network with its styles; by default the file itself.
    samples
        The more pictures, the better the steps; it makes about four times as many.
    seed
        Of the pictures.
    json
        Print the styles as JSON.
    """
    from generators.commands.generate_masks import show_styles  # noqa: PLC0415 - help needs no torch
    from generators.masks.calibrating import calibrated  # noqa: PLC0415
    from generators.masks.control import to_json  # noqa: PLC0415
    from generators.masks.networks import open_network  # noqa: PLC0415
    from generators.stylegan.files import save  # noqa: PLC0415

    opened = open_network(network)
    with console.counting("measuring") as tell:
        dials = calibrated(opened, samples=samples, seed=seed, done=tell)
    if not dials:
        raise BenchError(
            "none of its measurements follows any step, so no style can be set",
            where=network,
            mend="train the network for longer, or calibrate with more samples",
        )
    save(out or opened.path, opened.generator, notes=opened.notes | {"styles": to_json(dials)})
    show_styles(dials, json=json)
    if not json:
        console.out.print(f"in {out or opened.path}")
