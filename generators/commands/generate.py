"""`bench generate`: a data set from a recipe; its sub-commands make other things."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from adapters import console
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from generators.recipe import Recipe

app = App(name="generate", help="Generate a data set with exact labels from a recipe.")
FITTED = "nuclei-parametric"
"""What --like begins from."""

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
    like: str | None = None,
    channel: int | None = None,
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
        A folder of images, labelled or not, or the name of a shipped set: fit the recipe's dials to
        them, write it beside the data set, and say how close the set comes.
    channel
        With --like, which channel of the images shows nuclei, from 0; default: 0.
    split
        With --like, which images of a data set or of an index.csv; by default all but those of
        test.
    seed
        The same recipe and seed give the same data set.
    only
        Make this split only, such as `test`. Its samples are the same as in the whole set; it is
        another data set, called after the split, unless just this part was released.
    workers
        Processes, by default one a core. They do not change the result.
    json
        Print the result as JSON.
    """
    from benchmark.dataset import Dataset  # noqa: PLC0415 - help needs none of it
    from benchmark.dataset.builtin import located  # noqa: PLC0415
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
    if like is None and (split, channel) != (None, None):
        raise BenchError(
            "--split and --channel say which images to be --like, and there is no --like",
            mend="to make one split of a recipe: --only train",
        )
    check_absent(out)  # before minutes of fitting
    plan = load(recipe or FITTED)
    if only is not None:
        plan.part(only)
    fit = None
    if like is not None:
        fit = fitted(located(like), plan, channel or 0, out, split)
        plan = fit.recipe
    name = plan.name
    if only is not None:
        plan, name = plan.part(only), _called(plan, only, seed)
    with console.counting(f"generating {name}") as tell:
        continued = generate_dataset(plan, out, name=name, seed=seed, workers=workers, done=tell)
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


def _called(plan: Recipe, only: str, seed: int) -> str:
    """Return what one split of a recipe is called: as the whole only if it was released so."""
    from benchmark.dataset.released import releases  # noqa: PLC0415

    for release in releases():
        known = (release.name, release.version, release.seed) == (plan.name, plan.version, seed)
        if known and release.shipped == (only,):
            return plan.name
    return f"{plan.name}-{only}"
