"""The segmenter against the package called by hand: the same labels, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.errors import SegmenterError, WeightsUnavailableError

pytestmark = pytest.mark.segmenter

# The package as its documentation has it, with the weights that were trained here. Diameter 0: as
# one would do it by hand without a size model, segment, measure, segment again.
BY_HAND = """
import numpy as np, torch
from cellpose import models, utils
from safetensors.torch import load_file
torch.set_num_threads(1)
weights, image, out, diameter = sys.argv[1:]
model = models.CellposeModel(gpu=False, pretrained_model=False, diam_mean=30., nchan=2)
model.net.load_state_dict({name: value.float() for name, value in load_file(weights).items()})
def segment(diameter):
    return model.eval(np.load(image), channels=[0, 0], channel_axis=0, diameter=diameter,
                      flow_threshold=.4, cellprob_threshold=0., min_size=15)[0]
diameter = float(diameter) or float(utils.diameters(segment(30.))[0])
np.save(out, segment(diameter))
print(json.dumps(diameter))
"""

# The published files, filled with random weights.
PUBLISH = """
import pathlib
import numpy as np, torch
from cellpose.resnet_torch import CPnet
folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)
torch.save(CPnet([2, 32, 64, 128, 256], 3, 3).state_dict(), folder / "cyto3")
torch.save(CPnet([2, 32, 64, 128, 256], 3, 3).state_dict(), folder / "nucleitorch_0")
size = {"A": np.full(256, .01), "smean": np.zeros(256), "diam_mean": 30., "ymean": 0.}
np.save(folder / "size_cyto3.npy", size)
np.save(folder / "size_nucleitorch_0.npy", size)
print(json.dumps(1))
"""

PUBLISHED_BY_HAND = """
import numpy as np, torch
from cellpose import models
torch.set_num_threads(1)
model = models.Cellpose(gpu=False, model_type=sys.argv[1])
labels = model.eval(np.load(sys.argv[2])[0], channels=[0, 0], diameter=None,
                    cellprob_threshold=-9., flow_threshold=0.)[0]
np.save(sys.argv[3], labels)
print(json.dumps(int(labels.max())))
"""


@pytest.fixture
def by_hand(adapter, inside, tmp_path):
    """A function that returns the labels, and the diameter, from the package called by hand."""

    def run(image, diameter):
        weights = adapter.folder / adapter.model("cellgen").file
        np.save(tmp_path / "image.npy", image)
        used = inside(BY_HAND, weights, tmp_path / "image.npy", tmp_path / "out.npy", diameter)
        return np.load(tmp_path / "out.npy"), used

    return run


@pytest.fixture
def published(inside, tmp_path, monkeypatch):
    """A folder with the published files' names, where the package looks for them."""
    monkeypatch.setenv("CELLPOSE_LOCAL_MODELS_PATH", str(tmp_path))
    inside(PUBLISH, tmp_path)
    return tmp_path


@pytest.mark.parametrize("diameter", [0, 18, 40])
def test_cellgen_is_the_package_called_by_hand(worker, by_hand, discs, diameter):
    image, labels = discs
    found = worker(diameter=diameter).segment(image).labels
    np.testing.assert_array_equal(found, by_hand(image, diameter)[0])
    if diameter == 18:
        assert found.max() == labels.max()


def test_channels_are_averaged_like_the_package_does(worker, by_hand, discs):
    image, _ = discs
    rng = np.random.default_rng(3)
    three = np.concatenate([image, image // 2, rng.integers(0, 50, image.shape, np.uint16)])
    found = worker(diameter=18).segment(three).labels
    np.testing.assert_array_equal(found, by_hand(three, 18)[0])


def test_specks_do_not_blow_up_the_image(worker, by_hand):
    """Objects of five pixels would be enlarged six times to the size the model knows."""
    y, x = np.mgrid[:64, :64]
    specks = np.hypot(y % 16 - 8, x % 16 - 8) <= 2.5
    image = np.random.default_rng(0).poisson(20 + 180 * specks)[None].astype(np.uint16)
    _, measured = by_hand(image, 0)
    assert 0 < measured < 30 / 4
    expected, _ = by_hand(image, 30 / 4)
    np.testing.assert_array_equal(worker(diameter=0).segment(image).labels, expected)


def test_the_measured_diameter_is_near_the_true_one(by_hand, discs):
    _, estimate = by_hand(discs[0], 0)
    assert 18 / 1.2 < estimate < 18 * 1.2


@pytest.mark.parametrize("model", ["cyto3", "nuclei"])
def test_published_files_in_their_place_are_used(inside, worker, discs, published, model):
    image, _ = discs
    np.save(published / "image.npy", image)
    count = inside(PUBLISHED_BY_HAND, model, published / "image.npy", published / "out.npy")
    found = worker(model, cellprob_threshold=-9.0, flow_threshold=0.0).segment(image).labels
    assert count > 0
    np.testing.assert_array_equal(found, np.load(published / "out.npy"))


@pytest.mark.parametrize("model", ["cyto3", "nuclei"])
def test_published_weights_that_cannot_be_had(worker, discs, tmp_path, monkeypatch, model):
    monkeypatch.setenv("CELLPOSE_LOCAL_MODELS_PATH", str(tmp_path))
    # Nothing listens there, on any machine.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(WeightsUnavailableError) as caught:
        worker(model).segment(discs[0])
    message = str(caught.value)
    assert str(tmp_path) in message
    assert "https://www.cellpose.org/models/" in message
    assert "CELLPOSE_LOCAL_MODELS_PATH" in message


def test_a_users_own_model_is_read_by_the_package(worker, discs, published):
    image, _ = discs
    assert worker(published / "cyto3").segment(image).labels.shape == image.shape[1:]


@pytest.mark.parametrize("shape", [(1, 37, 53), (1, 9, 9), (3, 64, 65), (6, 40, 30), (2, 5, 130)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_size_type_and_number_of_channels(worker, shape, dtype):
    rng = np.random.default_rng(0)
    image = rng.integers(0, np.iinfo(dtype).max, shape, dtype)
    assert worker().segment(image).labels.shape == shape[1:]


@pytest.mark.parametrize("level", [0, 700])
def test_an_image_without_contrast_has_no_objects(worker, level):
    assert not worker().segment(np.full((1, 64, 64), level, np.uint16)).labels.any()


def test_a_missing_channel_is_named(worker, discs):
    with pytest.raises(SegmenterError, match="channel 2 of an image with 1"):
        worker(channel=2).segment(discs[0])
