"""Write a data set in the layout of another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.dataset import layouts
from benchmark.dataset.layouts import format1
from benchmark.errors import DatasetError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.dataset.reader import Dataset


def export(dataset: Dataset, out: Path, layout: str, *, target: str | None = None) -> list[str]:
    """Write a data set in another layout, whole or not at all.

    Parameters
    ----------
    dataset
        What to write.
    out
        The folder to make.
    layout
        The name of the layout.
    target
        Which labels; needed where the data set has those of several targets.

    Returns
    -------
    list[str]
        What the layout has no place for, and was left behind.

    Raises
    ------
    DatasetError
        If there is no such layout or target, the layout cannot hold the data set, or it cannot
        be written.
    """
    chosen = layouts.layout_named(layout)
    targets = dataset.manifest.targets
    if chosen is format1:
        chosen.write(dataset, out, targets[0])
        return []
    if target is None and len(targets) > 1:
        raise DatasetError(
            f"the layout {layout} holds labels of one target, the data set has "
            f"{' and '.join(targets)}",
            where=dataset.path,
            mend=f"choose one: --target {targets[0]}",
        )
    target = target or targets[0]
    if target not in targets:
        raise DatasetError(
            f"the data set has no target {target!r}",
            where=dataset.path,
            mend=nearest(target, targets),
        )
    chosen.write(dataset, out, target)
    left = [f"labels of {other}" for other in targets if other != target]
    left += [f"{len(dataset.spots)} spots"] if len(dataset.spots) else []
    return [*left, "the manifest (licence, channels, pixel size)", "the measurements of objects"]
