"""The network against the paper's table and the names in the authors' published weights."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.segmenter

# The blocks as the authors name them: depth of the U-block, None for the one without pooling.
STAGES = {
    "stage1": 7,
    "stage2": 6,
    "stage3": 5,
    "stage4": 4,
    "stage5": None,
    "stage6": None,
    "stage5d": None,
    "stage4d": 4,
    "stage3d": 5,
    "stage2d": 6,
    "stage1d": 7,
}
BATCH_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

COUNT = """
from network import U2Net
network = U2Net(int(sys.argv[1]), int(sys.argv[2]), small=sys.argv[3] == "small")
print(json.dumps({"count": sum(p.numel() for p in network.parameters()),
                  "names": list(network.state_dict())}))
"""

FORWARD = """
import torch
from network import U2Net
torch.manual_seed(0)
network = U2Net(1, 2, small=True).eval()
with torch.no_grad():
    print(json.dumps([list(y.shape) for y in network(torch.rand(2, 1, *map(int, sys.argv[1:])))]))
"""

WIDE_VIEW = """
import torch
from network import U2Net
torch.manual_seed(0)
network = U2Net(1, 1, small=True).eval()
image = torch.rand(1, 1, 96, 96, requires_grad=True)
network(image)[0][0, 0, 48, 48].backward()
print(json.dumps((image.grad[0, 0] != 0).float().mean().item()))
"""


def published_names():
    """The names of every tensor in `u2net.pth` and `u2netp.pth`."""
    names = set()
    for stage, depth in STAGES.items():
        deepest = depth or 4
        blocks = ["in", *range(1, deepest + 1), *(f"{n}d" for n in range(1, deepest))]
        for block in blocks:
            start = f"{stage}.rebnconv{block}"
            names |= {f"{start}.conv_s1.weight", f"{start}.conv_s1.bias"}
            names |= {f"{start}.bn_s1.{part}" for part in BATCH_NORM}
    layers = [*(f"side{n}" for n in range(1, 7)), "outconv"]
    return names | {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}


@pytest.mark.parametrize(
    ("size", "expected"),
    [("small", 1_131_181), ("full", 44_009_869)],  # of the authors' U2NETP(3, 1) and U2NET(3, 1)
)
def test_parameters_are_as_many_as_the_authors(inside, size, expected):
    assert inside(COUNT, 3, 1, size)["count"] == expected


@pytest.mark.parametrize("size", ["small", "full"])
def test_names_are_the_published_ones(inside, size):
    names = inside(COUNT, 3, 1, size)["names"]
    assert set(names) == published_names()
    assert len(names) == len(set(names))


@pytest.mark.parametrize("size", [(64, 64), (37, 53), (1, 1), (5, 200)])
def test_seven_outputs_of_the_inputs_size(inside, size):
    assert inside(FORWARD, *size) == [[2, 2, *size]] * 7


def test_a_pixel_sees_nearly_the_whole_image(inside):
    assert inside(WIDE_VIEW) > 0.9
