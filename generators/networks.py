"""Which networks a recipe uses, and what is in their files."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from generators import fields
from generators.errors import RecipeError
from generators.painting import painter
from generators.shapes import learned, outlines
from generators.spots import LEARNED as SPOTS
from generators.spottexture import painter as spot_painter
from generators.texture import LEARNED, PARAMETRIC

if TYPE_CHECKING:
    from generators.recipe import Recipe

_SHAPES = {"outlines": outlines.SHIPPED, "stylegan3": learned.SHIPPED}
_FIELDS = {fields.NETWORK: learned.SHIPPED.with_name("stylegan3-t-fields.safetensors")}
_PAINTERS = {name: painter.HOME / f"{name}{painter.SUFFIX}" for name in LEARNED}
_SPOTS = {name: spot_painter.HOME / f"{name}{spot_painter.SUFFIX}" for name in SPOTS}
_SHIPPED = {*_SHAPES.values(), *_FIELDS.values(), *_PAINTERS.values(), *_SPOTS.values()}


def networks_of(recipe: Recipe) -> dict[str, str]:
    """Return the digests of the networks that a recipe uses.

    Returns
    -------
    dict
        SHA-256 of each file, by what it makes and its name: `shapes-outlines`, `light-nuclei`. A
        user's own file is called `own`, and `own-2` and so on where there are several.

    Raises
    ------
    RecipeError
        If a file is missing or cannot be read.

    Examples
    --------
    >>> from generators.recipe import load
    >>> networks_of(load("builtin"))
    {}
    >>> list(networks_of(load("nuclei")))
    ['light-nuclei', 'shapes-outlines']
    """
    used: dict[tuple[str, str], Path] = {}
    for variant in recipe.variants or (None,):
        sections = recipe.sections(variant)
        for made, dial, files in (
            ("fields", sections["layout"].get("fields"), _FIELDS),
            ("shapes", sections["nuclei"].get("shapes"), _SHAPES),
            ("light", sections["shading"].get("painter", PARAMETRIC), _PAINTERS),
            ("spots", sections.get("spots", {}).get("painter"), _SPOTS),
        ):
            name = str(dial)
            if name in files:
                used[made, name] = files[name]
            elif name.endswith(".safetensors"):
                used[made, name] = Path(name)
    own: Counter[str] = Counter()
    named = {}
    for (made, name), path in sorted(used.items()):
        if path in _SHIPPED:
            word = f"{made}-{name}"
        else:
            own[made] += 1
            word = f"{made}-own" + (f"-{own[made]}" if own[made] > 1 else "")
        named[word] = _digest(path)
    return named


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise RecipeError(
            f"the recipe names a network that cannot be read: {error.strerror}",
            where=path,
            mend="check the path; it counts from where the command runs",
        ) from error
