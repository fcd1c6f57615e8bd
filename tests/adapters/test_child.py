"""What runs in the segmenter's process: on an old Python too, and with nothing but NumPy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adapters import child
from adapters.adapter import Adapter
from adapters.environments import Environment, ensure
from adapters.errors import BuildError, InvalidPredictionError, SegmenterError
from adapters.pythons import find_python
from adapters.worker import Worker

MISBEHAVING = Path(__file__).parent / "misbehaving"


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.uint32, np.int64, np.uint64]),
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        elements=st.integers(0, 5),
    ),
    st.lists(st.integers(1, 2**40), min_size=5, max_size=5, unique=True).map(sorted),
)
def test_numbering_keeps_objects_and_their_order(labels, ids):
    for array in (labels, np.array([0, *ids], np.uint64)[labels]):
        numbered = child.consecutive(array)
        # An independent way to say it: the rank of each id among those present.
        present = np.unique(array[array > 0])
        expected = np.searchsorted(present, array) + 1
        assert np.array_equal(numbered, np.where(array > 0, expected, 0))


def test_the_seed_is_made_of_the_image():
    drawn = []
    for value in (1, 2, 1):
        child.seed(np.full((1, 3, 3), value, np.uint8))
        drawn.append(np.random.random())  # noqa: NPY002 - the generator that is seeded
    assert drawn[0] == drawn[2] != drawn[1]


@pytest.mark.segmenter
@pytest.mark.parametrize("wanted", ["==3.8.*", "==3.9.*", "==3.10.*"])
def test_it_runs_on_older_pythons(tmp_path, wanted, monkeypatch, bad_image, good_image):
    try:
        find_python(wanted)
    except BuildError as error:
        pytest.skip(error.what)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "segmenter.py").write_text((MISBEHAVING / "segmenter.py").read_text())
    (folder / "adapter.toml").write_text(
        (MISBEHAVING / "adapter.toml").read_text() + f'[environment]\npython = "{wanted}"\n'
    )
    (folder / "requirements.txt").write_text("numpy<2.1\n")
    adapter = Adapter.load(folder)
    environment = ensure(adapter)
    assert environment.version.startswith(wanted[2:-2])
    ways = {"sparse_ids": None, "returns_nan": InvalidPredictionError, "raises": SegmenterError}
    for mode, error in ways.items():
        with Worker(adapter, adapter.model(), environment, parameters={"mode": mode}) as worker:
            assert worker.segment(good_image).labels.max() == 2
            if error is None:
                assert worker.segment(bad_image).labels.max() == 2
            else:
                with pytest.raises(error):
                    worker.segment(bad_image)


def test_a_python_without_numpy_is_explained(tmp_path, good_image):
    subprocess.run([find_python(">=3.8").path, "-m", "venv", "--without-pip", tmp_path / "bare"])
    bare = Environment(tmp_path / "bare" / "bin" / "python", "3.11.0", "0" * 64, tmp_path / "bare")
    adapter = Adapter.load(MISBEHAVING)
    assert ensure(adapter).folder is None
    with (
        Worker(adapter, adapter.model(), bare) as worker,
        pytest.raises(SegmenterError, match="No module named 'numpy'"),
    ):
        worker.segment(good_image)
