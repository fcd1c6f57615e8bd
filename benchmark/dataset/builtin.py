"""The data set that is shipped with the package."""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import DatasetError

_HOME = Path(__file__).parents[1] / "builtin"


def builtin_path() -> Path:
    """Return the folder of the built-in data set.

    Raises
    ------
    DatasetError
        If the package was installed without it.
    """
    found = sorted(path.parent for path in _HOME.glob("*/dataset.json"))
    if len(found) != 1:
        raise DatasetError(
            f"the package holds {len(found)} built-in data sets, not one",
            where=_HOME,
            mend="install the package again, or name a folder of your own",
        )
    return found[0]
