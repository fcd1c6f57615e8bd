"""`bench weights`: networks of others under this project's names."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from adapters import console

if TYPE_CHECKING:
    from generators.pix2pixhd.settings import Inputs

Flag = Annotated[bool, Parameter(negative="")]

app = App(name="weights", help="Convert and export networks; find styles that can be set.")
app.command(
    "generators.commands.weights_calibrate:calibrate",
    name="calibrate",
    help="Find which styles of a network of masks can be set.",
)

app.command(
    "generators.commands.weights_export:export",
    name="export",
    help="Write a network of textures as ONNX.",
)


@app.command
def convert(
    official: Path,
    out: Path,
    *,
    network: Literal["G_ema", "G", "D"] = "G_ema",
    label_nc: int | None = None,
    input_nc: int = 3,
    no_instance: Flag = False,
    feat_num: int = 0,
    json: Flag = False,
) -> None:
    """Convert a network of StyleGAN2, StyleGAN3 or Pix2PixHD, without executing anything in it.

    Parameters
    ----------
    official
        A `.pkl` of StyleGAN2-ADA for PyTorch or of StyleGAN3; a `*_net_G.pth` or `*_net_E.pth` of
        Pix2PixHD.
    out
        The `.safetensors` file to write.
    network
        Which network of a .pkl: the averaged generator, the generator, the discriminator.
    label_nc
        Labels that a network of Pix2PixHD sees; 0: pictures. By default told by its channels.
    input_nc
        Channels of those pictures.
    no_instance
        It sees no edges of instances.
    feat_num
        Length of the codes that it sees.
    json
        Print the result as JSON.
    """
    from dataclasses import asdict  # noqa: PLC0415 - help needs none of it

    from generators.stylegan.converting import convert as converted  # noqa: PLC0415

    if official.suffix in {".pth", ".pt"}:
        from generators.pix2pixhd.making import said  # noqa: PLC0415

        inputs = said(label_nc, input_nc, no_instance=no_instance, feat_num=feat_num)
        _convert_textures(official, out, inputs, json=json)
        return
    made = converted(official, out, network)
    settings, count = asdict(made.settings), sum(p.numel() for p in made.parameters())
    if json:
        console.print_json({"path": str(out), "network": network, "parameters": count} | settings)
        return
    kind = settings.get("cfg", "discriminator")
    size = f"{settings['resolution']} px, {settings['channels']} channels"
    console.out.print(f"{kind}, {size}, {count:,} parameters")
    console.out.print(f"in {out}")


def _convert_textures(official: Path, out: Path, inputs: Inputs | None, *, json: bool) -> None:
    """Convert a network of Pix2PixHD, and say what it is."""
    from dataclasses import asdict  # noqa: PLC0415 - help needs none of it

    from generators.pix2pixhd.converting import convert as converted  # noqa: PLC0415

    made = converted(official, out, inputs)
    settings, count = asdict(made.settings), sum(p.numel() for p in made.parameters())
    if json:
        console.print_json({"path": str(out), "parameters": count} | settings)
        return
    sees = f"{settings['input_nc']} channels to " if "input_nc" in settings else "codes of "
    console.out.print(f"{settings.get('net_g', 'encoder')}, {sees}{settings['output_nc']} channels")
    console.out.print(f"{count:,} parameters")
    console.out.print(f"in {out}")
