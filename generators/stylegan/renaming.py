"""Names of parameters in published StyleGAN2 and StyleGAN3 files, and what they are called here.

docs/design/009 has them as a table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generators.stylegan.pickles import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

_BOTH = r"(weight|bias)"
_MAPPING = (
    (rf"embed\.{_BOTH}", r"embed.\1"),
    (rf"fc(\d+)\.{_BOTH}", r"layers.\1.\2"),
)
GENERATOR = (
    *((rf"mapping\.{theirs}", f"mapping.{ours}") for theirs, ours in _MAPPING),
    (r"mapping\.w_avg", "w_average"),
)
SYNTHESIS3 = (
    (r"synthesis\.input\.freqs", "synthesis.input.frequencies"),
    (rf"synthesis\.input\.(phases|weight|affine\.{_BOTH})", r"synthesis.input.\1"),
    (r"synthesis\.L(\d+)_\d+_\d+\.magnitude_ema", r"synthesis.layers.\1.magnitude"),
    (rf"synthesis\.L(\d+)_\d+_\d+\.((?:affine\.)?{_BOTH})", r"synthesis.layers.\1.\2"),
)
SYNTHESIS2 = (
    (r"synthesis\.b4\.const", "synthesis.constant"),
    (r"synthesis\.<(\d+)>\.conv0\.noise_const", r"synthesis.blocks.\1.up.constant_noise"),
    (r"synthesis\.<(\d+)>\.conv1\.noise_const", r"synthesis.blocks.\1.layer.constant_noise"),
    (r"synthesis\.<(\d+)>\.conv0\.(.+)", r"synthesis.blocks.\1.up.\2"),
    (r"synthesis\.<(\d+)>\.conv1\.(.+)", r"synthesis.blocks.\1.layer.\2"),
    (r"synthesis\.<(\d+)>\.torgb\.(.+)", r"synthesis.blocks.\1.to_picture.\2"),
)
DISCRIMINATOR = (
    *((rf"mapping\.{theirs}", f"classes.{ours}") for theirs, ours in _MAPPING),
    (r"<0>\.fromrgb\.(.+)", r"from_picture.\1"),
    (r"b4\.conv\.(.+)", r"conv.\1"),
    (r"b4\.fc\.(.+)", r"dense.\1"),
    (r"b4\.out\.(.+)", r"out.\1"),
    (r"<(\d+)>\.conv0\.(.+)", r"blocks.\1.first.\2"),
    (r"<(\d+)>\.conv1\.(.+)", r"blocks.\1.second.\2"),
    (r"<(\d+)>\.skip\.(.+)", r"blocks.\1.skip.\2"),
)
_FIXED = re.compile(r"(.+\.)?(up_filter|down_filter|resample_filter|transform)")


def by_level(
    tensors: Mapping[str, torch.Tensor], pattern: str, level: Callable[[int], int]
) -> dict[str, torch.Tensor]:
    """Put <level> for the size in a block's name, but for what stands in b4 alone."""

    def renamed(name: str) -> str:
        found = re.match(rf"{pattern}\.(?!const$|conv\.|fc\.|out\.)", name)
        if found is None:
            return name
        size = int(found[2][:6])
        return f"{found[1]}<{level(size) if size else 0}>.{name[found.end() :]}"

    return {renamed(name): tensor for name, tensor in tensors.items()}


def translated(
    tensors: Mapping[str, torch.Tensor], table: tuple[tuple[str, str], ...]
) -> dict[str, torch.Tensor]:
    """Return tensors under the names that they have here.

    Raises
    ------
    RefusedError
        A name is not in the table, or is there twice.
    """
    made = {}
    for name, tensor in tensors.items():
        if _FIXED.fullmatch(name):
            continue
        found = (re.fullmatch(theirs, name) for theirs, _ in table)
        ours = next((m.expand(to) for m, (_, to) in zip(found, table, strict=True) if m), None)
        if ours is None or ours in made:
            raise RefusedError(f"{name[:80]!r} has no place here")
        made[ours] = tensor
    return made
