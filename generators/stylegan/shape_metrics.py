"""How real the shapes of single objects are, in passing: a few hundred, at each snapshot.

Pictures of objects are turned into outlines, real and made alike, and compared as
`generators.shapes.evaluation` compares sources. The full table, against images that were held back,
is `bench evaluate shapes`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import RunError
from generators.seeds import Seed
from generators.shapes.evaluation import Judge, scaled
from generators.shapes.maps import Frames, MapSettings, outlines_of
from generators.stylegan.metrics import classes_of, pictures_of
from generators.training.batches import chosen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.polygons import Floats
    from generators.stylegan.generator import Generator
    from generators.stylegan.learner import Examples

_COUNT = 400
_FEWEST = 20
_SHOWN = ("ks_area", "ks_eccentricity", "ks_solidity", "ks_smooth_solidity")
_SHARES = ("dented", "twins", "copies", "auc")


class ShapeMetric:
    """Validity of the shapes made, and how far they are from real ones.

    Parameters
    ----------
    examples
        Of content `objects`.
    seed
        Of latents, and of the examples that shapes are compared with.

    Raises
    ------
    RunError
        There are too few examples.
    """

    def __init__(self, examples: Examples, seed: int) -> None:
        content = json.loads(examples.content)
        self._settings = MapSettings.from_json(json.dumps(content["map"]))
        self._frames = Frames.from_json(json.dumps(content["frames"]))
        self._examples, self._seed = examples, seed
        self._numbers = chosen(0, len(examples.images), min(2 * _COUNT, len(examples.images)), seed)
        real = self._outlines(np.asarray(examples.images[self._numbers]), "real")
        if len(real) < _FEWEST:
            raise RunError(
                f"shapes cannot be compared with {len(real)} real ones",
                mend="leave shapes out of --metrics",
            )
        stack = scaled(real)
        half = len(stack) // 2
        self._judge = Judge(stack[half:], stack[:half], np.random.default_rng(seed), _COUNT)

    def __call__(self, generator: Generator) -> dict[str, float]:
        """Measure a generator: `valid`, distances `ks_…`, shares; of hardly any only `valid`."""
        numbers = self._numbers[: min(_COUNT, len(self._numbers))]
        made = pictures_of(
            generator,
            len(numbers),
            Seed.root(self._seed).at("shapes"),
            classes_of(generator, self._examples, numbers),
        )
        outlines = self._outlines(made, "made")
        share = len(outlines) / len(made)
        if len(outlines) < _FEWEST:
            return {"valid": share}
        row = self._judge.figures(scaled(outlines)).row()
        figures = {name: row[name] for name in (*_SHOWN, *_SHARES)}
        return {"valid": share * row["valid"], **figures}

    def _outlines(self, pictures: NDArray[np.float32], which: str) -> list[Floats]:
        """Return the outlines of those pictures that have a valid one.

        Of a residual, which says neither, sizes and elongations are drawn, of real shapes too.
        """
        frames = None
        if self._settings.kind == "residual":
            rng = Seed.root(self._seed).at("frames", which).generator()
            frames = self._frames.sample(len(pictures), rng)
        found = outlines_of(pictures, frames, self._settings)
        return [outline for outline in found if outline is not None]
