"""The data sets that are shipped with the package."""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import DatasetError

DEFAULT = "cellgen-nuclei"
"""What "builtin" means."""
_HOME = Path(__file__).parents[1] / "builtin"


def builtin_names() -> tuple[str, ...]:
    """Return the names of the data sets that are shipped, the default first."""
    names = {path.parent.name.rpartition("-")[0] for path in _HOME.glob("*/dataset.json")}
    return tuple(sorted(names, key=lambda name: (name != DEFAULT, name)))


def builtin_path(name: str = DEFAULT) -> Path:
    """Return the folder of a data set that is shipped.

    Raises
    ------
    DatasetError
        If the package was installed without it.
    """
    found = sorted(path.parent for path in _HOME.glob(f"{name}-*/dataset.json"))
    found = [path for path in found if path.name.rpartition("-")[0] == name]
    if len(found) != 1:
        raise DatasetError(
            f"the package holds {len(found)} data sets {name}, not one",
            where=_HOME,
            mend="install the package again, or name a folder of your own",
        )
    return found[0]


def located(path: Path | str) -> Path:
    """Return where a data set lies: a folder, "builtin", or the name of one that is shipped.

    A folder goes before a name, but for "builtin", so that what a user sees is what a user gets.

    Examples
    --------
    >>> located("builtin").name.startswith("cellgen-nuclei-")
    True
    """
    if path == "builtin":
        return builtin_path()
    if isinstance(path, str) and path in builtin_names() and not Path(path).exists():
        return builtin_path(path)
    return Path(path)
