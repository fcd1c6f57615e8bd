"""What makes a data set, beside its recipe: this code, its models, and the libraries under it."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

LIBRARIES = ("cellgen-bench", "numpy", "scipy", "scikit-image")
_ROOTS = (Path(__file__).parent, Path(__file__).parents[1] / "benchmark" / "dataset")
_KINDS = {".py", ".npz", ".safetensors", ".cpp"}
_ELSEWHERE = {"commands", "like", "pix2pixhd", "training"}
"""Packages whose code makes no scene."""


@cache
def maker() -> dict[str, str]:
    """Return what two data sets of one recipe have in common if they are the same.

    Returns
    -------
    dict
        Versions by name of the library, the processor's kind, and the digest of this project's
        own code and models.

    Examples
    --------
    >>> sorted(maker())
    ['cellgen-bench', 'code', 'machine', 'numpy', 'scikit-image', 'scipy']
    """
    code = hashlib.sha256()
    for root in _ROOTS:
        for path in sorted(file for file in root.rglob("*") if file.suffix in _KINDS):
            if path.relative_to(root).parts[0] in _ELSEWHERE:
                continue
            code.update(path.relative_to(root).as_posix().encode() + b"\0")
            code.update(hashlib.sha256(path.read_bytes()).digest())
    versions = {name: metadata.version(name) for name in LIBRARIES}
    return {**versions, "machine": platform.machine(), "code": code.hexdigest()}
