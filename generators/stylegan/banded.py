"""FIR filters along an axis as banded matrices, in blocks that leave most of their zeros out.

Padding, zero insertion, convolution and decimation are linear, and along one axis they are one
matrix with a band of filter taps. Its product with a picture is general matrix multiplication,
which every device does best, and its gradient is the transposed matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from generators.stylegan.depthwise import Depthwise

if TYPE_CHECKING:
    from generators.stylegan.filters import Filter, Taps

_ROWS = 32  # a block: small wastes little on zeros, large makes multiplication efficient
_KEPT = 4096  # matrices; a network of 14 layers has 56, and as many transposed


@dataclass(frozen=True)
class Block:
    """Rows `rows` of a banded matrix, which are zero outside of columns `columns`."""

    rows: slice
    columns: slice
    weights: torch.Tensor


@dataclass(frozen=True)
class Banded:
    """A banded matrix (rows, columns), applied to an axis of a tensor.

    Examples
    --------
    >>> mean = Banded.of(torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]))
    >>> mean.along_x(torch.tensor([[[1.0, 3.0, 7.0]]]))
    tensor([[[2., 5.]]])
    >>> mean.transposed.along_x(torch.tensor([[[2.0, 4.0]]]))
    tensor([[[1., 3., 2.]]])
    """

    shape: tuple[int, int]
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, matrix: torch.Tensor) -> Banded:
        """Cut a dense matrix into blocks of rows; on a GPU one block is the whole matrix."""
        step = _ROWS if matrix.device.type == "cpu" else max(len(matrix), 1)
        edges = [*range(0, len(matrix), step), len(matrix)]
        blocks = []
        for first, last in pairwise(edges):
            used = matrix[first:last].ne(0).any(0).nonzero().flatten().tolist()
            columns = slice(used[0], used[-1] + 1) if used else slice(0, 1)
            weights = matrix[first:last, columns].contiguous()
            blocks.append(Block(slice(first, last), columns, weights))
        return cls((matrix.shape[0], matrix.shape[1]), tuple(blocks))

    @cached_property
    def dense(self) -> torch.Tensor:
        """The whole matrix (rows, columns)."""
        matrix = self.blocks[0].weights.new_zeros(self.shape)
        for block in self.blocks:
            matrix[block.rows, block.columns] = block.weights
        return matrix

    @cached_property
    def transposed(self) -> Banded:
        """The transposed matrix."""
        return Banded.of(self.dense.T)

    def along_x(self, pictures: torch.Tensor) -> torch.Tensor:
        """Multiply the rows of pictures (P, H, columns); return (P, H, rows)."""
        parts = [pictures[:, :, block.columns] @ block.weights.T for block in self.blocks]
        return parts[0] if len(parts) == 1 else torch.cat(parts, 2)

    def along_y(self, pictures: torch.Tensor) -> torch.Tensor:
        """Multiply the columns of pictures (P, columns, W); return (P, rows, W)."""
        parts = [
            torch.bmm(
                block.weights.expand(len(pictures), *block.weights.shape),
                pictures[:, block.columns],
            )
            for block in self.blocks
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


@dataclass(frozen=True)
class Resampling:
    """A linear map of pictures that is a sum of separable ones: Σₖ Yₖ x Xₖᵀ."""

    terms: tuple[tuple[Banded, Banded], ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what comes out."""
        along_y, along_x = self.terms[0]
        return along_y.shape[0], along_x.shape[0]

    @cached_property
    def transposed(self) -> Resampling:
        """The transposed map, which carries gradients back."""
        return Resampling(tuple((y.transposed, x.transposed) for y, x in self.terms))

    def map(self, pictures: torch.Tensor) -> torch.Tensor:
        """Map pictures (..., H, W), out of autograd's sight."""
        planes = pictures.reshape(-1, *pictures.shape[-2:])
        mapped = self._term(planes, *self.terms[0])
        for term in self.terms[1:]:
            mapped += self._term(planes, *term)
        return mapped.reshape(*pictures.shape[:-2], *mapped.shape[-2:])

    @staticmethod
    def _term(planes: torch.Tensor, y: Banded, x: Banded) -> torch.Tensor:
        """Return Y x Xᵀ, starting with the axis that leaves less to do for the other."""
        if y.shape[0] * x.shape[1] < y.shape[1] * x.shape[0]:
            return x.along_x(y.along_y(planes))
        return y.along_y(x.along_x(planes))


