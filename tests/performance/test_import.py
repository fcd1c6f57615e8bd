"""How long the real sets take to import, and that memory does not grow with their size.

pytest tests/performance/test_import.py --full -s
"""

from __future__ import annotations

import itertools

import pytest

from benchmark.dataset import import_folder


@pytest.mark.slow
@pytest.mark.benchmark(group="import")
@pytest.mark.parametrize("workers", [1, None], ids=["one worker", "all processors"])
def test_both_real_sets(benchmark, shared_data, tmp_path, workers):
    places = map(str, itertools.count())

    def both():
        out = tmp_path / next(places)
        names = ("dsb2018_fluo", "bbbc039")
        return [
            import_folder(
                shared_data / name, out / name, name=name, version="1.0.0", workers=workers
            )
            for name in names
        ]

    made = benchmark.pedantic(both, rounds=1)
    assert [len(dataset) for dataset in made] == [396, 150]
