"""Grey levels of files as numbers within [-1, 1], and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

_REC_601 = np.array([0.299, 0.587, 0.114], np.float32)  # brightness, as Pillow has it


@dataclass(frozen=True)
class Greys:
    """What grey becomes -1 and what 1.

    Parameters
    ----------
    black, white
        The grey of the file that becomes -1, and 1.
    dtype
        Of the files: uint8, uint16 or float32.

    Examples
    --------
    >>> camera = Greys(100, 1124, "uint16")
    >>> seen = camera.scaled(np.array([100, 612, 9999], np.uint16))
    >>> seen.tolist(), camera.restored(seen).tolist()
    ([-1.0, 0.0, 1.0], [100, 612, 1124])
    """

    black: float = 0.0
    white: float = 255.0
    dtype: str = "uint8"

    def scaled(self, planes: NDArray[Any]) -> NDArray[np.float32]:
        """Return greys as numbers within [-1, 1]; those beyond black and white are cut."""
        unit = (planes.astype(np.float64) - self.black) / (self.white - self.black)
        return (2 * unit.clip(0, 1) - 1).astype(np.float32)

    def restored(self, planes: NDArray[np.float32]) -> NDArray[Any]:
        """Return numbers within [-1, 1] as greys."""
        unit = (planes.astype(np.float64).clip(-1, 1) + 1) / 2
        greys = self.black + unit * (self.white - self.black)
        if self.dtype == "float32":
            return greys.astype(np.float32)
        limits = np.iinfo(self.dtype)
        return np.rint(greys).clip(limits.min, limits.max).astype(self.dtype)

    def fit(self, planes: NDArray[Any]) -> bool:
        """Say whether planes are of the same depth: 8 bits, or more.

        Examples
        --------
        >>> Greys().fit(np.zeros(1, np.uint8)), Greys().fit(np.zeros(1, np.uint16))
        (True, False)
        """
        return (planes.dtype == np.uint8) == (self.dtype == "uint8")

    @classmethod
    def of(
        cls,
        pictures: Iterable[NDArray[Any]],
        black: float | None = None,
        white: float | None = None,
    ) -> Greys:
        """Return the greys of pictures: of 8 bits all, of others from their darkest to brightest.

        Parameters
        ----------
        pictures
            Read one after the other, all of them only where needed.
        black, white
            Given by the user.

        Raises
        ------
        DatasetError
            White is no brighter than black.

        Examples
        --------
        >>> Greys.of([np.array([300, 400], np.uint16), np.array([250], np.uint16)])
        Greys(black=250.0, white=400.0, dtype='uint16')
        """
        dtype, low, high = "uint8", 0.0, 255.0
        for number, picture in enumerate(pictures):
            if picture.dtype == np.uint8:
                break
            dtype = "float32" if picture.dtype.kind == "f" else "uint16"
            darkest, brightest = float(picture.min()), float(picture.max())
            low = darkest if not number else min(low, darkest)
            high = brightest if not number else max(high, brightest)
            if black is not None and white is not None:
                break
        made = cls(low if black is None else black, high if white is None else white, dtype)
        if not made.white > made.black:
            raise DatasetError(
                f"white, {made.white:g}, is no brighter than black, {made.black:g}",
                mend="give --black and --white otherwise, or pictures that show something",
            )
        return made


def planes_of(array: NDArray[Any], axes: str, where: Path) -> NDArray[Any]:
    """Return a picture that was decoded as planes (C, H, W).

    Raises
    ------
    DatasetError
        It is no single picture, or of a type that has no greys.
    """
    if axes not in {"YX", "YXS", "SYX", "CYX", "YXC"}:
        raise DatasetError(
            f"this is no single picture: it has the axes {axes} and the shape {array.shape}",
            where=where,
            mend="save each plane as a file of its own",
        )
    planes = (
        array[None] if axes == "YX" else np.moveaxis(array, (axes.find("Y") == 0 and 2) or 0, 0)
    )
    if "S" in axes and len(planes) in {2, 4}:  # the last one is opacity
        planes = planes[:-1]
    if planes.dtype not in map(np.dtype, ("bool", "uint8", "uint16", "float32", "float64")):
        raise DatasetError(
            f"a picture of {planes.dtype} has no greys that are known here",
            where=where,
            mend="save it as 8 or 16 bits without a sign, or as float32",
        )
    if planes.dtype.kind == "f" and not np.isfinite(planes).all():
        raise DatasetError(
            "the picture holds NaN or infinity", where=where, mend="replace such pixels"
        )
    return planes * np.uint8(255) if planes.dtype == bool else planes


def channelled(planes: NDArray[Any], channels: int, where: Path | str) -> NDArray[Any]:
    """Return planes (C, H, W) with so many channels: grey is repeated, colour becomes brightness.

    Raises
    ------
    DatasetError
        There is no such way.

    Examples
    --------
    >>> channelled(np.full((1, 1, 1), 7), 3, "").ravel().tolist()
    [7, 7, 7]
    >>> channelled(np.array([[[1000.0]], [[0.0]], [[0.0]]]), 1, "").round().ravel().tolist()
    [299.0]
    """
    if len(planes) == channels:
        return planes
    if len(planes) == 1:
        return np.repeat(planes, channels, axis=0)
    if len(planes) == 3 and channels == 1:
        return np.tensordot(_REC_601, planes.astype(np.float32), axes=1)[None]
    raise DatasetError(
        f"the picture has {len(planes)} channels, not {channels}",
        where=where,
        mend="give --input_nc and --output_nc as the pictures have channels",
    )
