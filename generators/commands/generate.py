"""`bench generate`: a data set from a recipe; its sub-commands make other things."""

from __future__ import annotations

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

    A call that was interrupted continues with the same command.

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
    from generators.generate import generate as generate_dataset  # noqa: PLC0415
    from generators.recipe import load  # noqa: PLC0415

    plan = load(recipe)
    with console.counting(f"generating {plan.name}") as tell:
        continued = generate_dataset(plan, out, seed=seed, workers=workers, done=tell)
    if continued:
        console.err.print(f"continued: {continued} samples were there from an interrupted call")
    made = Dataset.open(out)
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
            }
        )
        return
    counts = ", ".join(f"{count} {split}" for split, count in splits.items())
    console.out.print(f"{made.name} {made.version}: {counts}")
    console.out.print(f"digest {made.digest}")
    console.out.print(f"in {made.path}")
