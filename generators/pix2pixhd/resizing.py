"""What is done to sizes before pictures are learned from: `resize_or_crop`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Mode = Literal["resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"]


@dataclass(frozen=True)
class Resizing:
    """How pictures come to their size.

    Parameters
    ----------
    mode
        `resize_and_crop`: to a square of `load_size`, then a random square of `fine_size`;
        `crop`: that square alone; `scale_width`: to a width of `load_size`;
        `scale_width_and_crop`: both; `none`: as they are.
    load_size, fine_size
        In pixels.
    multiple
        Where nothing is cut, height and width come to the nearest multiples of this.

    Examples
    --------
    >>> Resizing("scale_width", 512, 256, 32).size(1024, 2048)
    (256, 512)
    >>> Resizing("none", 512, 256, 32).size(500, 700)
    (512, 704)
    >>> Resizing("scale_width_and_crop", 512, 256, 32).size(300, 400)
    (384, 512)
    """

    mode: Mode
    load_size: int
    fine_size: int
    multiple: int

    def whole(self) -> Resizing:
        """Return what is done to pictures that are made, not learned from: nothing is cut.

        Examples
        --------
        >>> Resizing("scale_width_and_crop", 512, 256, 32).whole().size(301, 400)
        (385, 512)
        """
        modes: dict[Mode, Mode] = {"crop": "none", "scale_width_and_crop": "scale_width"}
        return replace(self, mode=modes.get(self.mode, self.mode), multiple=1)

    @property
    def cuts(self) -> bool:
        """Whether a square is cut out."""
        return self.mode.endswith("crop")

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width that a picture is brought to before it is cut."""
        if self.mode == "resize_and_crop":
            return self.load_size, self.load_size
        if self.mode.startswith("scale_width"):
            height, width = max(self.load_size * height // width, 1), self.load_size
        if self.cuts:
            return height, width
        return _nearest(height, self.multiple), _nearest(width, self.multiple)

    def place(
        self, height: int, width: int, rng: np.random.Generator, where: Path | str
    ) -> tuple[slice, slice]:
        """Return the rows and columns that are cut out of a picture of this size, at random.

        Raises
        ------
        DatasetError
            It is too small.
        """
        if not self.cuts:
            return slice(height), slice(width)
        side = self.fine_size
        if min(height, width) < side:
            raise DatasetError(
                f"the picture of {height} by {width} px is smaller than a square of {side} px",
                where=where,
                mend="lower --fineSize, or enlarge pictures first: --resize_or_crop"
                " resize_and_crop or scale_width_and_crop",
            )
        top, left = (int(rng.integers(length - side + 1)) for length in (height, width))
        return slice(top, top + side), slice(left, left + side)


def resized(planes: NDArray[Any], size: tuple[int, int], *, smooth: bool) -> NDArray[Any]:
    """Return planes (C, H, W) at another height and width.

    Parameters
    ----------
    planes
        Greys, or whole numbers below 2³¹.
    size
        Height and width.
    smooth
        Greys by cubic interpolation, which averages where it makes smaller, as float32; else each
        pixel as its nearest, as int32.

    Examples
    --------
    >>> resized(np.array([[[1, 2]]]), (2, 4), smooth=False)[0].tolist()
    [[1, 1, 2, 2], [1, 1, 2, 2]]
    """
    dtype = np.float32 if smooth else np.int32
    planes = planes.astype(dtype)
    if planes.shape[1:] == size:
        return planes
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    made = [np.asarray(Image.fromarray(plane).resize(size[::-1], how)) for plane in planes]
    return np.stack(made)


def _nearest(length: int, multiple: int) -> int:
    # At one pixel across, in the middle of a network, there is nothing to mirror and no spread.
    least = 2 if multiple > 1 else 1
    return max(round(length / multiple), least) * multiple
