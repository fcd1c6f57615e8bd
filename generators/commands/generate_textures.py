"""`bench generate textures`: pictures that a trained Pix2PixHD network makes."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - the command line reads the type at run time
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from adapters import console
from benchmark.errors import BenchError
from generators.commands.extra import require_networks

if TYPE_CHECKING:
    from generators.pix2pixhd.clusters import Codes
    from generators.pix2pixhd.making import TextureNetwork

Flag = Annotated[bool, Parameter(negative="")]


def textures(
    *,
    network: Path,
    data: Annotated[str, Parameter(name=("--data", "--dataroot"))],
    out: Path,
    which_epoch: str = "latest",
    phase: str = "test",
    split: str | None = None,
    labels: str | None = None,
    how_many: int = 50,
    use_encoded_image: Flag = False,
    cluster_path: Path | None = None,
    seed: int = 0,
    label_nc: int | None = None,
    input_nc: int = 3,
    no_instance: Flag = False,
    feat_num: int = 0,
    device: str = "cpu",
    json: Flag = False,
) -> None:
    """Generate pictures of label maps, labelled images or pictures, of any size.

    What is written, and how codes are chosen, is in docs/textures.md.

    Parameters
    ----------
    network
        A *_net_G file of `bench train textures` or of the original, or the folder of a training.
    data
        A folder with test_label and test_inst, or with test_A; or a data set, a folder of images
        with labels, or `builtin`.
    out
        The folder to make. It must not exist; it appears when all is complete.
    which_epoch
        Which network of a folder.
    phase
        Which folders: test_label, test_A.
    split
        Which images of a data set; by default all.
    labels
        Which labels of a data set; by default its first target.
    how_many
        Pictures that are made at most.
    use_encoded_image
        Take codes from the real pictures; by default representative ones are drawn.
    cluster_path
        The representative codes; by default those in the network's folder.
    seed
        Of the codes that are drawn.
    label_nc
        Labels that a network sees whose file does not say; 0: pictures.
    input_nc
        Channels of those pictures.
    no_instance
        Such a network sees no edges of instances.
    feat_num
        Length of the codes that it sees.
    device
        Where the network is: cpu, cuda, mps.
    json
        Print the record as JSON.
    """
    require_networks()
    # Help needs no torch.
    from generators.commands.devices import require_device  # noqa: PLC0415
    from generators.pix2pixhd.folders import check_labels, open_source  # noqa: PLC0415
    from generators.pix2pixhd.making import open_network, said  # noqa: PLC0415
    from generators.pix2pixhd.resuming import network_file  # noqa: PLC0415

    if how_many < 1:
        raise BenchError(f"--how_many {how_many} is below 1", mend="choose it otherwise")
    file = network_file(network, which_epoch)
    given = said(label_nc, input_nc, no_instance=no_instance, feat_num=feat_num)
    opened = open_network(file, given).to(require_device(device))
    centres = None if use_encoded_image else _centres(opened, file, cluster_path)
    source = open_source(data, phase, split=split, target=labels, most=how_many)
    if opened.inputs.label_nc:
        check_labels(source, opened.inputs.label_nc)
    elif source.labelled != 0:
        raise BenchError(
            "the network sees pictures, and there are label maps",
            where=source.where(0),
            mend=f"put the pictures in {phase}_A",
        )

    from benchmark.dataset.whole import whole_folder  # noqa: PLC0415
    from generators.pix2pixhd import results  # noqa: PLC0415

    with whole_folder(out) as folder, console.counting("making") as tell:
        rows = results.write(folder, opened, source, centres=centres, seed=seed, tell=tell)
        record: dict[str, Any] = {
            "network": str(file),
            "data": data,
            "seed": seed,
            "inputs": asdict(opened.inputs),
            "made": rows,
        }
        text = json_format.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / "record.json").write_text(text + "\n", encoding="utf-8")
    if json:
        console.print_json(record)
        return
    console.out.print(f"{len(rows)} pictures")
    console.out.print(f"in {out.absolute()}")


def _centres(network: TextureNetwork, file: Path, path: Path | None) -> Codes | None:
    """Return representative codes for a network that sees codes.

    Raises
    ------
    BenchError
        There are none.
    """
    from generators.pix2pixhd import clusters  # noqa: PLC0415 - help needs none of it

    if not network.inputs.feat_num:
        return None
    if path is None:
        found = sorted(file.parent.glob("features_clustered_*.safetensors"))
        path = found[-1] if found else file.parent / clusters.name_of(10)
    return clusters.read(path)
