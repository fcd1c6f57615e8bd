"""`bench generate masks`: pictures, masks, labels and outlines that a trained network makes."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.table import Table

from adapters import console
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generators.masks.control import Dial, Setting
    from generators.masks.making import Made, Making
    from generators.masks.networks import MaskNetwork
    from generators.masks.plans import Plan

Flag = Annotated[bool, Parameter(negative="")]


def masks(
    *,
    network: str,
    out: Path | None = None,
    seeds: str | None = None,
    trunc: float = 1.0,
    translate: str = "0,0",
    rotate: float = 0.0,
    class_: Annotated[int | None, Parameter(name="--class")] = None,
    level: str | None = None,
    diameter: float = 28.0,
    smallest: float = 0.0,
    size: int | None = None,
    mix: str | None = None,
    layers: str | None = None,
    interpolate: Literal["gif", "apng"] | None = None,
    frames: int = 24,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    solve: bool = True,
    styles: Flag = False,
    json: Flag = False,
) -> None:
    """Generate masks, labels and sub-pixel outlines with a trained network.

    What each file holds, and how objects are told apart, is in docs/generating-masks.md.

    Parameters
    ----------
    network
        A .safetensors file, or a shipped network: nuclei (an object a picture), fields.
    out
        The folder to make. It must not exist; it appears when all is complete.
    seeds
        Such as 0-99 or 1,5,7-9. A seed gives the same picture whatever else is asked for.
    trunc
        Truncation: 1 for all variety, towards 0 for ever more typical pictures.
    translate
        Move by X,Y in picture widths, to the right and down.
    rotate
        Turn by so many degrees, clockwise as seen.
    class_
        The class, of a network that has classes.
    level
        Where inside begins: a number from -1 (black) to 1 (white), `cellgen` for its grey of 240,
        or `grey:N` for N of 255; by default what the network was trained for.
    diameter
        Of single objects, pixels to the median diameter of their population.
    smallest
        Regions of fewer pixels are no objects, in fields and pictures.
    size
        Of fields and pictures, the side in px that they are scaled to before outlines are drawn; by
        default as the network makes them.
    mix
        ROWS:COLS, such as 0-3:10-15: a picture of each two, with some layers' styles from the
        column's seed and the others from the row's.
    layers
        Which layers take the column's styles, such as 4-8; by default the first half.
    interpolate
        Write an animation that goes through the seeds and back, in place of single files.
    frames
        Frames from a seed to the next.
    set_
        NAME=VALUE: a style that the shapes shall have, such as elongation=1.8 or size=80%, a
        percentile of what the network makes by itself; may be repeated.
    solve
        With `--no-solve`, styles take the calibrated step alone and are not corrected on each
        picture: faster, and less exact.
    styles
        Print which styles can be set, how far and how exactly, and make nothing.
    json
        Print the record, or the styles, as JSON.
    """
    # Help needs no torch.
    from generators.masks import control, plans  # noqa: PLC0415
    from generators.masks import making as how  # noqa: PLC0415
    from generators.masks.networks import open_network  # noqa: PLC0415

    source = open_network(network)
    dials = control.dials_of(source)
    if styles:
        show_styles(dials, json=json)
        return
    making = how.Making(
        truncation=trunc,
        translate=plans.pair(translate),
        rotate=rotate,
        label=class_,
        level=None if level is None else plans.level(level),
        diameter=diameter,
        smallest=smallest,
        size=size,
    )
    how.check(source, making)
    wanted = control.wanted(set_ or [], dials)
    if out is None:
        raise BenchError("there is no place for what is made", mend="name one: --out FOLDER")
    if mix is not None and seeds is None and interpolate is None:
        plan = plans.grid(source, mix, layers, making)
    elif mix is not None or seeds is None:
        raise BenchError(
            "it takes one of --seeds and --mix, and only seeds can be interpolated",
            mend="for example --seeds 0-99, --seeds 0-4 --interpolate gif, or --mix 0-3:10-15",
        )
    elif interpolate is None:
        plan = plans.one_each(source, seeds, making)
    else:
        plan = plans.loop(source, seeds, frames, making)
    setting = control.Setting(wanted, dials, solve)
    record = _write(out, source, plan, making, setting, animated=interpolate)
    if json:
        console.print_json(record)
        return
    objects = sum(row["objects"] for row in record["made"])
    console.out.print(f"{len(record['made'])} pictures, {objects} objects")
    console.out.print(f"in {out.absolute()}")


def show_styles(dials: Mapping[str, Dial], *, json: bool) -> None:
    """Print what can be set, how far, and how exactly."""
    rows = {name: dial.to_dict() for name, dial in dials.items()}
    if json:
        console.print_json(rows)
        return
    if not rows:
        console.out.print("no styles can be set; find them with: bench weights calibrate FILE")
        return
    table = Table(box=None)
    for heading in ("style", "low", "median", "high", "error", "slope", "error solved", "slope"):
        table.add_column(heading, justify="left" if heading == "style" else "right")
    figures = ("low", "median", "high", "error", "slope", "solved_error", "solved_slope")
    for name, row in rows.items():
        table.add_row(name, *(f"{row[figure]:.3g}" for figure in figures))
    console.out.print(table)


def _write(
    out: Path,
    network: MaskNetwork,
    plan: Plan,
    making: Making,
    setting: Setting,
    *,
    animated: Literal["gif", "apng"] | None,
) -> dict[str, Any]:
    """Make what is planned, write it, and return the record of it."""
    from benchmark.dataset.whole import whole_folder  # noqa: PLC0415
    from generators.masks import results  # noqa: PLC0415
    from generators.masks.control import restyled  # noqa: PLC0415
    from generators.masks.making import made  # noqa: PLC0415

    def each(tell: Callable[[int, int], None]) -> Iterator[Made]:
        for done, latent in enumerate(plan.latents, start=1):
            yield made(network, restyled(network, latent, setting, making), making)
            tell(done, len(plan.latents))

    with whole_folder(out) as folder, console.counting("making") as tell:
        if animated is None:
            rows = results.write(folder, each(tell), plan.columns, corner=plan.corner)
        else:
            suffix = {"gif": "gif", "apng": "png"}[animated]
            rows = results.write_animation(folder / f"animation.{suffix}", each(tell))
        options = {**asdict(making), "set": dict(setting.styles), "solve": setting.solve}
        record = results.record(network, options, rows)
        text = json_format.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / "record.json").write_text(text + "\n", encoding="utf-8")
    return record
