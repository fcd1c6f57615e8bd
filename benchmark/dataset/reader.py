"""Read a data set, sample by sample."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmark.dataset import checks, images, released, tables
from benchmark.dataset import manifest as manifests
from benchmark.dataset.builtin import located
from benchmark.dataset.names import inside
from benchmark.dataset.sample import Sample, label_path
from benchmark.errors import DatasetError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from benchmark.dataset.manifest import Manifest
    from benchmark.dataset.tables import TableName


class Dataset:
    """A data set of format 1: the manifest and the table of samples; arrays are read on demand.

    Nothing that is read is kept, so memory does not grow with the number of samples.

    Parameters
    ----------
    path
        The folder that holds `dataset.json`.
    manifest
        What the data set says of itself.
    samples
        One row a sample, ordered by id.
    """

    def __init__(
        self, path: Path, manifest: Manifest, samples: pd.DataFrame, *, sealed: bool = True
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.samples = samples
        self._sealed = sealed
        self._rows = {name: position for position, name in enumerate(samples["id"])}
        # What every read needs, as plain values: taking a row out of a table costs a millisecond.
        self._images = list(samples["image"])
        self._shapes = list(
            zip(map(int, samples["height"]), map(int, samples["width"]), strict=True)
        )
        self._digests = {
            column: list(samples[column])
            for column in map(_digest_column, (*manifest.targets, None))
        }

    @classmethod
    def open(cls, path: Path | str, *, sealed: bool = True) -> Dataset:
        """Open a data set by reading its manifest and its table of samples.

        Parameters
        ----------
        path
            The folder that holds `dataset.json`, or the name of a set that is shipped; "builtin" is
            the first of them.
        sealed
            Compare the manifest, and each table and array that is read, with its digest, so that
            the figure on a leaderboard is that of the pixels. `verify`, which names all that was
            changed, opens without.

        Raises
        ------
        DatasetError
            If the folder holds no data set, one that leads out of its folder, one that was
            changed, or another content than was released under its name and version.
        """
        path = located(path)
        manifest = manifests.load(path)
        table = tables.load("samples", path)
        checks.check_samples(table, manifest, path)
        if sealed:
            checks.check_splits(table, manifest, path)
            checks.check_table(table, "samples", manifest, path)
            checks.check_manifest(manifest, path)
            released.check(manifest, path)
        return cls(path, manifest, tables.as_frame(table, "samples"), sealed=sealed)

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """MAJOR.MINOR.PATCH."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """The digest that the manifest states; `verify` checks it."""
        return self.manifest.digest

    @cached_property
    def objects(self) -> pd.DataFrame:
        """The table of true objects, one row each."""
        return self._frame("objects")

    @cached_property
    def spots(self) -> pd.DataFrame:
        """The table of true spots, one row each."""
        return self._frame("spots")

    def ids(self, split: str | None = None) -> list[str]:
        """Return the ids of a split, or all, in order.

        Raises
        ------
        DatasetError
            If there is no such split.
        """
        if split is None:
            return list(self.samples["id"])
        chosen = self.samples.loc[self.samples["split"] == split, "id"]
        if chosen.empty:
            release = released.release_of(self.manifest)
            raise DatasetError(
                f"the data set has no split {split!r}",
                where=self.path,
                mend=f"only a part of it is shipped; make all of it: {release.command} --out FOLDER"
                if release is not None and split in release.splits
                else nearest(split, set(self.samples["split"])),
            )
        return list(chosen)

    def row(self, sample: str) -> dict[str, Any]:
        """Return a sample's row of the table of samples.

        Raises
        ------
        DatasetError
            If there is no such sample.
        """
        return {str(k): v for k, v in self.samples.iloc[self._position(sample)].items()}

    def read_image(self, sample: str) -> NDArray[Any]:
        """Return a sample's image: (C, Y, X), uint8 or uint16.

        Raises
        ------
        DatasetError
            If there is no such sample, or its file is missing, damaged, of another shape or
            changed.
        """
        position = self._position(sample)
        path = inside(self.path, self._images[position])
        shape = (len(self.manifest.channels), *self._shapes[position])
        array = images.read_array(path, shape)
        if array.dtype not in images.IMAGE_DTYPES:
            raise _unlike(f"the type {array.dtype}, not uint8 or uint16", path)
        return self._same(array, position, None, path)

    def read_labels(self, sample: str, target: str = "nuclei") -> NDArray[Any]:
        """Return a sample's labels of a target: (Y, X), unsigned, 0 background.

        Raises
        ------
        DatasetError
            If there is no such sample or target, or the file is missing, damaged, of another
            shape or changed.
        """
        if target not in self.manifest.targets:
            raise DatasetError(
                f"the data set has no target {target!r}",
                where=self.path,
                mend=nearest(target, self.manifest.targets),
            )
        position = self._position(sample)
        path = inside(self.path, label_path(sample, target))
        array = images.read_array(path, self._shapes[position])
        if array.dtype.kind != "u":
            raise _unlike(f"the type {array.dtype}, not an unsigned integer", path)
        return self._same(array, position, target, path)

    def read(self, sample: str) -> Sample:
        """Return a sample with its image and the labels of every target."""
        row = self.row(sample)
        return Sample(
            id=sample,
            split=row["split"],
            scene=row["scene"],
            image=self.read_image(sample),
            labels={target: self.read_labels(sample, target) for target in self.manifest.targets},
            row=row,
        )

    def __len__(self) -> int:
        return len(self.samples)

    def _frame(self, name: TableName) -> pd.DataFrame:
        table = tables.load(name, self.path)
        if self._sealed:
            checks.check_table(table, name, self.manifest, self.path)
        return tables.as_frame(table, name)

    def _same(
        self, array: NDArray[Any], position: int, target: str | None, path: Path
    ) -> NDArray[Any]:
        if self._sealed:
            digest = self._digests[_digest_column(target)][position]
            checks.check_pixels(array, digest, path, self.path)
        return array

    def _position(self, sample: str) -> int:
        if sample not in self._rows:
            raise DatasetError(
                f"the data set has no sample {sample!r}",
                where=self.path,
                mend=nearest(sample, self._rows),
            )
        return self._rows[sample]


def _digest_column(target: str | None) -> str:
    return "digest_image" if target is None else f"digest_{target}"


def _unlike(found: str, path: Path) -> DatasetError:
    return DatasetError(
        f"the file has {found}", where=path, mend="get a fresh copy of the data set"
    )
