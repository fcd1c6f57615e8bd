"""Format 1 itself: to make a new version of a data set, or a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.dataset import manifest as manifests
from benchmark.dataset.reader import Dataset
from benchmark.dataset.sample import SampleInput
from benchmark.dataset.tables import SAMPLE_FIELDS
from benchmark.dataset.writer import DatasetWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmark.dataset.manifest import Manifest

NAME = "format1"
SUMMARY = "a folder with dataset.json"


@dataclass(frozen=True)
class Stored:
    """A sample of a data set, with its rows of all tables."""

    dataset: Dataset
    id: str

    def load(self) -> SampleInput:
        """Read the sample.

        Raises
        ------
        DatasetError
            As `Dataset.read`.
        """
        sample = self.dataset.read(self.id)
        factors = {
            name: None if value is None or value is pd.NA or value != value else value  # noqa: PLR0124 - NaN
            for name, value in sample.row.items()
            if name not in SAMPLE_FIELDS and not name.startswith("digest_")
            if name not in {f"n_{target}" for target in sample.labels}
        }
        seed = sample.row["seed"]
        return SampleInput(
            id=sample.id,
            image=sample.image,
            labels=sample.labels,
            split=sample.split,
            scene=sample.scene,
            seed=None if pd.isna(seed) else int(seed),
            factors=factors,
            objects=_of(self.dataset.objects, self.id),
            spots=_of(self.dataset.spots, self.id),
            channels=self.dataset.manifest.channels,
        )


def detect(path: Path) -> bool:
    """Say whether there is a manifest."""
    return (path / manifests.FILE_NAME).is_file()


def read(path: Path, target: str, *, binary: bool | None) -> Sequence[Stored]:
    """Return all samples with all their targets; the options are for other layouts.

    Raises
    ------
    DatasetError
        As `Dataset.open`.
    """
    del target, binary
    dataset = Dataset.open(path)
    return [Stored(dataset, name) for name in dataset.ids()]


def write(dataset: Dataset, out: Path, target: str) -> None:
    """Write a copy with all targets; its digest is the same.

    Raises
    ------
    DatasetError
        As `Layout.write`.
    """
    del target
    manifest = dataset.manifest
    with DatasetWriter(
        out, name=manifest.name, version=manifest.version, **fields_of(manifest)
    ) as writer:
        for name in dataset.ids():
            writer.add(Stored(dataset, name).load())


def fields_of(manifest: Manifest) -> dict[str, Any]:
    """Return what a manifest says beside name, version and digests, for `DatasetWriter`."""
    made_on_writing = {"format", "name", "version", "digest", "axes", "splits", "tables", "recipe"}
    recipe = None if manifest.recipe is None else manifest.recipe.content
    return {**manifest.model_dump(exclude=made_on_writing), "recipe": recipe}


def _of(table: pd.DataFrame, sample: str) -> pd.DataFrame:
    return table[table["sample"] == sample].drop(columns="sample")
