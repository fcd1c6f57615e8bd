"""Compare two versions of a data set: does the number say how much changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.dataset.verify import Finding
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from benchmark.dataset.reader import Dataset

_STEPS = ("PATCH", "MINOR", "MAJOR")
_WHY = {
    "PATCH": "something beside the samples changed",
    "MINOR": "samples were added",
    "MAJOR": "pixels or labels changed, or samples were removed",
}


def compare_versions(new: Dataset, old: Dataset) -> list[Finding]:
    """Return what is wrong with the version of a data set, given an earlier one.

    Raises
    ------
    DatasetError
        If they are not of one name.
    """
    if new.name != old.name:
        raise DatasetError(
            f"{new.name} and {old.name} are two data sets, not two versions of one",
            where=new.path,
            mend="compare versions of the same data set",
        )
    if new.digest == old.digest:
        return []
    needed = needed_step(new, old)
    if new.version == old.version:
        what = f"the version {new.version} is used for two contents: {_WHY[needed]}"
    elif _STEPS.index(_step(new.version, old.version)) < _STEPS.index(needed):
        what = f"from {old.version} to {new.version} is no {needed} step, but {_WHY[needed]}"
    else:
        return []
    return [Finding("version", "dataset.json", what)]


def needed_step(new: Dataset, old: Dataset) -> str:
    """Return "MAJOR", "MINOR" or "PATCH", by what changed between two data sets."""
    before, after = _contents(old), _contents(new)
    if any(after.get(sample) != content for sample, content in before.items()):
        return "MAJOR"
    return "MINOR" if len(after) > len(before) else "PATCH"


def _contents(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    columns = ["digest_image", *(f"digest_{target}" for target in dataset.manifest.targets)]
    rows = dataset.samples[columns].itertuples(index=False)
    return dict(zip(dataset.samples["id"], map(tuple, rows), strict=True))


def _step(new: str, old: str) -> str:
    later, earlier = ([int(part) for part in version.split(".")] for version in (new, old))
    if later[0] > earlier[0]:
        return "MAJOR"
    if later[0] == earlier[0] and later[1] > earlier[1]:
        return "MINOR"
    return "PATCH"
