"""Random numbers by name: every stream has an address, never a position in a loop.

A stream's seed is the SHA-256 of its path of names, so adding a scene, a dial or a worker changes
no other stream, and the same scene rendered twice meets the same noise.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Seed:
    """The address of a stream of random numbers.

    Parameters
    ----------
    path
        Names from the root seed down to this stream.

    Examples
    --------
    >>> scene = Seed.root(0).at("scene", "test-0003")
    >>> round(float(scene.at("noise").generator().random()), 6)
    0.499007
    >>> scene.at("noise").number == scene.at("outlines").number
    False
    """

    path: tuple[str, ...]

    @classmethod
    def root(cls, seed: int) -> Seed:
        """Return the root stream of a user's seed."""
        return cls((str(seed),))

    def at(self, *names: str | int) -> Seed:
        """Return the stream below this one under the given names."""
        return Seed((*self.path, *map(str, names)))

    @property
    def number(self) -> int:
        """The seed as an integer below 2⁶³, so that a table's column can hold it."""
        # JSON keeps ("a", "b") and ("a/b",) apart, which joining the names would not.
        digest = hashlib.sha256(json.dumps(self.path).encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def generator(self) -> np.random.Generator:
        """Return a fresh generator at the start of this stream."""
        return np.random.Generator(np.random.PCG64(self.number))
