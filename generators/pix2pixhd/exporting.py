"""Generators as ONNX, for use without torch."""

from __future__ import annotations

import logging
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

from benchmark.errors import BenchError
from benchmark.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from generators.pix2pixhd.networks import Generator

_LARGEST = 2**14  # pixels across


def export(generator: Generator, out: Path) -> None:
    """Write a generator as ONNX: `input` (n, C, H, W) → `output`, of any size that it takes.

    Parameters
    ----------
    generator
        On the CPU.
    out
        The file to write, whole or not at all.

    Raises
    ------
    BenchError
        The extra `onnx` is not installed.
    """
    if missing := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise BenchError(
            f"ONNX files need {' and '.join(missing)}, which this installation lacks",
            mend='pip install "cellgen-bench[onnx]"',
        )
    settings = generator.settings
    step, many = settings.multiple, torch.export.Dim
    sizes = {2: "height", 3: "width"}
    free = {0: many("n", min=1)} | {
        axis: step * many(name, min=2, max=_LARGEST // step) for axis, name in sizes.items()
    }
    # No side is as long as another or as a batch, or they would be taken for the same.
    example = torch.zeros(2, settings.input_nc, 3 * step, 5 * step)
    was_training = generator.training
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, needed by none
    with replacing(out) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own parts, about each other
        torch.onnx.export(
            generator.eval(),
            (example,),
            temporary,
            input_names=["input"],
            output_names=["output"],
            dynamic_shapes=(free,),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    generator.train(was_training)
