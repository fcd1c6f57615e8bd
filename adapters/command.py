"""The segmenter behind `kind = "command"`: image to a file, a program, labels from a file.

Loaded inside the worker's process like any `segmenter.py`, on the harness's own Python. The
worker's deadline and memory limit hold for the program as for everything else the worker starts.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Segmenter:
    """Runs one program per image.

    Parameters
    ----------
    model, parameters, device
        Fill the placeholders ``{model}``, ``{device}`` and each parameter's own, such as
        ``{diameter}``.
    command
        The argument list; no shell reads it. ``{image}`` and ``{labels}`` become the paths of the
        image and of the labels to write, ``{scratch}`` the folder of both, ``{folder}`` the
        adapter's own.
    output
        The format of the labels: ``tif``, ``png`` or ``npy``.

    Raises
    ------
    FileNotFoundError
        The program is not installed.
    """

    def __init__(
        self,
        model: str,
        parameters: Mapping[str, Any],
        device: str,
        *,
        command: list[str],
        output: str,
        folder: str,
    ) -> None:
        self._known = {"model": model, "device": device, "folder": folder} | {
            name: "" if value is None else str(value) for name, value in parameters.items()
        }
        self._command = command
        self._output = output
        program = _filled(command[0], self._known)
        if shutil.which(program) is None:
            raise FileNotFoundError(f"the program {program!r} is not installed")

    def segment(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the labels (Y, X) that the program wrote for an image (C, Y, X)."""
        with tempfile.TemporaryDirectory(prefix="bench-command-") as folder:
            source = Path(folder) / "image.tif"
            target = Path(folder) / f"labels.{self._output}"
            # Most programs expect a plane where there is one channel.
            plane = image[0] if image.shape[0] == 1 else image
            tifffile.imwrite(source, plane, metadata={"axes": "CYX"[-plane.ndim :]})
            paths = {"image": str(source), "labels": str(target), "scratch": folder}
            arguments = [_filled(word, self._known | paths) for word in self._command]
            done = subprocess.run(arguments, cwd=folder, stdin=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                how = "exit status" if done.returncode > 0 else "signal"
                raise RuntimeError(f"the command ended with {how} {abs(done.returncode)}")
            if not target.is_file():
                raise RuntimeError(f"the command wrote no {target.name}")
            return _read(target)


def _filled(word: str, values: Mapping[str, str]) -> str:
    """Put values in place of their names; other braces stay as they are."""
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word


def _read(path: Path) -> NDArray[Any]:
    if path.suffix == ".npy":
        labels: NDArray[Any] = np.load(path, allow_pickle=False)
        return labels
    if path.suffix == ".png":
        # Big label images are no attack here: the program is the user's own.
        Image.MAX_IMAGE_PIXELS = None
        with Image.open(path) as picture:
            return np.asarray(picture)
    return np.asarray(tifffile.imread(path))
