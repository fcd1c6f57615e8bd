"""What a layout is: a way to find samples in a folder, and to write a data set as one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from benchmark.dataset import images
from benchmark.dataset.layouts import pictures
from benchmark.dataset.names import check_id
from benchmark.dataset.sample import SampleInput
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmark.dataset.reader import Dataset


class Source(Protocol):
    """A sample that was found and not yet read, so that any worker may read it."""

    def load(self) -> SampleInput:
        """Read the sample."""


class Layout(Protocol):
    """A module of this package."""

    NAME: str
    SUMMARY: str

    def detect(self, path: Path) -> bool:
        """Say whether a folder has this layout."""

    def read(self, path: Path, target: str, *, binary: bool | None) -> Sequence[Source]:
        """Find the samples of a folder, in the order of their ids.

        Parameters
        ----------
        path
            The folder.
        target
            What its labels are of.
        binary
            True takes the connected regions of binary masks as objects; False takes every value
            as a label; None refuses what looks like a binary mask.

        Raises
        ------
        DatasetError
            If an image has no labels, or labels no image.
        """

    def write(self, dataset: Dataset, out: Path, target: str) -> None:
        """Write a data set in this layout, or nothing.

        Raises
        ------
        DatasetError
            If the layout cannot hold it, or `out` cannot be written.
        """


@dataclass(frozen=True)
class Pair:
    """An image file and a label file, and what is known of the sample beside them."""

    id: str
    image: Path
    labels: Path
    target: str
    binary: bool | None
    split: str = "test"
    scene: str | None = None
    seed: int | None = None
    factors: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[Path, str] = field(default_factory=dict)

    def load(self) -> SampleInput:
        """Read both files.

        Raises
        ------
        DatasetError
            If one cannot be read, is not the file that the index speaks of, or they do not fit;
            or the id cannot be one.
        """
        check_id(self.id, self.image)
        for file, digest in self.digests.items():
            _check_digest(file, digest)
        image, channels = pictures.read_image(self.image)
        mask = pictures.read_mask(self.labels, binary=self.binary)
        labels = images.check_labels(mask, image.shape[1:], where=str(self.labels))
        return SampleInput(
            id=self.id,
            image=image,
            labels={self.target: labels},
            split=self.split,
            scene=self.scene,
            seed=self.seed,
            factors=self.factors,
            channels=channels,
        )


def _check_digest(file: Path, digest: str) -> None:
    if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
        raise DatasetError(
            "this is not the file that the index speaks of: its SHA-256 is another",
            where=file,
            mend="get a fresh copy of the file, or take the column of digests out of the index",
        )
