"""A painter of spots in one file: weights, what real spots are like, and what is put right."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised

from benchmark.files import write_bytes
from generators.painting.errors import PainterError
from generators.spottexture.network import SpotNetwork, SpotSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from generators.polygons import Floats

FORMAT = "cellgen-spots-1"
_NARROWEST = 0.1
_MEND = "use a file that `bench train spots` wrote"


@dataclass(frozen=True)
class Kind:
    """The spots of one real image.

    Attributes
    ----------
    name
        Of the image.
    stretch
        (N, 2), of its spots: see `generators.spottexture.fitting.Fitted`.
    width
        Width of a Gaussian fitted to what the network paints, in widths asked for.
    share
        Share of the painted light that such a Gaussian has.
    about
        Plain values by name: what was measured of them.
    """

    name: str
    stretch: Floats
    width: float
    share: float
    about: Mapping[str, float]


@dataclass(frozen=True)
class StoredSpots:
    """What a file holds.

    Attributes
    ----------
    network
        On the CPU.
    kinds
        The images that it learned from, by number.
    notes
        Plain values by name: what it learned from, and how.
    """

    network: SpotNetwork
    kinds: tuple[Kind, ...]
    notes: Mapping[str, Any]


def save(path: Path, stored: StoredSpots) -> None:
    """Write a painter, weights rounded to half precision; the same bytes each time.

    Raises
    ------
    RunError
        The disk is full.
    """
    tensors = {
        f"network.{name}": tensor.detach().half().contiguous()
        for name, tensor in stored.network.state_dict().items()
    }
    for number, kind in enumerate(stored.kinds):
        tensors[f"stretch.{number}"] = torch.from_numpy(kind.stretch).float()
    about = {
        "format": FORMAT,
        "settings": asdict(stored.network.settings),
        "kinds": [
            {"name": k.name, "width": k.width, "share": k.share, "about": dict(k.about)}
            for k in stored.kinds
        ],
        "notes": stored.notes,
    }
    # One entry: the order of several is not the same each time.
    write_bytes(path, serialised(tensors, {"spots": json.dumps(about, sort_keys=True)}))


def load(path: str | Path) -> StoredSpots:
    """Read what `save` wrote.

    Raises
    ------
    PainterError
        There is no such file, or it holds something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["spots"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise PainterError("there is no painter here", where=path, mend=_MEND) from error
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise _unfit(path, "it is no file of a painter of spots") from error
    try:
        if about["format"] != FORMAT:
            raise ValueError(f"its format is {about['format']!r}, not {FORMAT!r}")  # noqa: TRY301
        network = SpotNetwork(SpotSettings.from_json(json.dumps(about["settings"])))
        weights = {
            name.removeprefix("network."): tensor.float()
            for name, tensor in tensors.items()
            if name.startswith("network.")
        }
        network.load_state_dict(weights)
        kinds = tuple(
            Kind(
                kind["name"],
                tensors[f"stretch.{number}"].double().numpy(),
                float(kind["width"]),
                float(kind["share"]),
                kind["about"],
            )
            for number, kind in enumerate(about["kinds"])
        )
        if len(kinds) != network.settings.kinds or not all(len(k.stretch) for k in kinds):
            raise ValueError("it lacks some of its kinds of spots")  # noqa: TRY301
        _check_numbers(tensors, kinds)
        return StoredSpots(
            network.eval().requires_grad_(requires_grad=False), kinds, about["notes"]
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _unfit(path, str(error)) from error


def _check_numbers(tensors: Mapping[str, torch.Tensor], kinds: Sequence[Kind]) -> None:
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} has numbers that are none")
    for kind in kinds:
        if kind.stretch.ndim != 2 or kind.stretch.shape[1] != 2:
            raise ValueError(f"the spots of {kind.name} have {kind.stretch.shape[1:]} numbers")
        if not (_NARROWEST <= kind.width < float("inf") and 0 < kind.share < float("inf")):
            raise ValueError(f"{kind.name} is {kind.width} wide, with a share of {kind.share}")


def _unfit(path: str | Path, why: str) -> PainterError:
    return PainterError(f"this is no painter of spots: {why}", where=path, mend=_MEND)
