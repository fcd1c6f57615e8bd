"""How long boundary measures take, beside scipy's distance transform on a crop of each pair.

    pytest tests/performance/test_boundary.py --full -s

Every figure is CPU time on one thread, and each stands beside its peer's from the same run.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, distance_transform_edt, find_objects

from benchmark.scoring.boundary import boundaries
from benchmark.scoring.contingency import contingency

pytestmark = [pytest.mark.slow, pytest.mark.benchmark(timer=time.process_time)]


def cells(shape, n, radius, shift, seed):
    """Return balls as truth, and as prediction the same balls moved a little."""
    generator = np.random.default_rng(seed)
    labels = np.zeros((2, *shape), np.uint16)
    for k in range(1, n + 1):
        centre = generator.uniform(0, shape)
        size = radius * generator.uniform(0.8, 1.2)
        for image, middle in zip(labels, (centre, generator.normal(centre, shift)), strict=True):
            low = np.clip(middle - size, 0, shape).astype(int)
            high = np.clip(middle + size + 2, 0, shape).astype(int)
            box = tuple(slice(*ends) for ends in zip(low, high, strict=True))
            away = sum((axis - c) ** 2 for axis, c in zip(np.ogrid[box], middle, strict=True))
            image[box][away < size**2] = k
    return labels


def matched(truth, prediction):
    table = contingency(truth, prediction)
    return truth, prediction, table, np.flatnonzero(table.iou >= 0.5)


def by_transform(truth, prediction, table, pairs):
    """Return mean, Hausdorff, F1 and bias of each pair from distance transforms of its crop."""
    true_boxes, pred_boxes = find_objects(truth), find_objects(prediction)
    rows = []
    for t, p in zip(
        table.true_ids[table.pair_true[pairs]].tolist(),
        table.pred_ids[table.pair_pred[pairs]].tolist(),
        strict=True,
    ):
        box = tuple(
            slice(min(a.start, b.start), max(a.stop, b.stop))
            for a, b in zip(true_boxes[t - 1], pred_boxes[p - 1], strict=True)
        )
        ours, theirs = truth[box] == t, prediction[box] == p
        here, there = ours ^ binary_erosion(ours), theirs ^ binary_erosion(theirs)
        forth, back = distance_transform_edt(~there)[here], distance_transform_edt(~here)[there]
        recall, precision = np.mean(forth <= 2), np.mean(back <= 2)
        signed = np.where(theirs[here], forth, -forth).sum()
        signed -= np.where(ours[there], back, -back).sum()
        n = len(forth) + len(back)
        rows.append(
            (
                (forth.sum() + back.sum()) / n,
                max(np.percentile(forth, 95), np.percentile(back, 95)),
                2 * recall * precision / max(recall + precision, 1e-300),
                signed / n,
            )
        )
    return np.array(rows).T


SETS = {
    "1 of 1024x1024, cells of 28 px": lambda: [cells((1024, 1024), 620, 14, 2, 0)],
    "20 of 512x512, cells of 36 px": lambda: [cells((512, 512), 90, 18, 2, k) for k in range(20)],
    "1 of 32x256x256, cells of 14 px": lambda: [cells((32, 256, 256), 400, 7, 1, 0)],
    "1 of 120x120x120, one cell of 80 px": lambda: [ball(40, 4)],
    "1 of 120x120x120, one cell too small by 10 px": lambda: [ball(50, 0)],
}


def ball(size, shift):
    """Return a ball of radius 40 and one of another size beside it."""
    z, y, x = np.ogrid[-60:60, -60:60, -60:60]
    truth = z**2 + y**2 + x**2 < 40**2
    prediction = (z - shift) ** 2 + (y + shift) ** 2 + x**2 < size**2
    return truth.astype(np.uint16), prediction.astype(np.uint16)


@pytest.mark.parametrize("images", SETS.values(), ids=SETS.keys())
def test_beside_distance_transforms_of_crops(benchmark, images):
    jobs = [matched(*pair) for pair in images()]
    results = benchmark.pedantic(
        lambda: [boundaries(*job) for job in jobs], rounds=15, warmup_rounds=1
    )
    seconds = []
    for _ in range(3):
        start = time.process_time()
        peers = [by_transform(*job) for job in jobs]
        seconds.append(time.process_time() - start)
    for ours, theirs in zip(results, peers, strict=True):
        figures = np.array([ours.mean, ours.hausdorff_95, ours.f1, ours.bias])
        np.testing.assert_allclose(figures, theirs, rtol=1e-9, atol=1e-9)
    best = benchmark.stats.stats.min
    benchmark.extra_info["pairs"] = sum(len(job[-1]) for job in jobs)
    benchmark.extra_info["transforms_ms"] = round(1000 * min(seconds), 1)
    benchmark.extra_info["ratio"] = round(min(seconds) / best, 1)
    print(f"\nours {1000 * best:.2f} ms, {benchmark.extra_info}")


def test_twenty_thousand_cells(benchmark):
    job = matched(*cells((4096, 4096), 20_000, 11, 1.5, 0))
    result = benchmark.pedantic(lambda: boundaries(*job), rounds=5, warmup_rounds=1)
    assert len(result.mean) > 10_000
    print(f"\nours {1000 * benchmark.stats.stats.min:.0f} ms, {len(result.mean)} pairs")
