"""The parts of an audit, kept one by one, so that a killed audit goes on where it was."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from PIL import Image

from benchmark.audit.classifier import Budget, classifier, has_network
from benchmark.audit.copies import copies
from benchmark.audit.faithfulness import faithfulness
from benchmark.audit.patches import levels
from benchmark.audit.statistics import statistics
from benchmark.audit.transfer import Trials, transfer
from benchmark.errors import RunError
from benchmark.files import clear_attempts, is_attempt, write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmark.audit.sources import Sources

    Tell = Callable[[str], None]
    Count = Callable[[int, int], None]

AUDIT_VERSION = 1
"""Raised when a part would come out otherwise for the same images: what was kept is stale then."""

PARTS = ("faithfulness", "statistics", "classifier", "copies", "transfer")
RECORD = "audit.json"
PICTURES = "pictures"
_LOCK = ".lock"


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes
    ----------
    parts
        Some of `PARTS`.
    images
        At most so many images of each set in all parts but the training; None for all.
    known
        Statistics of a real set to compare with, as `statistics` takes them, and `known_name`
        what they are called.
    budget, trials
        Of the classifier and of the training.
    """

    parts: tuple[str, ...] = PARTS[:-1]
    images: int | None = 100
    known: Mapping[str, Any] | None = None
    known_name: str | None = None
    budget: Budget = field(default_factory=Budget)
    trials: Trials = field(default_factory=Trials)

    def of(self, part: str) -> dict[str, Any]:
        """Return what a part depends on besides the images."""
        of_parts: dict[str, dict[str, Any]] = {
            "faithfulness": {"images": self.images},
            "statistics": {"images": self.images, "known": self.known},
            "classifier": {**asdict(self.budget), "network": has_network()},
            "copies": {"images": self.images},
            "transfer": asdict(self.trials),
        }
        return of_parts[part]


def audit(
    sources: Sources,
    settings: Settings,
    out: Path,
    *,
    command: str = "",
    tell: Tell = lambda _: None,
    count: Count = lambda _done, _total: None,
) -> dict[str, Any]:
    """Audit a data set, or go on with an audit that was interrupted.

    Parameters
    ----------
    sources
        What is compared.
    settings
        How much is measured.
    out
        The folder of the audit; made if absent. It holds `audit.json`, a file for each finished
        part, pictures of patches and, of the training, all that it needs to continue.
    command
        Kept in the record: how to do this again.
    tell
        Given a line at each step.
    count
        Given what is done of a step and all of it.

    Returns
    -------
    dict
        The record, as `audit.json` holds it: `sources`, `parts` by name, `command`.

    Raises
    ------
    RunError
        If the folder holds other files, or another process is at work in it.
    """
    _claim(out)
    lock = FileLock(out / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            "another audit is at work here", where=out, mend="wait for it, or choose another out"
        ) from None
    with lock:
        clear_attempts(out)
        record: dict[str, Any] = {
            "format": 1,
            "version": AUDIT_VERSION,
            "command": command,
            "sources": sources.describe(),
            "stats": settings.known_name,
            "parts": {},
        }
        _write(out / RECORD, {**record, "finished": False})
        for part in settings.parts:
            record["parts"][part] = _part(part, sources, settings, out, tell=tell, count=count)
        record["finished"] = True
        _write(out / RECORD, record)
        return record


def _claim(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"no folder can be made here: {error.strerror}", where=out, mend="name a new folder"
        ) from error
    strange = (file for file in out.iterdir() if file.name != _LOCK and not is_attempt(file))
    if not (out / RECORD).exists() and any(strange):
        raise RunError(
            "the folder holds other files", where=out, mend="choose an empty folder as --out"
        )


def _part(
    part: str, sources: Sources, settings: Settings, out: Path, *, tell: Tell, count: Count
) -> dict[str, Any]:
    """Return a part's result: what was kept, if it was of the same images and settings."""
    inputs = {
        "version": AUDIT_VERSION,
        "sources": sources.describe(),
        "settings": json.loads(json.dumps(settings.of(part))),
    }
    path = out / f"{part}.json"
    kept = _kept(path)
    if kept is not None and kept.get("inputs") == inputs:
        tell(f"{part}: finished before")
        return dict(kept["result"])
    tell(f"{part}: {_NOTE[part]}")
    result = _computed(part, sources, settings, out, tell=tell, count=count)
    _write(path, {"inputs": inputs, "result": result})
    return result


_NOTE = {
    "faithfulness": "where edges are, against the labels",
    "statistics": "size, shape, density, light, noise",
    "classifier": "telling patches apart",
    "copies": "who is like whom",
    "transfer": "training on each set, testing on real images",
}


def _computed(
    part: str, sources: Sources, settings: Settings, out: Path, *, tell: Tell, count: Count
) -> dict[str, Any]:
    if part == "faithfulness":
        return {"columns": faithfulness(sources, settings.images, count)}
    if part == "statistics":
        return {"columns": statistics(sources, settings.images, count, settings.known)}
    if part == "copies":
        return copies(sources, settings.images, count)
    if part == "transfer":
        return transfer(sources, settings.trials, out / "transfer", tell)
    figures, pictures = classifier(sources, settings.budget, tell)
    for name, patch in pictures.items():
        file = io.BytesIO()
        Image.fromarray(levels(patch)).save(file, format="PNG", optimize=True)
        write_bytes(out / PICTURES / f"{name}.png", file.getvalue())
    return {**figures, "pictures": sorted(f"{name}.png" for name in pictures)}


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("result"), dict) else None


def _write(path: Path, value: dict[str, Any]) -> None:
    write_bytes(path, json.dumps(value, indent=1, allow_nan=False).encode() + b"\n")
