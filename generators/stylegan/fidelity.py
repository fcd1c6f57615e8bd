"""FID, KID, precision and recall, by the package torch-fidelity, for those who have its weights.

Heusel et al., arXiv 1706.08500; Bińkowski et al., arXiv 1801.01401; Kynkäänniemi et al., arXiv
1904.06991. All three compare features of a network that knows photographs: on masks they say
little, and `shapes` says more.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Dataset

from benchmark.errors import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
_FROM = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{_WEIGHTS}"
_NAMES = {
    "fid": {"fid": "frechet_inception_distance"},
    "kid": {"kid": "kernel_inception_distance_mean"},
    "pr": {"precision": "precision", "recall": "recall"},
}
"""By the name of a metric: what it is called here and there."""
METRICS = tuple(_NAMES)


def require_weights() -> Path:
    """Return the file of torch-fidelity's weights.

    Raises
    ------
    RunError
        The package is not installed, or its weights are not there, or are not what they should be.
    """
    try:
        import_module("torch_fidelity")
    except ImportError as error:
        raise RunError(
            f"fid, kid and pr need torch-fidelity, which cannot be imported: {error}",
            mend="pip install torch-fidelity, or leave them out of --metrics",
        ) from error
    path = Path(torch.hub.get_dir()) / "checkpoints" / _WEIGHTS
    if not path.is_file():
        raise RunError(
            "the weights that fid, kid and pr are reckoned with are not on this machine",
            where=path,
            mend=f"fetch {_FROM} to there, or leave fid, kid and pr out of --metrics",
        )
    # torch-fidelity unpickles the file: nothing but the one that its name promises is let through.
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(path.stem.rsplit("-", 1)[1]):
        raise RunError(
            "the file is not what its name says", where=path, mend=f"fetch it again from {_FROM}"
        )
    return path


def fidelity(
    made: NDArray[np.float32],
    real: NDArray[np.float32],
    names: tuple[str, ...],
    device: torch.device | str = "cpu",
) -> dict[str, float]:
    """Compare pictures made with real ones.

    Parameters
    ----------
    made, real
        (N, C, S, S) within [-1, 1], of 1 or 3 channels.
    names
        Of `METRICS`.
    device
        Where features are reckoned: cpu or cuda.

    Returns
    -------
    dict
        Of `fid`, `kid`, `precision`, `recall` those that were asked for.

    Raises
    ------
    RunError
        torch-fidelity or its weights are missing.
    """
    require_weights()
    import torch_fidelity  # noqa: PLC0415 - an extra of the user's

    fewest = min(len(made), len(real))
    found = torch_fidelity.calculate_metrics(
        input1=Bytes(made),
        input2=Bytes(real),
        fid="fid" in names,
        kid="kid" in names,
        prc="pr" in names,
        kid_subset_size=min(1000, fewest),
        cuda=torch.device(device).type == "cuda",
        cache=False,
        verbose=False,
    )
    return {here: float(found[there]) for n in names for here, there in _NAMES[n].items()}


class Bytes(Dataset[torch.Tensor]):
    """Pictures as torch-fidelity takes them: (3, S, S) uint8.

    Examples
    --------
    >>> Bytes(np.full((1, 1, 2, 2), 1.0, np.float32))[0].flatten().tolist()
    [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]
    """

    def __init__(self, pictures: NDArray[np.float32]) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> torch.Tensor:
        picture = np.clip(np.rint((self._pictures[index] + 1) * 127.5), 0, 255).astype(np.uint8)
        return torch.from_numpy(picture).expand(3, -1, -1).contiguous()
