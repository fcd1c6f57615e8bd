"""Whole fields as CellGen makes them: label images drawn from a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchError
from generators.masks.control import Setting, dials_of, restyled
from generators.masks.making import Making, check, drawn, made
from generators.masks.networks import MaskNetwork, open_network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray


def sample_fields(
    n: int,
    rng: Generator,
    network: MaskNetwork | str | Path = "fields",
    making: Making | None = None,
    styles: Mapping[str, float] | None = None,
) -> list[NDArray[Any]]:
    """Draw label images of whole fields.

    Parameters
    ----------
    n
        How many.
    rng
        What their latents are drawn from; the same state gives the same fields.
    network
        A shipped network's name, a file, or what `open_network` returned.
    making
        How pictures are made; default: as the network was trained.
    styles
        Measurements that the objects shall have, by the names of the network's dials.

    Returns
    -------
    list of (S, S) uint16 or uint32
        Objects numbered from 1, 0 is background. Objects never touch by the side of a pixel.

    Raises
    ------
    BenchError
        If the network makes single objects, or cannot do what is asked for.
    """
    if not isinstance(network, MaskNetwork):
        network = open_network(network)
    if network.kind == "objects":
        raise BenchError(
            "the network makes single objects, not fields",
            where=network.path,
            mend="take a network of fields; single objects are the shapes of a recipe's scenes",
        )
    making = making or Making()
    check(network, making)
    setting = Setting(styles or {}, dials_of(network))
    seeds = rng.integers(2**63, size=n).tolist()
    latents = drawn(network, seeds, making)
    return [
        made(network, restyled(network, latent, setting, making), making).labels
        for latent in latents
    ]
