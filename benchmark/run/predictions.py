"""Predicted labels on disk: a compressed label TIFF a sample, which Fiji and napari can open."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from benchmark.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def write_prediction(path: Path, labels: NDArray[np.unsignedinteger]) -> str:
    """Write labels `(Y, X)` as the smallest of uint16 and uint32 that holds them.

    Returns
    -------
    str
        SHA-256 over shape and labels as little-endian uint32; the file's compression is not in it.
    """
    narrow = labels.size == 0 or int(labels.max()) <= np.iinfo(np.uint16).max
    stored = labels.astype(np.uint16 if narrow else np.uint32)
    with replacing(path) as temporary:
        # Without the description a shape of (3, X) would be taken for colours on reading.
        tifffile.imwrite(
            temporary,
            stored,
            compression="zlib",
            compressionargs={"level": 1},
            photometric="minisblack",
            software=False,
        )
    return digest(labels)


def read_prediction(path: Path) -> NDArray[np.unsignedinteger]:
    """Read labels `(Y, X)` that `write_prediction` wrote."""
    labels: NDArray[np.unsignedinteger] = tifffile.imread(path)
    return labels


def digest(labels: NDArray[np.unsignedinteger]) -> str:
    """Return SHA-256 over shape and labels, whatever their integer type."""
    header = f"{labels.shape}".encode()
    return hashlib.sha256(header + labels.astype("<u4").tobytes()).hexdigest()
