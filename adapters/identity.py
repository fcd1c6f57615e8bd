"""Digests that say when a cached prediction is still the same prediction."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from adapters.child import PROTOCOL
from adapters.environments import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from adapters.adapter import Adapter, Model

_CACHE = "__pycache__"
_GOLDEN = "golden"


def identify(
    adapter: Adapter, model: Model, parameters: Mapping[str, Any], device: str
) -> dict[str, Any]:
    """Return everything a prediction depends on besides the image, and the digest of it all.

    Returns
    -------
    dict
        ``algorithm``, ``model``; digests ``source`` (the adapter's files without caches and
        models' files), ``environment`` (the lock), ``weights`` (None where no file is declared);
        ``parameters`` with the defaults filled in; ``device`` without its number;
        ``protocol`` of the worker; and ``key``, the digest of the others. Plain JSON values.

    Raises
    ------
    AdapterError
        A parameter is unknown or out of range.
    BuildError
        No Python on this machine fits the adapter.
    """
    identity: dict[str, Any] = {
        "algorithm": adapter.name,
        "model": model.name,
        "source": source_digest(adapter),
        "environment": describe(adapter).lock,
        "weights": weights_digest(adapter, model),
        "parameters": adapter.resolve(parameters),
        "device": device.partition(":")[0],
        "protocol": PROTOCOL,
    }
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return {**identity, "key": hashlib.sha256(canonical.encode()).hexdigest()}


def source_digest(adapter: Adapter) -> str:
    """Return the digest of the adapter's files without caches, golden case and models' files.

    Only what a model declares as its `file` has a digest of its own. Other weights count here,
    wherever they lie: nobody but the algorithm knows which model reads them.
    """
    root = adapter.folder
    declared = {root / model.file for model in adapter.models.values() if model.file}
    return _digest(
        (path.relative_to(root).as_posix(), path)
        for path in _files(root)
        if not declared & {path, *path.parents} and not _skipped(path.relative_to(root).parts)
    )


def weights_digest(adapter: Adapter, model: Model) -> str | None:
    """Return the digest of a model's file or folder; None where the algorithm fetches it itself."""
    path = model.path or (adapter.folder / model.file if model.file else None)
    if path is None or not path.exists():
        return None
    if path.is_file():
        return _digest([("", path)])
    return _digest((file.relative_to(path).as_posix(), file) for file in _files(path))


def _skipped(parts: tuple[str, ...]) -> bool:
    """Tell whether a path inside the folder decides nothing about a prediction."""
    if parts[0] == _GOLDEN:
        return True
    # A page for people, such as a model card, may be corrected without a prediction changing.
    unread = parts[-1].endswith((".pyc", ".md"))
    return unread or any(part == _CACHE or part.startswith(".") for part in parts)


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def _digest(files: Iterable[tuple[str, Path]]) -> str:
    """Return the digest of names and contents, each name and each content by its own digest."""
    whole = hashlib.sha256()
    for name, path in files:
        whole.update(hashlib.sha256(name.encode()).digest())
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
