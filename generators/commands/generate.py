"""`bench generate`: a data set from a recipe; its sub-commands make other things."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import App, Parameter

from adapters import console

app = App(name="generate", help="Generate a data set with exact labels from a recipe.")
app.command(
    "generators.commands.generate_masks:masks",
    name="masks",
    help="Generate masks, labels and outlines with a trained network.",
)

app.command(
    "generators.commands.generate_textures:textures",
    name="textures",
    help="Generate pictures of label maps or pictures with a trained network.",
)


@app.default
def generate(
    recipe: str,
    *,
    out: Path,
    seed: int = 0,
    workers: int | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Generate a data set with exact labels from a recipe.

    A call that was interrupted continues with the same command. Of a recipe that was released it
    says whether the digest is the released one. Exit code: 0 made, 1 made with another digest than
    was released, 2 wrong usage.

    Parameters
    ----------
    recipe
        A TOML file, or the name of a shipped recipe: see docs/recipes.md.
    out
        The folder to make. It must not exist; it appears when the data set is complete.
    seed
        The same recipe and seed give the same data set.
    workers
        Processes, by default one a core. They do not change the result.
    json
        Print the result as JSON.
    """
    from benchmark.dataset import Dataset  # noqa: PLC0415 - help needs none of it
    from benchmark.dataset.released import release_of  # noqa: PLC0415
    from generators.generate import generate as generate_dataset  # noqa: PLC0415
    from generators.recipe import load  # noqa: PLC0415

    plan = load(recipe)
    with console.counting(f"generating {plan.name}") as tell:
        continued = generate_dataset(plan, out, seed=seed, workers=workers, done=tell)
    if continued:
        console.err.print(f"continued: {continued} samples were there from an interrupted call")
    # Not sealed: whether this is the released content is said below, and is no reason to stop.
    made = Dataset.open(out, sealed=False)
    release = release_of(made.manifest)
    as_released = None if release is None else made.digest == release.digest
    splits = made.manifest.splits
    if json:
        console.print_json(
            {
                "path": str(made.path),
                "name": made.name,
                "version": made.version,
                "digest": made.digest,
                "seed": seed,
                "splits": splits,
                "n": sum(splits.values()),
                "continued": continued,
                "released": as_released,
            }
        )
    else:
        counts = ", ".join(f"{count} {split}" for split, count in splits.items())
        console.out.print(f"{made.name} {made.version}: {counts}")
        console.out.print(f"digest {made.digest}" + (", as released" if as_released else ""))
        console.out.print(f"in {made.path}")
    if release is not None and not as_released:
        console.err.print(
            f"not the released {made.name} {made.version}, whose digest is {release.digest}: other "
            "versions of the package, NumPy or SciPy draw otherwise. Give the recipe a name of its "
            "own to use what was made",
            soft_wrap=True,
        )
        sys.exit(1)
