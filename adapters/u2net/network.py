# ruff: noqa: INP001 - loaded from beside segmenter.py, on its own
"""U2-Net and U2-Net-P, written from the paper: Qin et al. 2020, arXiv 2005.09007.

A U-net of U-nets: each stage is a *residual U-block* (RSU), itself a small U-net whose output is
added to its input. Every decoder stage gives a side output; the side outputs are upsampled to the
input's size and fused by a 1x1 convolution. All of them are supervised in training.

The parameters carry the names of the authors' published weights, so that those load by name:
`stage1.rebnconvin.conv_s1.weight`, …, `side1.weight`, …, `outconv.weight`.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

# Per stage: name, depth of the block, channels in, inside, out. "F" is the block without pooling.
# Table 1 of the paper gives these numbers; stages 1-6 encode, 5d-1d decode.
_FULL = (
    ("stage1", 7, None, 32, 64),
    ("stage2", 6, 64, 32, 128),
    ("stage3", 5, 128, 64, 256),
    ("stage4", 4, 256, 128, 512),
    ("stage5", "F", 512, 256, 512),
    ("stage6", "F", 512, 256, 512),
    ("stage5d", "F", 1024, 256, 512),
    ("stage4d", 4, 1024, 128, 256),
    ("stage3d", 5, 512, 64, 128),
    ("stage2d", 6, 256, 32, 64),
    ("stage1d", 7, 128, 16, 64),
)
_SMALL = tuple(
    (name, depth, None if name == "stage1" else (128 if name.endswith("d") else 64), 16, 64)
    for name, depth, _, _, _ in _FULL
)


class ConvBlock(nn.Module):
    """3x3 convolution with a dilation, batch normalisation, ReLU."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(channels_in, channels_out, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(channels_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels_in, Y, X) -> (N, channels_out, Y, X)."""
        return functional.relu(self.bn_s1(self.conv_s1(x)))


class ResidualUBlock(nn.Module):
    """RSU-L: a U-net with `depth` levels whose output is added to its projected input.

    Each level halves the size but the last, which widens its view by a dilation of 2 instead.
    """

    def __init__(self, depth: int, channels_in: int, inside: int, channels_out: int) -> None:
        super().__init__()
        self.depth = depth
        self.rebnconvin = ConvBlock(channels_in, channels_out)
        for level in range(1, depth + 1):
            wide = channels_out if level == 1 else inside
            dilation = 2 if level == depth else 1
            self.add_module(f"rebnconv{level}", ConvBlock(wide, inside, dilation))
        for level in range(depth - 1, 0, -1):
            wide = channels_out if level == 1 else inside
            self.add_module(f"rebnconv{level}d", ConvBlock(2 * inside, wide))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels_in, Y, X) -> (N, channels_out, Y, X)."""
        x = self.rebnconvin(x)
        skips = []
        y = x
        for level in range(1, self.depth):
            y = self.get_submodule(f"rebnconv{level}")(y if level == 1 else _pool(y))
            skips.append(y)
        y = self.get_submodule(f"rebnconv{self.depth}")(y)
        for level in range(self.depth - 1, 0, -1):
            skip = skips[level - 1]
            y = self.get_submodule(f"rebnconv{level}d")(torch.cat((_resize(y, skip), skip), 1))
        return x + y


class DilatedUBlock(nn.Module):
    """RSU-4F: the U-block of the deepest stages, with dilations 1, 2, 4, 8 in place of pooling."""

    def __init__(self, channels_in: int, inside: int, channels_out: int) -> None:
        super().__init__()
        self.rebnconvin = ConvBlock(channels_in, channels_out)
        self.rebnconv1 = ConvBlock(channels_out, inside, 1)
        self.rebnconv2 = ConvBlock(inside, inside, 2)
        self.rebnconv3 = ConvBlock(inside, inside, 4)
        self.rebnconv4 = ConvBlock(inside, inside, 8)
        self.rebnconv3d = ConvBlock(2 * inside, inside, 4)
        self.rebnconv2d = ConvBlock(2 * inside, inside, 2)
        self.rebnconv1d = ConvBlock(2 * inside, channels_out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels_in, Y, X) -> (N, channels_out, Y, X)."""
        x = self.rebnconvin(x)
        y1 = self.rebnconv1(x)
        y2 = self.rebnconv2(y1)
        y3 = self.rebnconv3(y2)
        y = self.rebnconv4(y3)
        y = self.rebnconv3d(torch.cat((y, y3), 1))
        y = self.rebnconv2d(torch.cat((y, y2), 1))
        return x + self.rebnconv1d(torch.cat((y, y1), 1))


class U2Net(nn.Module):
    """The whole network; `small` gives U2-Net-P (1.1 M parameters against 44 M).

    Parameters
    ----------
    channels_in
        Image channels: 3 in the published weights.
    channels_out
        Maps to predict: 1, the salient object, in the published weights.
    small
        Build U2-Net-P.
    """

    def __init__(self, channels_in: int = 3, channels_out: int = 1, *, small: bool = False) -> None:
        super().__init__()
        wide = {}
        for name, depth, wide_in, inside, wide_out in _SMALL if small else _FULL:
            block_in = channels_in if wide_in is None else wide_in
            block: nn.Module
            if depth == "F":
                block = DilatedUBlock(block_in, inside, wide_out)
            else:
                block = ResidualUBlock(depth, block_in, inside, wide_out)
            self.add_module(name, block)
            wide[name] = wide_out
        for level, name in enumerate(("stage1d", "stage2d", "stage3d", "stage4d", "stage5d"), 1):
            self.add_module(f"side{level}", nn.Conv2d(wide[name], channels_out, 3, padding=1))
        self.side6 = nn.Conv2d(wide["stage6"], channels_out, 3, padding=1)
        self.outconv = nn.Conv2d(6 * channels_out, channels_out, 1)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, channels_in, Y, X) -> fused and six side outputs, logits (N, channels_out, Y, X)."""
        skips = []
        y = x
        for level in range(1, 7):
            y = self.get_submodule(f"stage{level}")(y if level == 1 else _pool(y))
            skips.append(y)
        decoded = [y]  # deepest first: stage6, then 5d ... 1d
        for level in range(5, 0, -1):
            skip = skips[level - 1]
            y = self.get_submodule(f"stage{level}d")(torch.cat((_resize(y, skip), skip), 1))
            decoded.append(y)
        sides = [
            self.get_submodule(f"side{level}")(y) for level, y in enumerate(reversed(decoded), 1)
        ]
        sides = [sides[0]] + [_resize(side, sides[0]) for side in sides[1:]]
        return [self.outconv(torch.cat(sides, 1)), *sides]


def from_state(state: dict[str, torch.Tensor]) -> U2Net:
    """Build the network that a state dict belongs to, and load it by parameter name.

    Raises
    ------
    KeyError
        The dict has not the names of a U2-Net.
    RuntimeError
        A name is missing, left over, or has another shape.
    """
    network = U2Net(
        channels_in=state["stage1.rebnconvin.conv_s1.weight"].shape[1],
        channels_out=state["outconv.weight"].shape[0],
        small=state["stage1.rebnconv1.conv_s1.weight"].shape[0] == 16,
    )
    network.load_state_dict(state)
    return network.eval()


def _pool(x: torch.Tensor) -> torch.Tensor:
    return functional.max_pool2d(x, 2, stride=2, ceil_mode=True)


def _resize(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)
