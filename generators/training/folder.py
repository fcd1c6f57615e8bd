"""The folder of a training: what it was asked for, so that it is continued as it began."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmark.errors import RunError
from benchmark.files import clear_attempts, is_attempt, write_bytes
from generators.training.loop import CHECKPOINT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RECORD = "training.json"


def claim(folder: Path, settings: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Make a folder a training's own, or make sure that it is.

    Parameters
    ----------
    folder
        Made if it is absent.
    settings
        What the result depends on: plain values by name of the option. A name with a space in it is
        no option, but what an option came to, such as a digest.
    about
        What else is worth keeping: command, versions, what may change from call to call.

    Raises
    ------
    RunError
        The folder holds another training, which has a checkpoint already, or no training at all.
    """
    path = folder / RECORD
    settings = json.loads(json.dumps(settings))
    if path.exists():
        before = _read(path)
        if (folder / CHECKPOINT).exists():
            _compare(before, settings, path)
    elif folder.is_dir() and not all(map(is_attempt, folder.iterdir())):
        raise RunError(
            "the folder holds something else", where=folder, mend="choose a new folder as --out"
        )
    clear_attempts(folder)
    text = json.dumps({"settings": settings, **about}, indent=2, ensure_ascii=False)
    write_bytes(path, (text + "\n").encode())


def _read(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))["settings"]
    except (ValueError, KeyError, TypeError):
        settings = None
    if not isinstance(settings, dict):
        raise RunError(
            "this is no record of a training", where=path, mend="choose a new folder as --out"
        )
    return settings


def _compare(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Refuse a training whose settings are not those that it began with, naming all of them."""
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if not changed:
        return
    told = [
        f"{_flag(name)} {_told(before.get(name))}, not {_told(now.get(name))}" for name in changed
    ]
    again = " ".join(
        f"{_flag(name)} {_told(before.get(name))}" for name in changed if " " not in name
    )
    raise RunError(
        f"this folder holds a training with {'; '.join(told)}",
        where=path,
        mend=f"continue it with {again or 'what it began with'}, or choose another --out",
    )


def _flag(name: str) -> str:
    return name if " " in name else "--" + name.replace("_", "-")


def _told(value: Any) -> str:
    return "none" if value is None else str(value)
