"""Representative codes of each class: what pictures are made with where there is none to encode.

Wang et al., arXiv 1711.11585, section 3.4: the codes of all instances of the training pictures,
gathered into a few clusters for each class.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from scipy.cluster.vq import kmeans2

from benchmark.files import write_bytes
from generators.stylegan.files import NetworkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

Codes = dict[int, "NDArray[np.float32]"]
"""(count, feat_num), by class."""


def name_of(count: int) -> str:
    """Return what the file of so many representative codes is called.

    Examples
    --------
    >>> name_of(10)
    'features_clustered_010.safetensors'
    """
    return f"features_clustered_{count:03d}.safetensors"


def codes_of(
    codes: NDArray[np.float32], classes: NDArray[np.integer], instances: NDArray[np.integer]
) -> Codes:
    """Return the codes of a picture's instances, by class.

    Parameters
    ----------
    codes
        (C, H, W), the same for all pixels of an instance, as an `Encoder` gives them.
    classes
        (H, W) label map; an instance is of the class of its first pixel.
    instances
        (H, W).

    Examples
    --------
    >>> codes, classes = np.array([[[0.5, 0.5, 0.25]]], np.float32), np.array([[7, 7, 0]])
    >>> found = codes_of(codes, classes, instances=np.array([[3, 3, 1]]))
    >>> found[0].tolist(), found[7].tolist()
    ([[0.25]], [[0.5]])
    """
    _, first = np.unique(instances, return_index=True)
    rows, of = codes.reshape(len(codes), -1).T[first], classes.reshape(-1)[first]
    return {int(k): rows[of == k] for k in np.unique(of)}


def clustered(every: Iterable[Codes], count: int, seed: int = 0) -> Codes:
    """Return at most so many representative codes of each class: centres of k-means.

    Examples
    --------
    >>> near = np.array([[0.0], [0.1], [0.9], [1.0]], np.float32)
    >>> found = clustered([{1: near}], count=2)
    >>> sorted((20 * found[1]).round().ravel().tolist())
    [1.0, 19.0]
    """
    gathered: dict[int, list[NDArray[np.float32]]] = {}
    for codes in every:
        for k, rows in codes.items():
            gathered.setdefault(k, []).append(rows)
    centres = {}
    for k, parts in sorted(gathered.items()):
        rows = np.concatenate(parts)
        distinct = np.unique(rows, axis=0)
        if len(distinct) <= count:
            centres[k] = distinct
            continue
        rng = np.random.default_rng(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a centre that no code is nearest to stays where it is
            found, _ = kmeans2(rows.astype(np.float64), count, minit="++", rng=rng)
        centres[k] = found.astype(np.float32)
    return centres


def drawn(
    centres: Codes,
    classes: NDArray[np.integer],
    instances: NDArray[np.integer],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return codes (C, H, W) for instances: for each, one of its class's; 0 of an unknown class.

    Parameters
    ----------
    centres
        What `clustered` gave.
    classes, instances
        (H, W), as for `codes_of`.
    rng
        What is drawn from.
    """
    width = next(iter(centres.values())).shape[1]
    _, first, which = np.unique(instances, return_index=True, return_inverse=True)
    rows = np.zeros((len(first), width), np.float32)
    for number, k in enumerate(classes.reshape(-1)[first].tolist()):
        if k in centres:
            rows[number] = centres[k][rng.integers(len(centres[k]))]
    codes: NDArray[np.float32] = rows[which.reshape(-1)].T.reshape(width, *instances.shape)
    return codes


def write(path: Path, centres: Mapping[int, NDArray[np.float32]]) -> None:
    """Write representative codes to a `.safetensors` file."""
    write_bytes(path, serialised({str(k): torch.tensor(v) for k, v in centres.items()}))


def read(path: Path) -> Codes:
    """Read what `write` wrote.

    Raises
    ------
    NetworkError
        There is no such file, or it holds something else.
    """
    try:
        return {int(k): v.numpy() for k, v in load_file(path).items()}
    except FileNotFoundError as error:
        raise NetworkError(
            "there are no representative codes",
            where=path,
            mend="name them with --cluster_path, or encode pictures: --use_encoded_image",
        ) from error
    except (OSError, SafetensorError, ValueError) as error:
        raise NetworkError(
            "these are no representative codes", where=path, mend="name another --cluster_path"
        ) from error