class LinearMap(Protocol):
    """What `apply` takes: a linear map that knows its transposed."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what comes out."""

    @property
    def transposed(self) -> LinearMap:
        """The map that carries gradients back."""

    def map(self, pictures: torch.Tensor) -> torch.Tensor:
        """Map pictures, out of autograd's sight."""


def apply(linear: LinearMap, pictures: torch.Tensor) -> torch.Tensor:
    """Map pictures, differentiable any number of times.

    Examples
    --------
    >>> difference = Banded.of(torch.tensor([[-1.0, 1.0]]))
    >>> one = Banded.of(torch.ones(1, 1))
    >>> x = torch.tensor([[3.0, 10.0]], requires_grad=True)
    >>> y = apply(Resampling(((one, difference),)), x)
    >>> y.item(), torch.autograd.grad(y, x)[0].tolist()
    (7.0, [[-1.0, 1.0]])
    """
    mapped: torch.Tensor = _Apply.apply(pictures, linear)  # type: ignore[no-untyped-call]
    return mapped


class _Apply(torch.autograd.Function):
    """A linear map; its gradient is the transposed map, by this very function."""

    @staticmethod
    def forward(ctx: Any, pictures: torch.Tensor, linear: LinearMap) -> torch.Tensor:
        ctx.linear = linear
        return linear.map(pictures)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return apply(ctx.linear.transposed, gradients[0]), None


@lru_cache(maxsize=_KEPT)
def resampling(
    low: Filter,
    size: tuple[int, int],
    *,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int] = (0, 0),
    gain: float = 1.0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> LinearMap:
    """Return zero insertion, padding, filter and decimation of pictures of one size as one map.

    Parameters
    ----------
    low
        The filter.
    size
        Height and width.
    up, down
        Factors of the sampling rate.
    padding
        Zeros (before, after) each axis of the picture with zeros inserted; negative crops.
    gain
        A factor beside the `up` along each axis, which makes up for the zeros.
    dtype, device
        Of the matrices.

    Raises
    ------
    ValueError
        The padded picture is smaller than the filter.
    """
    if len(low.terms) > 1 and up == 1 and (device is None or device.type == "cpu"):
        return Depthwise.of(low, size, down, padding, gain, dtype)

    def along(taps: Taps, length: int, factor: float) -> Banded:
        matrix = band(taps, length, up, down, padding) * factor
        return Banded.of(torch.from_numpy(matrix).to(device, dtype))

    return Resampling(
        tuple((along(y, size[0], 1.0), along(x, size[1], gain)) for y, x in low.terms)
    )


def band(
    taps: Taps, length: int, up: int, down: int, padding: tuple[int, int]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the matrix of zero insertion, padding, convolution and decimation along an axis.

    Returns
    -------
    ndarray
        (out, length), where `out = (length * up + sum(padding) - len(taps)) // down + 1`.

    Raises
    ------
    ValueError
        The padded axis is shorter than the filter.

    Examples
    --------
    >>> band((0.25, 0.5, 0.25), length=2, up=2, down=1, padding=(1, 1)).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.0, 0.5]]
    """
    room = length * up + sum(padding) - len(taps)
    if room < 0:
        raise ValueError(f"{length} samples, padded by {padding}, are fewer than {len(taps)} taps")
    out = np.arange(room // down + 1)[:, None] * down - padding[0]
    # Output m has its taps, the last one first, at `out[m]` and on in the picture with zeros.
    tap = np.arange(length) * up - out
    inside = (tap >= 0) & (tap < len(taps))
    flipped = np.asarray(taps, np.float64)[::-1]
    return np.where(inside, flipped[np.clip(tap, 0, len(taps) - 1)] * up, 0.0)
