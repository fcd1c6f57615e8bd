"""Pictures that a trained network makes, of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.errors import BenchError
from generators.pix2pixhd import clusters
from generators.pix2pixhd.conditions import conditions
from generators.pix2pixhd.examples import Examples, classes_of
from generators.pix2pixhd.files import load_encoder, load_generator
from generators.pix2pixhd.greys import Greys
from generators.pix2pixhd.resizing import Resizing
from generators.pix2pixhd.resuming import beside
from generators.pix2pixhd.settings import Inputs
from generators.stylegan.files import NetworkError
from generators.training.processes import ALONE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.pix2pixhd.encoder import Encoder
    from generators.pix2pixhd.examples import Example
    from generators.pix2pixhd.folders import Source
    from generators.pix2pixhd.networks import Generator
    from generators.seeds import Seed


@dataclass(frozen=True)
class TextureNetwork:
    """A generator that was trained, with what is known of it.

    Parameters
    ----------
    generator
        In evaluation mode.
    inputs
        What it sees.
    greys, given_greys
        Of the pictures that it makes, and of those that it is given.
    resizing
        What was done to sizes; nothing is cut here.
    encoder
        Of codes, if there is one beside it.
    """

    generator: Generator
    inputs: Inputs
    greys: Greys
    given_greys: Greys
    resizing: Resizing
    encoder: Encoder | None

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return next(self.generator.parameters()).device

    def to(self, device: torch.device) -> TextureNetwork:
        """Move it to a device; return it."""
        for network in (self.generator, self.encoder):
            if network is not None:
                network.to(device)
        return self

    def examples(self, source: Source) -> Examples:
        """Return the pairs of a source as this network sees them."""
        return Examples(
            source,
            self.inputs,
            self.generator.settings.output_nc,
            self.resizing.whole(),
            self.greys,
            self.given_greys,
            strict=False,
        )


def open_network(path: Path, inputs: Inputs | None = None) -> TextureNetwork:
    """Read a generator, and the encoder beside it.

    Parameters
    ----------
    path
        A `*_net_G` file of this project or of the original.
    inputs
        What it sees, where the file does not say.

    Raises
    ------
    NetworkError
        It is none, or what it sees is not what it was trained for.
    """
    generator, about = load_generator(path)
    width = generator.settings.input_nc
    try:
        seen = Inputs(**about["inputs"]) if "inputs" in about else inputs or guessed(width)
        greys, given = (Greys(**about.get(name, {})) for name in ("greys", "given_greys"))
        resizing = Resizing(**about.get("resizing", {"mode": "none", **_SIZES}))
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"what the network was trained for cannot be read: {error}",
            where=path,
            mend="use the file as it was written",
        ) from error
    if seen.channels != width:
        raise NetworkError(
            f"the network sees {width} channels, not {seen.channels}",
            where=path,
            mend="say what they are: --label_nc, --input_nc, --no_instance, --feat_num",
        )
    found = beside(path, "E") if seen.feat_num else None
    encoder = None if found is None else load_encoder(found).eval()
    return TextureNetwork(generator.eval(), seen, greys, given, resizing, encoder)


_SIZES = {"load_size": 1024, "fine_size": 512, "multiple": 1}


def said(label_nc: int | None, input_nc: int, *, no_instance: bool, feat_num: int) -> Inputs | None:
    """Return what the user says that a network sees; None where nothing is said.

    Raises
    ------
    BenchError
        A number is out of its limits.

    Examples
    --------
    >>> said(None, 3, no_instance=False, feat_num=0) is None
    True
    >>> said(None, 3, no_instance=True, feat_num=0).channels
    35
    """
    if label_nc is None and not no_instance and not feat_num:
        return None
    try:
        usual = Inputs().label_nc if label_nc is None else label_nc
        return Inputs(usual, input_nc, edges=not no_instance, feat_num=feat_num)
    except ValueError as error:
        raise BenchError(str(error), mend="choose it within its limits") from error


def guessed(channels: int) -> Inputs:
    """Return what a network of the original most likely sees, told by its channels alone.

    Pictures where there are one or three, else labels and edges: 36 are those of Cityscapes.

    Examples
    --------
    >>> guessed(36).label_nc, guessed(3).label_nc, guessed(3).edges
    (35, 0, False)
    """
    if channels in {1, 3}:
        return Inputs(label_nc=0, input_nc=channels, edges=False)
    return Inputs(label_nc=channels - 1)


def made(
    network: TextureNetwork, example: Example, codes: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return the picture (C, H, W) within [-1, 1] that a network makes.

    The input is continued, mirrored, to the multiples that the network needs, and what is made
    beyond is cut off.

    Parameters
    ----------
    network
        Trained.
    example
        Of any size.
    codes
        (feat_num, H, W), if the network sees some.
    """
    height, width = example.size
    settings = network.generator.settings
    # A norm of instances needs two positions at the least to know a spread.
    multiple = settings.multiple * (2 if min(height, width) <= settings.multiple else 1)
    whole = example.padded(multiple)
    batch = whole.alone().share(ALONE, network.device)
    with torch.no_grad():
        seen = conditions(batch.given, batch.instances, network.inputs)
        if codes is not None:
            margins = [(0, 0), *((0, -length % multiple) for length in (height, width))]
            continued = np.pad(codes, margins, mode="reflect")
            seen = torch.cat([seen, torch.from_numpy(continued)[None].to(seen)], dim=1)
        picture = network.generator(seen)[0, :, :height, :width]
    drawn: NDArray[np.float32] = picture.float().cpu().numpy()
    return drawn


def codes_for(
    network: TextureNetwork,
    example: Example,
    centres: clusters.Codes | None,
    seed: Seed,
) -> NDArray[np.float32] | None:
    """Return codes (feat_num, H, W) for a picture's instances; None for a network that sees none.

    Parameters
    ----------
    network
        Trained.
    example
        With its real picture, where that is encoded.
    centres
        Representative codes that are drawn from; None: the real picture is encoded.
    seed
        Of what is drawn.

    Raises
    ------
    BenchError
        There is nothing to encode, or nothing to encode it with.
    """
    if not network.inputs.feat_num:
        return None
    classes, over = classes_of(example, network.inputs)
    if centres is not None:
        if any(rows.shape[1:] != (network.inputs.feat_num,) for rows in centres.values()):
            raise BenchError(
                f"these codes are not of {network.inputs.feat_num} numbers",
                mend="name those of this network with --cluster_path",
            )
        return clusters.drawn(centres, classes, over, seed.generator())
    if network.encoder is None or example.real is None:
        lacks = "an encoder beside the network" if network.encoder is None else "real pictures"
        raise BenchError(
            f"codes of real pictures need {lacks}",
            where=example.where,
            mend="draw representative codes: leave out --use_encoded_image",
        )
    height, width = example.size
    whole = example.padded(2**network.encoder.settings.n_downsample)
    batch = whole.alone().share(ALONE, network.device)
    pooled = batch.given if network.inputs.label_feat else batch.instances
    assert pooled is not None
    with torch.no_grad():
        codes = network.encoder(batch.real, pooled)[0, :, :height, :width]
    encoded: NDArray[np.float32] = codes.cpu().numpy()
    return encoded
