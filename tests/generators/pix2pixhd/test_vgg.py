from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd import vgg  # noqa: E402
from generators.stylegan.files import NetworkError  # noqa: E402

# torchvision.models.vgg19: indices of its convolutions up to relu5_1, with their channels.
LAYERS = dict(
    zip(
        (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28),
        (64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512),
        strict=True,
    )
)


def test_names_and_shapes_are_those_of_torchvision():
    with torch.device("meta"):
        network = vgg.Vgg()
    shapes = {k: tuple(v.shape) for k, v in network.state_dict().items() if k.endswith("weight")}
    widths = [3, *LAYERS.values()]
    assert shapes == {
        f"features.{k}.weight": (widths[n + 1], widths[n], 3, 3) for n, k in enumerate(LAYERS)
    }
    assert network.taken == [1, 6, 11, 20, 29]  # relu1_1, relu2_1, …


@pytest.mark.slow
def test_differences_by_hand_and_a_gradient_for_what_is_made(tmp_path):
    torch.manual_seed(0)
    state = vgg.Vgg().state_dict() | {"features.30.weight": torch.zeros(1)}
    torch.save(state, tmp_path / "vgg19-dcbb9e9d.pth")
    network = vgg.load(tmp_path / "vgg19-dcbb9e9d.pth")
    made = torch.rand(1, 1, 16, 16, requires_grad=True)
    real = torch.rand(1, 1, 16, 16)
    loss = vgg.difference(network, made, real)
    by_hand = 0.0
    with torch.no_grad():
        x, y = made.expand(-1, 3, -1, -1), real.expand(-1, 3, -1, -1)
        weights = iter((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1))
        for k in range(30):
            if f"features.{k}.weight" in state:
                given = state[f"features.{k}.weight"], state[f"features.{k}.bias"]
                x, y = (torch.conv2d(z, *given, padding=1) for z in (x, y))
            elif k in {4, 9, 18, 27}:
                x, y = (torch.max_pool2d(z, 2) for z in (x, y))
            else:
                x, y = x.relu(), y.relu()
                if k in {1, 6, 11, 20, 29}:
                    by_hand += next(weights) * (x - y).abs().mean().item()
    assert loss.item() == pytest.approx(by_hand, rel=1e-5)
    loss.backward()
    assert made.grad.abs().max() > 0
    assert vgg.difference(network, real, real).item() == 0


def test_other_weights_are_refused(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(NetworkError, match="not the weights of VGG19"):
        vgg.load(tmp_path / "x.pth")
