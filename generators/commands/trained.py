"""What the commands that train networks keep, return and print alike."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from adapters import console
from generators.training.display import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

    from generators.training.statistics import History


def about(data: str, course: DataclassInstance) -> dict[str, Any]:
    """Return what is worth keeping of a training beside its settings: command, data, versions."""
    return {
        "command": shlex.join(["bench", *sys.argv[1:]]),
        "data": data,
        "course": asdict(course),
        "versions": {"torch": torch.__version__},
    }


def last_figures(history: History) -> dict[str, Any]:
    """Return the metrics of the last tick, and how many seconds all took."""
    last = history.lines[-1] if history.lines else {}
    return {
        "metrics": last.get("metrics", {}),
        "seconds": last.get("timing", {}).get("seconds", 0.0),
    }


def tell(result: Mapping[str, Any], amount: str, network: str, *, json: bool) -> None:
    """Print what a training came to, as lines or as JSON.

    Parameters
    ----------
    result
        With `metrics`, `seconds`, and the path of the network.
    amount
        How much was learned from, such as `30 epochs`.
    network
        Under which name the result has that path; it stands before it.
    json
        Print the result as it is.
    """
    if json:
        console.print_json(result)
        return
    console.out.print(f"{amount} in {duration(result['seconds'])}")
    for name, value in result["metrics"].items():
        console.out.print(f"{name} {value:.4g}")
    console.out.print(f"{network}: {result[network]}", soft_wrap=True)
