"""How alike pictures are to VGG19: differences of its features, for those who have its weights.

Johnson et al., arXiv 1603.08155; as in appendix A of arXiv 1711.11585.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the annotation is read

import torch
from torch import nn
from torch.nn import functional

from generators.pix2pixhd.files import tensors_of
from generators.stylegan.files import NetworkError

_WIDTHS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 1))  # channels, convolutions; to relu5_1
_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


class Vgg(nn.Module):
    """Pictures (N, 1 or 3, H, W) → features after the first bend of each of five blocks.

    Layers have torchvision's names. Pictures within [-1, 1] go in as they are, which is what
    networks of the original learned from.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features, self.taken = nn.Sequential(), []
        before = 3
        for block, (width, count) in enumerate(_WIDTHS):
            if block:
                self.features.append(nn.MaxPool2d(2))
            for number in range(count):
                self.features.append(nn.Conv2d(before, width, 3, padding=1))
                self.features.append(nn.ReLU(inplace=True))
                before = width
                if not number:
                    self.taken.append(len(self.features) - 1)

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Return features of five layers."""
        maps = pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures
        found = []
        for number, layer in enumerate(self.features):
            maps = layer(maps)
            if number in self.taken:
                found.append(maps.clone())  # the next bend is in place
        return found


def load(path: Path) -> Vgg:
    """Read VGG19's weights, as torchvision has them, from a `.pth` or `.safetensors` file.

    Raises
    ------
    NetworkError
        There is no such file, or it holds something else.
    """
    tensors = tensors_of(path)
    with torch.device("meta"):
        network = Vgg()
    wanted = network.state_dict()
    try:
        network.load_state_dict(
            {name: tensors[name].float() for name in wanted}, strict=True, assign=True
        )
    except (KeyError, RuntimeError) as error:
        raise NetworkError(
            f"these are not the weights of VGG19: {error}",
            where=path,
            mend="give torchvision's vgg19-dcbb9e9d.pth, or leave out --vgg",
        ) from error
    return network.eval().requires_grad_(requires_grad=False)


def difference(vgg: Vgg, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return how far pictures are from real ones: a scalar.

    The mean absolute differences of five layers' features, times 1/32, 1/16, 1/8, 1/4 and 1.
    """
    with torch.no_grad():
        true = vgg(real)
    return torch.stack(
        [
            weight * functional.l1_loss(one, other)
            for weight, one, other in zip(_WEIGHTS, vgg(made), true, strict=True)
        ]
    ).sum()
