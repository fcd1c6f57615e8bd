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

_INCEPTION = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
_VGG = "https://download.pytorch.org/models/vgg16-397923af.pth"
_WEIGHTS = {"fid": _INCEPTION, "kid": _INCEPTION, "pr": _VGG}
"""Where the weights are published whose features a metric compares. A name ends in the first digits
of its file's SHA-256."""
_NAMES = {
    "fid": {"fid": "frechet_inception_distance"},
    "kid": {"kid": "kernel_inception_distance_mean"},
    "pr": {"precision": "precision", "recall": "recall"},
}
"""By the name of a metric: what it is called here and there."""
METRICS = tuple(_NAMES)


def require_weights(names: tuple[str, ...]) -> None:
    """Make sure that metrics can be reckoned, and that nothing need be fetched for them.

    Parameters
    ----------
    names
        Of `METRICS`.

    Raises
    ------
    RunError
        The package cannot be imported, or its weights are not there, or not what they should be.
    """
    try:
        import_module("torch_fidelity")
    except (ImportError, RuntimeError) as error:  # torchvision of another torch is the latter
        raise RunError(
            f"fid, kid and pr need torch-fidelity, which cannot be imported: {error}",
            mend="pip install torch-fidelity, or leave them out of --metrics",
        ) from error
    for url in sorted({_WEIGHTS[name] for name in names}):
        _require_file(Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1], url)


def _require_file(path: Path, url: str) -> None:
    """Raise a RunError unless a file is there and is what its name promises."""
    if not path.is_file():
        raise RunError(
            "the weights that this metric is reckoned with are not on this machine",
            where=path,
            mend=f"fetch {url} to there, or leave the metric out of --metrics",
        )
    # torch-fidelity unpickles the file: nothing but the one that its name promises is let through.
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(path.stem.rsplit("-", 1)[1]):
        raise RunError(
            "the file is not what its name says", where=path, mend=f"fetch it again from {url}"
        )


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
    require_weights(names)
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
