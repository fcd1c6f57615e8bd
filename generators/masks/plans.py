"""What is asked for in words: seeds, grids of mixed styles, ways through seeds, levels."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmark.errors import BenchError
from generators.masks.making import drawn, interpolated, mixed
from generators.masks.tools import GREY, level_of

if TYPE_CHECKING:
    from generators.masks.making import Latent, Making
    from generators.masks.networks import MaskNetwork

MOST = 100_000
"""Pictures that are made at once."""


@dataclass(frozen=True)
class Plan:
    """What is to be made.

    Attributes
    ----------
    latents
        In order.
    columns
        Of the sheet; None for as many as rows.
    corner
        Whether the sheet begins with an empty place.
    """

    latents: tuple[Latent, ...]
    columns: int | None = None
    corner: bool = False


def numbers(text: str) -> list[int]:
    """Return the numbers that ranges stand for, each once, in the order given.

    Raises
    ------
    BenchError
        If it is no list of whole numbers and ranges, or too long.

    Examples
    --------
    >>> numbers("0-3,8,2")
    [0, 1, 2, 3, 8]
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})(?:-(\d{1,18}))?\s*", part, re.ASCII)
        low = int(match[1]) if match else 0
        high = int(match[2] or low) if match else -1
        if not low <= high:
            raise BenchError(
                f"{part!r} is no number and no range of numbers",
                mend="write them as 0-99, or 1,5,7-9: whole, and from 0 on",
            )
        if high - low + len(found) >= MOST:
            raise BenchError(
                f"{text!r} are more than {MOST:,} pictures", mend="make them in several calls"
            )
        found |= dict.fromkeys(range(low, high + 1))
    return list(found)


def one_each(network: MaskNetwork, seeds: str, making: Making) -> Plan:
    """Return the plan that makes a picture of each seed."""
    return Plan(tuple(drawn(network, numbers(seeds), making)))


def grid(network: MaskNetwork, mix: str, layers: str | None, making: Making) -> Plan:
    """Return the plan of mixed styles: a head row, then each row's seed and its mixtures.

    Parameters
    ----------
    network
        What makes the pictures.
    mix
        ROWS:COLUMNS, each as `numbers` has them.
    layers
        Which layers take the column's styles, as 4-8; default: the first half.
    making
        How pictures are made.

    Raises
    ------
    BenchError
        If the words cannot be read, or the network has no such layers.
    """
    rows, colon, columns = mix.partition(":")
    if not colon:
        raise BenchError(f"{mix!r} names no columns", mend="write ROWS:COLUMNS, such as 0-3:10-15")
    count = network.generator.synthesis.num_styles
    chosen = numbers(layers) if layers is not None else list(range(count // 2))
    if max(chosen) >= count:
        raise BenchError(
            f"the network has no layer {max(chosen)}", mend=f"choose among 0 to {count - 1}"
        )
    heads = [_renamed(latent, "column") for latent in drawn(network, numbers(columns), making)]
    sides = [_renamed(latent, "row") for latent in drawn(network, numbers(rows), making)]
    if len(heads) * len(sides) > MOST:
        raise BenchError(f"{mix!r} are more than {MOST:,} pictures", mend="mix fewer seeds")
    every = [*heads]
    for side in sides:
        every += [side, *(mixed(side, head, chosen) for head in heads)]
    return Plan(tuple(every), columns=len(heads) + 1, corner=True)


def _renamed(latent: Latent, what: str) -> Latent:
    seed = latent.about["seed"]
    return replace(latent, name=f"{what}{seed:04d}", about={what: seed})


def loop(network: MaskNetwork, seeds: str, frames: int, making: Making) -> Plan:
    """Return the plan of an animation that goes through seeds and back to the first.

    Raises
    ------
    BenchError
        If there are too few seeds, or too many frames.
    """
    ends = numbers(seeds)
    if len(ends) < 2:
        raise BenchError("a way needs two seeds or more", mend="for example --seeds 0-4")
    if not 1 <= frames <= MOST // len(ends):
        raise BenchError(
            f"{frames} frames from each seed to the next are out of their limits",
            mend=f"take 1 to {MOST // len(ends)}",
        )
    return Plan(tuple(interpolated(list(drawn(network, ends, making)), frames)))


def level(text: str) -> float:
    """Return a level of -1 to 1: a number, `cellgen`, or `grey:N` for N of 255.

    Raises
    ------
    BenchError
        If it is none of these.

    Examples
    --------
    >>> level("0.5"), round(level("cellgen"), 3), level("grey:255")
    (0.5, 0.882, 1.0)
    """
    if text == "cellgen":
        return level_of(GREY)
    try:
        if text.startswith("grey:"):
            return level_of(float(text.removeprefix("grey:")))
        return float(text)
    except ValueError:
        raise BenchError(
            f"{text!r} is no level", mend="write a number from -1 to 1, cellgen, or grey:N"
        ) from None


def pair(text: str) -> tuple[float, float]:
    """Return two numbers.

    Raises
    ------
    BenchError
        If there are not two.

    Examples
    --------
    >>> pair("0.1,-0.25")
    (0.1, -0.25)
    """
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise BenchError(
            f"{text!r} are not two numbers", mend="write X,Y, such as 0.1,-0.25"
        ) from None
    return x, y
