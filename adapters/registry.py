"""Find adapters: the shipped ones, those of installed packages, and folders anywhere."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from adapters.adapter import Adapter, Model, Track
from adapters.errors import AdapterError, UnknownAlgorithmError, UnknownModelError, nearest

ENTRY_POINTS = "cellgen_bench.adapters"
_SHIPPED = Path(__file__).parent


def folders() -> dict[str, Path]:
    """Return the folder of every adapter that has a name here, ordered by name.

    Shipped ones come first: an installed package cannot take the name of one.
    """
    found = {_name(file.parent): file.parent for file in _SHIPPED.glob("*/adapter.toml")}
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
        adapter = Adapter.load(Path(text).expanduser())
        return adapter, adapter.model()
    name, _, wanted = text.partition(":")
    adapter = _adapter(name, known)
    if not wanted or wanted in adapter.models:
        return adapter, adapter.model(wanted)
    path = Path(wanted).expanduser()
    if path.exists():
        return adapter, _own_weights(path)
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
        return Adapter.load(path)
    if _looks_like_a_path(name):
        raise UnknownAlgorithmError(f"there is no folder {name}", where=path.absolute())
    raise UnknownAlgorithmError(f"no algorithm {name!r}", mend=nearest(name, known))


def _own_weights(path: Path) -> Model:
    """Return the user's own weights as a model.

    Those that `bench train` made lie beside a record of it; of others nothing is known but that
    somebody made them, so they stand where published ones do.
    """
    path = path.resolve()
    trained_here = (path if path.is_dir() else path.parent) / "training.json"
    track: Track = "same-data" if trained_here.is_file() else "as-published"
    return Model(name=path.name, track=track, summary="weights named by path", path=path)


def _is_adapter(path: Path) -> bool:
    return path.is_dir() and any((path / n).is_file() for n in ("adapter.toml", "segmenter.py"))


def _looks_like_a_path(text: str) -> bool:
    return "/" in text or text.startswith((".", "~"))


def _name(folder: Path) -> str:
    return folder.name.replace("_", "-")


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
