"""`bench weights`: networks of others under this project's names."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated, Literal

from cyclopts import App, Parameter

from adapters import console

app = App(name="weights", help="Convert networks of others; find styles that can be set.")
app.command(
    "generators.commands.weights_calibrate:calibrate",
    name="calibrate",
    help="Find which styles of a network of masks can be set.",
)


@app.command
def convert(
    official: Path,
    out: Path,
    *,
    network: Literal["G_ema", "G", "D"] = "G_ema",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Convert an official StyleGAN2 or StyleGAN3 pickle, without executing anything in it.

    Parameters
    ----------
    official
        A `.pkl` of StyleGAN2-ADA for PyTorch or of StyleGAN3.
    out
        The `.safetensors` file to write.
    network
        Which network of the file: the averaged generator, the generator, the discriminator.
    json
        Print the result as JSON.
    """
    from dataclasses import asdict  # noqa: PLC0415 - help needs none of it

    from generators.stylegan.converting import convert as converted  # noqa: PLC0415

    made = converted(official, out, network)
    settings, count = asdict(made.settings), sum(p.numel() for p in made.parameters())
    if json:
        console.print_json({"path": str(out), "network": network, "parameters": count} | settings)
        return
    kind = settings.get("cfg", "discriminator")
    size = f"{settings['resolution']} px, {settings['channels']} channels"
    console.out.print(f"{kind}, {size}, {count:,} parameters")
    console.out.print(f"in {out}")
