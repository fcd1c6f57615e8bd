"""A painter in one file: weights, codes of real images, and what grey levels mean to it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised

from benchmark.files import write_bytes
from generators.painting.calibration import Calibration
from generators.painting.codes import Bank
from generators.painting.errors import PainterError
from generators.painting.network import Network, NetworkSettings
from generators.painting.noise import Noise
from generators.painting.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT = "cellgen-painter-1"
_BANK = ("cover", "ground", "unevenness", "first", "codes", "areas")
_MEND = "use a file that `bench train painter` wrote"


@dataclass(frozen=True)
class Stored:
    """What a file holds.

    Attributes
    ----------
    network
        On the CPU.
    bank
        Codes of the images that it learned from.
    scale, noise
        What is common to those images.
    notes
        Plain values by name: what it learned from, and how.
    calibration
        What is taken out of what the network does wrong.
    sharpness
        Whether the last code is the sharpness of the image, not the grain of the object.
    """

    network: Network
    bank: Bank
    scale: Scale
    noise: Noise
    notes: Mapping[str, Any]
    calibration: Calibration = Calibration()  # noqa: RUF009 - frozen
    sharpness: bool = False


def save(path: Path, stored: Stored) -> None:
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
    for name in _BANK:
        array = torch.from_numpy(getattr(stored.bank, name))
        tensors[f"bank.{name}"] = array.int() if name == "first" else array.float()
    about = {
        "format": FORMAT,
        "settings": asdict(stored.network.settings),
        "scale": asdict(stored.scale),
        "noise": asdict(stored.noise),
        "notes": stored.notes,
        "calibration": asdict(stored.calibration),
        "sharpness": stored.sharpness,
    }
    # One entry: the order of several is not the same each time.
    write_bytes(path, serialised(tensors, {"painter": json.dumps(about, sort_keys=True)}))


def load(path: str | Path) -> Stored:
    """Read what `save` wrote.

    Raises
    ------
    PainterError
        There is no such file, or it holds something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["painter"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise PainterError("there is no painter here", where=path, mend=_MEND) from error
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise _unfit(path, "it is no file of a painter") from error
    try:
        if about["format"] != FORMAT:
            raise ValueError(f"its format is {about['format']!r}, not {FORMAT!r}")  # noqa: TRY301
        with torch.device("meta"):
            network = Network(NetworkSettings.from_json(json.dumps(about["settings"])))
        weights = {
            name.removeprefix("network."): tensor.float()
            for name, tensor in tensors.items()
            if name.startswith("network.")
        }
        network.load_state_dict(weights, assign=True)
        bank = {name: tensors[f"bank.{name}"].double().numpy() for name in _BANK}
        bank["first"] = bank["first"].astype("int64")
        return Stored(
            network.eval().requires_grad_(requires_grad=False),
            Bank(**bank),
            Scale(**about["scale"]),
            Noise(**about["noise"]),
            about["notes"],
            _calibration(**about["calibration"]),
            about["sharpness"],
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _unfit(path, str(error)) from error


def _calibration(inset: float, light: Sequence[float], gap: float = 0.0) -> Calibration:
    """Return a calibration; the first files had no gap."""
    return Calibration(float(inset), tuple(light), float(gap))


def _unfit(path: str | Path, why: str) -> PainterError:
    return PainterError(f"this is no painter: {why}", where=path, mend=_MEND)
