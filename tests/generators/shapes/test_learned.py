"""The source `stylegan3`, with a tiny untrained network: it draws what its noise makes of discs."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from generators.errors import ShapeError
from generators.polygons import is_simple
from generators.shapes import learned
from generators.shapes.frames import Frames
from generators.shapes.geometry import moments
from generators.shapes.learned import LearnedSource
from generators.shapes.maps import MapSettings, maps_of
from generators.shapes.source import source_named
from generators.shapes.styles import irregularity

needs_torch = pytest.mark.skipif(not find_spec("torch"), reason="needs the extra `networks`")
RESIDUAL = MapSettings(resolution=16)


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(2)
    size = rng.lognormal(0, 0.15, 500)
    return Frames.of(np.stack([size, 1 + 0.5 * size**3 * rng.lognormal(0, 0.3, 500)], axis=1))


@pytest.fixture
def write(tmp_path, frames):
    """Return a function that writes an untrained network with notes, and returns its file."""

    def written(content=None, map_=RESIDUAL, *, loudness=4.0, name="net.safetensors", **changes):
        from generators.stylegan.files import save
        from generators.stylegan.generator import Generator
        from generators.stylegan.settings import GeneratorSettings

        small = {"cbase": 128, "cmax": 8, "z_dim": 8, "w_dim": 8, "num_layers": 4}
        settings = GeneratorSettings(16, output_scale=loudness, **(small | changes))
        if content is None:
            content = {
                "kind": "objects",
                "map": json.loads(map_.to_json()),
                "frames": json.loads(frames.to_json()),
            }
        save(tmp_path / name, Generator(settings, seed=3), notes={"content": json.dumps(content)})
        return tmp_path / name

    return written


@pytest.fixture
def source(write):
    return LearnedSource(write())


class Discs:
    """In place of a network: distance maps of discs, each as large as the first latent says."""

    class settings:  # noqa: N801 - stands for an instance
        z_dim = 4

    def __call__(self, z):
        import torch

        angle = np.arange(256) * (2 * np.pi / 256)
        unit = np.stack([np.sin(angle), np.cos(angle)], axis=1) / 2
        maps = maps_of([unit * np.exp(0.1 * float(x[0])) for x in z], DISTANCE)[0]
        # Of every third nothing is shown.
        maps[np.array([float(x[1]) > 0.43 for x in z])] = -1
        return torch.from_numpy(maps)


DISTANCE = MapSettings("distance", resolution=32)


@pytest.fixture
def discs(tmp_path, frames):
    """A source whose network shows discs, or nothing."""
    (tmp_path / "discs.safetensors").touch()
    source = LearnedSource(tmp_path / "discs.safetensors")
    source.__dict__["_model"] = learned._Model(Discs(), DISTANCE, frames)
    return source


def drawn(source, n, seed=0, **style):
    return source.sample(n, np.random.default_rng(seed), **style)


@needs_torch
def test_outlines_keep_what_every_source_keeps(source):
    outlines = drawn(source, 100)
    assert len(outlines) == 100
    for outline in outlines:
        assert outline.dtype == np.float64
        assert is_simple(outline)
    about = moments(np.stack(outlines))
    assert (about.area > 0).all()
    assert about.centroid == pytest.approx(np.zeros((100, 2)), abs=1e-9)
    assert abs(np.exp(2j * about.angle).mean()) < 0.3
    assert source.drawn == 100 + source.invalid
    assert drawn(source, 0) == []


@needs_torch
def test_the_network_decides_on_the_outline(write):
    rough = [
        np.median(irregularity(np.stack(drawn(LearnedSource(write(loudness=loud)), 20))))
        for loud in (1e-4, 3.0, 8.0)
    ]
    assert rough[0] < 0.01
    assert rough[1] > 1.5 * rough[0]
    assert rough[2] > 1.5 * rough[1]


@needs_torch
def test_sizes_and_elongations_come_from_their_distribution(source, frames):
    about = moments(np.stack(drawn(source, 400)))
    assert np.median(about.diameter) == pytest.approx(1, abs=0.03)
    wanted = frames.sample(4000, np.random.default_rng(9))
    for found, true in ((about.diameter, wanted[:, 0]), (about.elongation, wanted[:, 1])):
        assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx(
            np.quantile(true, [0.1, 0.5, 0.9]), rel=0.1
        )


@needs_torch
def test_styles_are_what_outlines_measure(source):
    wanted = np.linspace(1.1, 2.5, 20)
    for name, attribute in (("size", "diameter"), ("elongation", "elongation")):
        about = moments(np.stack(drawn(source, 20, **{name: wanted})))
        assert getattr(about, attribute) == pytest.approx(wanted, rel=1e-6)
    made = np.stack(drawn(source, 20, size=0.7, elongation=1.8, irregularity=0.05))
    assert moments(made).diameter == pytest.approx(np.full(20, 0.7), rel=1e-6)
    assert moments(made).elongation == pytest.approx(np.full(20, 1.8), rel=1e-6)
    assert irregularity(made) == pytest.approx(np.full(20, 0.05), rel=0.1)


@needs_torch
def test_a_size_that_is_given_decides_on_the_elongation(source):
    small, large = (
        np.median(moments(np.stack(drawn(source, 60, size=size))).elongation) for size in (0.8, 1.3)
    )
    assert small < 1.4
    assert large > 1.8


@needs_torch
def test_the_same_state_gives_the_same_outlines_on_any_number_of_threads(source):
    import torch

    one, same, other = (drawn(source, 8, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3 - min(threads, 2))
        assert np.stack(drawn(source, 8, 1)) == pytest.approx(np.stack(one), abs=1e-3)
    finally:
        torch.set_num_threads(threads)


@needs_torch
def test_the_size_of_a_batch_is_nothing_to_an_outline(source, monkeypatch):
    one = np.stack(drawn(source, 40, 1))
    monkeypatch.setattr(learned, "BATCH", 7)
    assert np.stack(drawn(source, 40, 1)) == pytest.approx(one, abs=1e-3)


@needs_torch
def test_distance_maps_show_their_own_sizes_and_what_shows_none_is_drawn_anew(discs):
    outlines = drawn(discs, 200)
    assert len(outlines) == 200
    assert discs.drawn == 200 + discs.invalid
    assert discs.invalid == pytest.approx(100, abs=40)
    sizes = np.log(moments(np.stack(outlines)).diameter)
    assert sizes.std() == pytest.approx(0.1, rel=0.15)
    assert sizes.mean() == pytest.approx(0, abs=0.03)
    stretched = moments(np.stack(drawn(discs, 20, size=2.0, elongation=3.0)))
    assert stretched.diameter == pytest.approx(np.full(20, 2.0), rel=1e-6)
    assert stretched.elongation == pytest.approx(np.full(20, 3.0), rel=1e-6)


@needs_torch
def test_a_network_without_shapes_is_an_error_in_the_end(write, monkeypatch):
    monkeypatch.setattr(learned, "ROUNDS", 3)
    source = LearnedSource(write(map_=MapSettings("distance", resolution=16), loudness=1e-6))
    monkeypatch.setattr(
        source._model.network, "forward", lambda z: z.new_full((len(z), 1, 16, 16), -1)
    )
    with pytest.raises(ShapeError, match="no shape in 3 tries"):
        drawn(source, 2)
    assert (source.drawn, source.invalid) == (6, 6)


def test_an_unknown_style_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "x.safetensors").touch()
    with pytest.raises(ShapeError, match="no style"):
        drawn(LearnedSource(tmp_path / "x.safetensors"), 3, roundness=1)


def test_a_missing_file_is_an_error_of_shapes(tmp_path, monkeypatch):
    with pytest.raises(ShapeError, match="no network of shapes") as error:
        LearnedSource(tmp_path / "none.safetensors")
    assert "none.safetensors" in error.value.where
    if not learned.SHIPPED.is_file():
        with pytest.raises(ShapeError, match="no network of shapes"):
            source_named("stylegan3")


@needs_torch
@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"kind": "fields", "level": 0.0}, "its pictures show fields"),
        ({"kind": "objects"}, "map"),
        ({"kind": "objects", "map": {"kind": "outline"}, "frames": {}}, "outline"),
        ({"kind": "objects", "map": {}, "frames": {}}, "weights"),
        ([], "list"),
    ],
)
def test_networks_of_something_else_are_refused(write, content, why):
    with pytest.raises(ShapeError, match=why):
        drawn(LearnedSource(write(content)), 1)


@needs_torch
@pytest.mark.parametrize("changes", [{"channels": 3}, {"c_dim": 2}, {"map_": MapSettings()}])
def test_networks_whose_pictures_are_no_such_maps_are_refused(write, changes):
    with pytest.raises(ShapeError, match="no maps of the size"):
        drawn(LearnedSource(write(**changes)), 1)


def test_torch_is_not_imported_before_it_is_needed(tmp_path):
    (tmp_path / "x.safetensors").touch()
    code = (
        "import sys\n"
        "from generators.shapes.learned import LearnedSource\n"
        f"source = LearnedSource({str(tmp_path / 'x.safetensors')!r})\n"
        "assert 'torch' not in sys.modules\n"
        "sys.modules['torch'] = sys.modules['safetensors'] = None\n"
        "import numpy as np\n"
        "from generators.errors import ShapeError\n"
        "try:\n"
        "    source.sample(1, np.random.default_rng())\n"
        "except ShapeError as error:\n"
        "    assert 'networks' in error.mend, error\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
