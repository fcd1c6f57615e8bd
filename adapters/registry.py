"""Find adapters: the shipped ones, those of installed packages, and folders anywhere."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from adapters.adapter import Adapter, Model
from adapters.errors import AdapterError, UnknownAlgorithmError, UnknownModelError, nearest

ENTRY_POINTS = "cellgen_bench.adapters"
_SHIPPED = Path(__file__).resolve().parent


def folders() -> dict[str, Path]:
    """Return the folder of every adapter that has a name here, ordered by name.

    Shipped ones come first: an installed package cannot take the name of one.
    """
    found = _shipped()
    for point in entry_points(group=ENTRY_POINTS):
        if (folder := _package_folder(point.module)) is not None:
            found.setdefault(point.name, folder)
    return dict(sorted(found.items()))


def find(text: str) -> tuple[Adapter, Model]:
    """Return the adapter and the model that a user named.

    Parameters
    ----------
    text
        ``name``, ``name:model``, ``name:path/to/weights``; in place of a name, the path of an
        adapter's folder.

    Raises
    ------
    UnknownAlgorithmError, UnknownModelError
        Nothing has this name; the nearest known one is offered.
    AdapterError
        The adapter's folder breaks the contract.

    Examples
    --------
    >>> adapter, model = find("oracle")
    >>> adapter.name, model.track
    ('oracle', 'control')
    """
    known = folders()
    if text not in known and _is_adapter(Path(text).expanduser()):
        adapter = _load(Path(text).expanduser())
        return adapter, adapter.model()
    name, _, wanted = text.partition(":")
    adapter = _adapter(name, known)
    if not wanted or wanted in adapter.models:
        return adapter, adapter.model(wanted)
    path = Path(wanted).expanduser()
    if path.exists():
        return adapter, _own_weights(path, adapter)
    if _looks_like_a_path(wanted):
        raise UnknownModelError(f"there are no weights at {wanted}", where=path.absolute())
    return adapter, adapter.model(wanted)


def _adapter(name: str, known: dict[str, Path]) -> Adapter:
    if name in known:
        adapter = Adapter.load(known[name])
        if adapter.name != name:
            raise AdapterError(
                f"the adapter found as {name!r} calls itself {adapter.name!r}",
                where=adapter.folder / "adapter.toml",
                mend="give both the same name",
            )
        return adapter
    path = Path(name).expanduser()
    if path.is_dir():
        return _load(path)
    if _looks_like_a_path(name):
        raise UnknownAlgorithmError(f"there is no folder {name}", where=path.absolute())
    raise UnknownAlgorithmError(f"no algorithm {name!r}", mend=nearest(name, known))


def _load(folder: Path) -> Adapter:
    """Load an adapter that was named by its folder; its row must not pass for a shipped one."""
    adapter = Adapter.load(folder)
    shipped = _shipped().get(_dashed(adapter.name.lower()))
    if shipped not in {None, adapter.folder}:
        raise AdapterError(
            f"{adapter.name!r} is the name of a shipped adapter",
            where=adapter.folder,
            mend="rename the folder, or change `name` in its adapter.toml",
        )
    return adapter


def _own_weights(path: Path, adapter: Adapter) -> Model:
    """Return the user's own weights as a model, under a name that none of the adapter's has."""
    path = path.resolve()
    name = path.name
    while name in adapter.models:
        name = f"own-{name}"
    return Model(name=name, track="own", summary="weights named by path", path=path)


def _is_adapter(path: Path) -> bool:
    return path.is_dir() and any((path / n).is_file() for n in ("adapter.toml", "segmenter.py"))


def _looks_like_a_path(text: str) -> bool:
    return "/" in text or text.startswith((".", "~"))


def _shipped() -> dict[str, Path]:
    return {_dashed(file.parent.name): file.parent for file in _SHIPPED.glob("*/adapter.toml")}


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _package_folder(module: str) -> Path | None:
    """Return the folder of a package without importing it; None where it is gone.

    Only the outermost package is looked up: finding one inside another imports the other.
    """
    outermost, *inner = module.split(".")
    # An installed package may hook into the import system, and do it wrong.
    with suppress(Exception):
        spec = importlib.util.find_spec(outermost)
        for location in (spec and spec.submodule_search_locations) or ():
            if (folder := Path(location, *inner)).is_dir():
                return folder
    return None
