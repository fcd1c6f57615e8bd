"""Write a data set: whole, or not at all."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ValidationError

from benchmark.dataset import card, croissant, released, seen, tables
from benchmark.dataset import manifest as manifests
from benchmark.dataset.continued import continued_folder, recorded, write_and_record
from benchmark.dataset.digest import json_digest, table_digest
from benchmark.dataset.names import same_file_key
from benchmark.dataset.sample import SampleInput, SampleRecord, write_sample
from benchmark.dataset.whole import cannot_write, whole_folder
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    import pyarrow as pa

    from benchmark.dataset.tables import TableName

VISIBLE = "labels/ holds the visible projection: each pixel belongs to the topmost object"


class DatasetWriter:
    """Write a data set into a hidden folder beside its place, and rename it at the end.

    Parameters
    ----------
    path
        The folder to make; it must not exist.
    name, version
        What the data set is called; MAJOR.MINOR.PATCH.
    targets, channels
        What the labels are of, and the channels of every image; None takes the channels' names
        from the first sample.
    licence, citation, source
        Under which terms, whom to cite, where it comes from.
    recipe
        The recipe as JSON, of a generated set.
    networks
        Digests of the networks used, by name.
    pixel_size_um
        Micrometres per pixel, if known.
    labels_note
        How overlaps are held.
    remember
        Keep the digest among those that this user has seen, and refuse to finish if another
        content was seen, or released, under the same name and version.
    identity
        Digest of all that the content follows from. If given, an interrupted writer leaves its
        samples in `folder`, and the next of the same place and identity finds them there: see
        `benchmark.dataset.continued`.

    Raises
    ------
    DatasetError
        If the folder exists, a field is not valid, or, on leaving, a table cannot be made, no
        sample was added or the disk is full. Nothing is left then, unless there is an identity.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "one-1.0.0"
    >>> with DatasetWriter(path, name="one", version="1.0.0") as writer:
    ...     image = np.zeros((1, 4, 4), np.uint8)
    ...     writer.add(SampleInput(id="a", image=image, labels={"nuclei": image[0]}))
    >>> sorted(p.name for p in path.iterdir())[:3]
    ['croissant.json', 'dataset.json', 'images']
    """

    def __init__(
        self,
        path: Path | str,
        *,
        name: str,
        version: str,
        targets: Sequence[str] = ("nuclei",),
        channels: Sequence[str] | None = ("dna",),
        licence: str = "unknown",
        citation: str = "",
        source: str = "",
        recipe: dict[str, Any] | None = None,
        networks: Mapping[str, str] | None = None,
        pixel_size_um: float | None = None,
        labels_note: str = VISIBLE,
        remember: bool = False,
        identity: str | None = None,
    ) -> None:
        self.path = Path(path).absolute()
        self._fields: dict[str, Any] = {
            "name": name,
            "version": version,
            "licence": licence,
            "citation": citation,
            "source": source,
            "recipe": recipe and {"content": recipe, "digest": json_digest(recipe)},
            "networks": dict(networks or {}),
            "channels": channels and tuple(channels),
            "pixel_size_um": pixel_size_um,
            "targets": tuple(targets),
            "labels_note": labels_note,
        }
        try:  # a wrong field is found before hours of work, not after
            manifests.sealed(
                {**self._fields, "channels": channels or ("any",), "splits": {}, "tables": {}}
            )
        except ValidationError as error:
            raise manifests.invalid(error, self.path) from None
        self._records: list[SampleRecord] = []
        self._seen: dict[str, str] = {}
        self._folder: Path | None = None
        self._exit = ExitStack()
        self._remember = remember
        self._identity = identity

    @property
    def folder(self) -> Path:
        """The hidden folder that `write_sample` is to write into."""
        assert self._folder is not None, "use the writer in a with statement"
        return self._folder

    def __enter__(self) -> Self:
        self._folder = self._exit.enter_context(
            whole_folder(self.path)
            if self._identity is None
            else continued_folder(self.path, self._identity)
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._exit:
            if error is not None:
                raise error
            try:
                self._finish()
            except OSError as failure:
                raise cannot_write(failure, self.path) from failure

    def add(self, sample: SampleInput) -> None:
        """Write a sample.

        Raises
        ------
        DatasetError
            As `write_sample` and `collect`.
        """
        self._claim(sample.id)
        write = write_sample if self._identity is None else write_and_record
        self._keep(write(self.folder, sample))

    def collect(self, record: SampleRecord) -> None:
        """Take the record of a sample that was written into `folder` elsewhere.

        By `write_sample`, or by `write_and_record` if the writer has an identity.

        Raises
        ------
        DatasetError
            If the id was there before, or the targets or channels are not those of the set.
        """
        self._claim(record.row["id"])
        self._keep(record)

    def _claim(self, name: str) -> None:
        key = same_file_key(name)
        if key in self._seen:
            raise DatasetError(
                f"two samples have the id {name!r}"
                + ("" if self._seen[key] == name else f" ({self._seen[key]!r} where case is lost)"),
                where=self.path,
                mend="give each sample an id of its own",
            )
        self._seen[key] = name

    def _keep(self, record: SampleRecord) -> None:
        where = record.row["id"]
        if set(record.targets) != set(self._fields["targets"]):
            raise DatasetError(
                f"the sample has labels of {', '.join(record.targets) or 'nothing'}, "
                f"the data set of {', '.join(self._fields['targets'])}",
                where=where,
                mend="give each sample one label image for each target",
            )
        known = self._fields["channels"] = self._fields["channels"] or record.channels
        named = record.channels if any(record.channels) else known
        if len(record.channels) != len(known) or named != known:
            raise DatasetError(
                f"the image has {_listed(record.channels)}, the data set {_listed(known)}",
                where=where,
                mend="give every image the same channels, or make two data sets",
            )
        self._records.append(record)

    def _parts(self, table: Literal["objects", "spots"]) -> list[pa.Table]:
        """Return the rows of every sample in a table."""
        if self._identity is None:
            return [getattr(record, table) for record in self._records]
        return [recorded(self.folder, record.row["id"], table) for record in self._records]

    def _finish(self) -> None:
        if not self._records:
            raise DatasetError(
                "a data set has at least one sample", where=self.path, mend="add a sample"
            )
        contents: dict[TableName, pa.Table] = {
            "samples": tables.from_rows([r.row for r in self._records], "samples"),
            "objects": tables.stacked(self._parts("objects"), "objects"),
            "spots": tables.stacked(self._parts("spots"), "spots"),
        }
        splits = sorted(r.row["split"] for r in self._records)
        digests = {name: table_digest(t, tables.KEYS[name]) for name, t in contents.items()}
        fields = {
            **self._fields,
            "splits": {split: splits.count(split) for split in dict.fromkeys(splits)},
            "tables": digests,
        }
        try:
            manifest = manifests.sealed(fields)
        except ValidationError as error:
            raise manifests.invalid(error, self.path) from None
        for name, table in contents.items():
            tables.save(table, name, self.folder)
        manifests.save(manifest, self.folder)
        croissant.save(manifest, contents, self.folder)
        if manifest.recipe is not None:
            card.write(self.folder, manifest, tables.as_frame(contents["samples"], "samples"))
        if self._remember:
            released.check(manifest, self.path)
            seen.remember(manifest)


def _listed(channels: Sequence[str]) -> str:
    names = f" ({', '.join(channels)})" if any(channels) else ""
    return f"{len(channels)} channel{'' if len(channels) == 1 else 's'}{names}"
