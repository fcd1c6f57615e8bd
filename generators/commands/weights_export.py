"""`bench weights export`: a generator of textures as ONNX."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import Annotated

from cyclopts import Parameter

from adapters import console
from generators.commands.extra import require_networks


def export(
    network: Path,
    *,
    out: Path,
    which_epoch: str = "latest",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write a Pix2PixHD generator as ONNX, for pictures of any size; needs the extra `onnx`.

    Parameters
    ----------
    network
        A *_net_G file of `bench train textures` or of the original, or the folder of a training.
    out
        The `.onnx` file to write.
    which_epoch
        Which network of a folder.
    json
        Print the result as JSON.
    """
    require_networks()
    from generators.pix2pixhd import exporting, files, resuming  # noqa: PLC0415

    generator, _ = files.load_generator(resuming.network_file(network, which_epoch))
    exporting.export(generator, out)
    settings = generator.settings
    if json:
        told = {"channels": settings.input_nc, "multiple": settings.multiple}
        console.print_json({"path": str(out), "bytes": out.stat().st_size, **told})
        return
    console.out.print(
        f"input (n, {settings.input_nc}, height, width), sides multiples of {settings.multiple};"
        f" output (n, {settings.output_nc}, height, width) within -1 and 1"
    )
    console.out.print(f"in {out}")
