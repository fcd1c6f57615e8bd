"""The sets of images that an audit compares: what is audited, its baseline, and real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import DatasetError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from benchmark.dataset import Dataset


@dataclass(frozen=True)
class Source:
    """Images of one origin.

    Attributes
    ----------
    dataset
        Where they lie.
    ids
        Which of its samples.
    target
        Which labels.
    channel
        Position of the channel that is looked at.
    """

    dataset: Dataset
    ids: tuple[str, ...]
    target: str
    channel: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, sample: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return image (Y, X) and labels (Y, X) of a sample."""
        image = self.dataset.read_image(sample)[self.channel]
        return image, self.dataset.read_labels(sample, self.target)

    def images(self, limit: int | None = None) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
        """Yield id, image and labels, of at most so many samples, spread evenly."""
        for sample in spread(self.ids, limit):
            yield sample, *self.read(sample)

    def describe(self) -> dict[str, Any]:
        """Return what identifies these images."""
        return {
            "name": self.dataset.name,
            "version": self.dataset.version,
            "digest": self.dataset.digest,
            "n": len(self.ids),
            "ids": f"{self.ids[0]} to {self.ids[-1]}",
            "splits": sorted(
                set(self.dataset.samples.set_index("id").loc[list(self.ids), "split"])
            ),
            "target": self.target,
            "channel": self.dataset.manifest.channels[self.channel],
            "licence": self.dataset.manifest.licence,
        }


def spread(items: tuple[str, ...], limit: int | None) -> tuple[str, ...]:
    """Return at most so many items, spread evenly over all of them.

    Examples
    --------
    >>> spread(("a", "b", "c", "d", "e"), 3)
    ('a', 'c', 'e')
    """
    if limit is None or limit >= len(items):
        return items
    if limit == 1:
        return items[:1]
    chosen = np.linspace(0, len(items) - 1, limit).round().astype(int)
    return tuple(items[i] for i in chosen)


@dataclass(frozen=True)
class Sources:
    """What an audit looks at.

    Attributes
    ----------
    columns
        What is judged, by name: `synthetic`, perhaps `baseline`, and `real`: held-back real
        images, judged like the others, so that there is a figure to hold theirs against.
    reference
        The real images that all of them are compared with, and that a generator may have learned
        from; none of them is in `real`.
    """

    columns: Mapping[str, Source]
    reference: Source

    def describe(self) -> dict[str, Any]:
        """Return what identifies all images."""
        named = {name: source.describe() for name, source in self.columns.items()}
        return {**named, "reference": self.reference.describe()}


def sources_of(
    synthetic: Dataset,
    real: Dataset,
    baseline: Dataset | None = None,
    *,
    target: str | None = None,
    channel: str | None = None,
) -> Sources:
    """Choose the images of an audit.

    Of generated sets, that is the split `train`, or all if they have none. Of the real set, the
    split `train` is the reference and `val`, or else `test`, is held back; a set that has no such
    splits is divided, every second image held back.

    Raises
    ------
    DatasetError
        If a set lacks the target or the channel, or the real set has a single image.
    """
    target = target or synthetic.manifest.targets[0]
    made = {"synthetic": synthetic} | ({"baseline": baseline} if baseline else {})
    columns = {
        name: Source(dataset, _training(dataset), target, _channel(dataset, target, channel))
        for name, dataset in made.items()
    }
    reference, held_back = _divided(real)
    place = _channel(real, target, channel)
    columns["real"] = Source(real, held_back, target, place)
    return Sources(columns, Source(real, reference, target, place))


def _training(dataset: Dataset) -> tuple[str, ...]:
    return tuple(dataset.ids("train" if "train" in dataset.manifest.splits else None))


def _divided(real: Dataset) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids of the reference and those held back."""
    splits = real.manifest.splits
    for held in ("val", "test"):
        if "train" in splits and held in splits:
            return tuple(real.ids("train")), tuple(real.ids(held))
    everything = tuple(real.ids())
    if len(everything) < 2:
        raise DatasetError(
            "one real image cannot be divided into a reference and one held back",
            where=real.path,
            mend="name a set of at least two real images as --real",
        )
    return everything[::2], everything[1::2]


def _channel(dataset: Dataset, target: str, channel: str | None) -> int:
    if target not in dataset.manifest.targets:
        raise DatasetError(
            f"the data set has no target {target!r}",
            where=dataset.path,
            mend=nearest(target, dataset.manifest.targets),
        )
    names = dataset.manifest.channels
    if channel is None or len(names) == 1:
        return 0
    if channel not in names:
        raise DatasetError(
            f"the data set has no channel {channel!r}",
            where=dataset.path,
            mend=nearest(channel, names),
        )
    return names.index(channel)
