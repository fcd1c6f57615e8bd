"""`bench generate`: a data set from a recipe; its sub-commands make other things."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import App, Parameter

from adapters import console
from benchmark.errors import BenchError

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
    recipe: str | None = None,
    *,
    out: Path,
    like: Path | None = None,
    channel: int = 0,
    split: str | None = None,
    seed: int = 0,
    only: str | None = None,
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
        A TOML file, or the name of a shipped recipe: see docs/recipes.md. With --like, what is
        begun from; default: nuclei-parametric.
    out
        The folder to make. It must not exist; it appears when the data set is complete.
    like
        A folder of images, labelled or not: fit the recipe's dials to them, write it beside the
        data set, and say how close the set comes.
    channel
        With --like, which channel of the images shows nuclei, from 0.
    split
        With --like, which images of a data set or of an index.csv; by default all but those of
        test.
    seed
        The same recipe and seed give the same data set.
    only
        Make this split only, such as `test`. Its samples are the same as in the whole set.
    workers
        Processes, by default one a core. They do not change the result.
    json
        Print the result as JSON.
    """
    from benchmark.dataset import Dataset  # noqa: PLC0415 - help needs none of it
    from benchmark.dataset.released import release_of  # noqa: PLC0415
    from benchmark.dataset.whole import check_absent  # noqa: PLC0415
    from generators.commands.generate_like import fitted, show  # noqa: PLC0415
    from generators.generate import generate as generate_dataset  # noqa: PLC0415
    from generators.recipe import load  # noqa: PLC0415

    if recipe is None and like is None:
        raise BenchError(
            "there is no recipe",
            mend="name a TOML file or a shipped recipe, or images to be like: --like FOLDER",
        )
    check_absent(out)  # before minutes of fitting
    fit = None if like is None else fitted(like, recipe or "nuclei-parametric", channel, out, split)
    plan = load(str(recipe)) if fit is None else fit.recipe
    if only is not None:
        plan = plan.part(only)
    with console.counting(f"generating {plan.name}") as tell:
        continued = generate_dataset(plan, out, seed=seed, workers=workers, done=tell)
    if continued:
        console.err.print(f"continued: {continued} samples were there from an interrupted call")
    # Not sealed: whether this is the released content is said below, and is no reason to stop.
    made = Dataset.open(out, sealed=False)
    release = release_of(made.manifest)
    as_released = None if release is None else made.digest in release.digests
    splits = made.manifest.splits
    rows = [] if fit is None else fit.rows(made.path)
    if json:
        told = {
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
        console.print_json(told if fit is None else {**told, "like": fit.to_dict(rows)})
    else:
        if fit is not None:
            show(fit, rows)
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
