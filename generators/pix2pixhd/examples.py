"""Pairs of a source as tensors: scaled, resized, cut and mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmark.errors import DatasetError
from generators.pix2pixhd.greys import Greys, channelled
from generators.pix2pixhd.resizing import resized
from generators.pix2pixhd.training import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.pix2pixhd.folders import Source
    from generators.pix2pixhd.resizing import Resizing
    from generators.pix2pixhd.settings import Inputs
    from generators.seeds import Seed


@dataclass(frozen=True)
class Example:
    """A pair, at the size that it is cut from.

    Parameters
    ----------
    given
        Label map (1, H, W) int32, or picture (C, H, W) float32 within [-1, 1].
    instances
        (1, H, W) int32; None where they are not needed.
    real
        (C, H, W) float32 within [-1, 1]; None where there is none.
    where
        For messages.
    """

    given: NDArray[Any]
    instances: NDArray[np.int32] | None
    real: NDArray[np.float32] | None
    where: Path

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.given.shape[1:]
        return height, width

    def mapped(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Example:
        """Return the pair with all its planes changed."""
        instances = None if self.instances is None else change(self.instances)
        real = None if self.real is None else change(self.real)
        return Example(change(self.given), instances, real, self.where)

    def middle(self, size: tuple[int, int]) -> Example:
        """Return the middle of the pair."""
        rows, columns = (
            slice((have - want) // 2, (have - want) // 2 + want)
            for have, want in zip(self.size, size, strict=True)
        )
        return self.mapped(lambda planes: planes[:, rows, columns])

    def padded(self, multiple: int) -> Example:
        """Return the pair continued, mirrored, at its lower and right edge to whole multiples."""
        margins = [(0, 0), *((0, -length % multiple) for length in self.size)]
        return self.mapped(lambda planes: np.pad(planes, margins, mode="reflect"))

    def alone(self) -> Batch:
        """Return the pair as a batch of its own; without a real picture, of zeros for it."""
        instances = None if self.instances is None else _stacked([self.instances])
        real = np.zeros((1, *self.size), np.float32) if self.real is None else self.real
        return Batch(_stacked([self.given]), instances, _stacked([real]))


@dataclass(frozen=True)
class Examples:
    """Pairs of a source, as networks see them.

    Parameters
    ----------
    source
        Where they come from.
    inputs
        What networks see.
    output_nc
        Channels of the real pictures.
    resizing
        What is done to sizes.
    greys, given_greys
        Of the real pictures, and of those that are given.
    flip
        Whether pictures are mirrored at random.
    strict
        Whether a real picture of another depth is refused, or else left out.
    """

    source: Source
    inputs: Inputs
    output_nc: int
    resizing: Resizing
    greys: Greys
    given_greys: Greys
    flip: bool = False
    strict: bool = True

    def read(self, number: int) -> Example:
        """Return a pair, resized and not yet cut.

        Raises
        ------
        DatasetError
            A file cannot be read, or those of a pair differ in size.
        """
        source, inputs, where = self.source, self.inputs, self.source.where(number)
        given = source.given(number)
        size = self.resizing.size(*given.shape[1:])
        instances = None
        if inputs.edges or (inputs.feat_num and not inputs.label_feat):
            instances = source.instances(number)
            _same_size(given, instances, where)
            instances = resized(instances, size, smooth=False)
        real = source.wanted(number)
        if real is not None:
            _same_size(given, real, where)
            real = self._real(real, size, where)
        if not inputs.label_nc:
            given = self.given_greys.scaled(channelled(given, inputs.input_nc, where))
        given = resized(given, size, smooth=not inputs.label_nc)
        return Example(given, instances, real, where)

    def _real(
        self, planes: NDArray[Any], size: tuple[int, int], where: Path
    ) -> NDArray[np.float32] | None:
        """Return a real picture as networks see it; None for one that they cannot."""
        if self.greys.fit(planes):
            return resized(
                self.greys.scaled(channelled(planes, self.output_nc, where)), size, smooth=True
            )
        if not self.strict:
            return None
        raise DatasetError(
            f"the picture is of {planes.dtype}, and others of {self.greys.dtype}",
            where=where,
            mend="save all as pictures of one depth",
        )

    def batch(self, examples: Sequence[Example], seed: Seed) -> Batch:
        """Return pairs cut and mirrored as the seed has it.

        Raises
        ------
        DatasetError
            One is too small, or they are of different sizes.
        """
        parts = [self._varied(each, seed.at(k)) for k, each in enumerate(examples)]
        if len({part.given.shape for part in parts}) > 1:
            raise DatasetError(
                "pictures of one batch are of different sizes",
                where=examples[0].where,
                mend="choose --batchSize 1, or a --resize_or_crop that cuts",
            )
        instances = [part.instances for part in parts if part.instances is not None]
        return Batch(
            _stacked([part.given for part in parts]),
            _stacked(instances) if instances else None,
            _stacked([part.real for part in parts if part.real is not None]),
        )

    def _varied(self, example: Example, seed: Seed) -> Example:
        rng = seed.generator()
        rows, columns = self.resizing.place(*example.size, rng, example.where)
        mirrored = self.flip and rng.random() > 0.5

        def varied(planes: NDArray[Any]) -> NDArray[Any]:
            cut = planes[:, rows, columns]
            return cut[..., ::-1] if mirrored else cut

        return example.mapped(varied)


def classes_of(example: Example, inputs: Inputs) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the classes and instances (H, W) that codes go by; without labels there is one."""
    classes = example.given[0] if inputs.label_nc else np.zeros(example.size, np.int32)
    over = example.given if inputs.label_feat else example.instances
    assert over is not None
    return classes, over[0]


def _stacked(planes: Sequence[NDArray[Any]]) -> torch.Tensor:
    stacked = torch.from_numpy(np.ascontiguousarray(np.stack(planes)))
    return stacked if stacked.is_floating_point() else stacked.long()


def _same_size(given: NDArray[Any], other: NDArray[Any], where: Path) -> None:
    if given.shape[1:] != other.shape[1:]:
        sizes = [" by ".join(map(str, planes.shape[1:])) for planes in (given, other)]
        raise DatasetError(
            f"files of one pair differ in size: {sizes[0]} and {sizes[1]} px",
            where=where,
            mend="pairs go by the order of names; give each folder the same names",
        )
