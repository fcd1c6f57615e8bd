"""Layouts that other tools use, one module each; the first that knows a folder reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.dataset.layouts import cellpose, ctc, folders, format1, stardist
from benchmark.errors import DatasetError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.dataset.layouts.layout import Layout

# A folder with an index is read by its index, whatever else it looks like.
LAYOUTS: tuple[Layout, ...] = (format1, folders, stardist, cellpose, ctc)


def layout_named(name: str) -> Layout:
    """Return a layout by name.

    Raises
    ------
    DatasetError
        If there is none of this name.
    """
    for layout in LAYOUTS:
        if name == layout.NAME:
            return layout
    raise DatasetError(
        f"there is no layout {name!r}", mend=nearest(name, [layout.NAME for layout in LAYOUTS])
    )


def recognise(path: Path) -> Layout:
    """Return the layout of a folder.

    Raises
    ------
    DatasetError
        If it has none that is known.
    """
    for layout in LAYOUTS:
        if layout.detect(path):
            return layout
    known = "; ".join(f"{layout.NAME}: {layout.SUMMARY}" for layout in LAYOUTS)
    raise DatasetError(
        "this folder is no data set, and in no layout that can be imported",
        where=path,
        mend=f"arrange it in one of these layouts. {known}",
    )
