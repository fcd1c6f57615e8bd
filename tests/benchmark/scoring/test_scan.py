from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark.scoring import scan
from benchmark.scoring.scan import Counter


def counted(*blocks):
    """Return areas and overlaps, background left out, as dictionaries keyed by id."""
    counter = Counter()
    for truth, prediction in blocks:
        counter.add(truth, prediction)
    entries = list(zip(*(column.tolist() for column in counter.pairs()), strict=True))
    pixels = {(t, p): n for t, p, n in entries}
    assert len(pixels) == len(entries), "a pair is counted in two places"
    true_areas, pred_areas = {}, {}
    for (t, p), n in pixels.items():
        true_areas[t] = true_areas.get(t, 0) + n
        pred_areas[p] = pred_areas.get(p, 0) + n
    for areas in (true_areas, pred_areas):
        areas.pop(0, None)
    return true_areas, pred_areas, {pair: n for pair, n in pixels.items() if all(pair)}


def tally(*columns):
    """Return how often each row of some columns occurs, those with a 0 left out."""
    rows, n = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
    keys = [row[0] if len(row) == 1 else tuple(row) for row in rows.tolist()]
    seen = rows.all(axis=1)
    return {key: int(k) for key, k, keep in zip(keys, n, seen, strict=True) if keep}


def assert_counts(truth, prediction):
    expected = tally(truth), tally(prediction), tally(truth, prediction)
    assert counted((truth, prediction)) == expected
    assert counted((truth, truth)) == (expected[0], expected[0], tally(truth, truth))


def test_by_hand():
    truth = np.array([0, 0, 7, 7, 7, 7, 0, 5, 7], np.uint8)
    prediction = np.array([0, 3, 3, 3, 0, 9, 9, 0, 9], np.uint8)
    assert counted((truth, prediction)) == (
        {7: 5, 5: 1},
        {3: 3, 9: 3},
        {(7, 3): 2, (7, 9): 2},
    )


def test_an_object_under_several_predictions():
    prediction = np.array([1, 2, 3, 4, 0, 4, 3, 3, 2, 1, 1, 1, 0], np.uint16)
    truth = np.full(13, 8, np.uint16)
    shared = {(8, 1): 4, (8, 2): 2, (8, 3): 3, (8, 4): 2}
    assert counted((truth, prediction))[2] == shared
    assert counted((prediction, truth))[2] == {(p, t): n for (t, p), n in shared.items()}


def test_background_between_predictions_is_no_overlap():
    truth = np.full(9, 1, np.uint8)
    prediction = np.array([0, 0, 0, 2, 0, 0, 3, 0, 2], np.uint8)
    assert counted((truth, prediction))[2] == {(1, 2): 2, (1, 3): 1}


EDGES = sorted(
    {c * scan._CHUNK + d for c in (1, 2) for d in (-65, -64, -63, -1, 0, 1, 2, 63, 64, 65)}
)


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 66, 127, 128, 129, 130, *EDGES])
def test_every_length_about_the_end_of_a_chunk(size):
    generator = np.random.default_rng(size)
    truth = np.repeat(generator.integers(0, 5, size), 3)[:size].astype(np.uint32)
    prediction = np.roll(truth, 1)
    assert_counts(truth, prediction)
    every = np.arange(size, dtype=np.uint32)  # a change at every pixel, none within a run
    assert_counts(every, every[::-1].copy())
    assert_counts(np.full(size, 3, np.uint32), np.full(size, 4, np.uint32))


@pytest.mark.parametrize("room", [scan._ROOM // 4 * 4**k for k in range(4)])
@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("first", [1, 2**16, 2**31])
def test_tables_grow_without_losing_a_pair(room, more, first):
    n = room + more
    ids = np.random.default_rng(n).permutation(n).astype(np.uint32) + np.uint32(first)
    truth = np.repeat(ids, 3)
    assert_counts(truth, np.roll(truth, 1))
    assert_counts(truth, np.full(3 * n, 2, np.uint32))
    # Met again after the tables have grown.
    assert_counts(np.tile(ids, 2), np.tile(ids[::-1], 2))


@pytest.mark.parametrize("place", [0, 1, 40])
def test_background_on_background_looks_like_a_free_entry(place):
    """It may take one that others want, or find its own taken."""
    truth = np.ones(81, np.uint16)
    truth[place::7] = 0
    prediction = np.arange(81).astype(np.uint16) // 7
    assert_counts(truth, prediction)
    assert_counts(truth, truth)
    assert_counts(np.zeros(81, np.uint16), np.zeros(81, np.uint16))


@pytest.mark.parametrize("n", [100, 1000, 5000])
def test_one_object_under_many_predictions_and_the_other_way_round(n):
    one, many = np.full(2 * n, 9, np.uint64), np.tile(np.arange(n, dtype=np.uint64) + 1, 2)
    assert_counts(one, many)
    assert_counts(many, one)


def test_many_objects_with_many_predictions_each():
    generator = np.random.default_rng(0)
    truth = np.repeat(generator.integers(1, 400, 3000), 5).astype(np.uint16)
    prediction = np.repeat(generator.integers(1, 300, 5000), 3).astype(np.uint16)
    assert_counts(truth, prediction)


@pytest.mark.parametrize("shift", [0, 16, 20, 31, 32, 33, 40, 44, 48, 52])
def test_ids_that_differ_in_their_high_bits_alone(shift):
    n = min(3000, 2 ** (64 - shift) - 1)
    ids = (np.arange(n, dtype=np.uint64) + 1) << np.uint64(shift)
    truth = np.repeat(ids, 2)
    assert_counts(truth, np.roll(truth, 1))
    assert_counts(truth | np.uint64(2**63), np.roll(truth, 1))


def starts(pairs, room=4096):
    shift = np.uint64(64 - room.bit_length() + 1)
    with np.errstate(over="ignore"):
        return [int(scan._first(np.uint64(t), np.uint64(p), shift)) for t, p in pairs]


@pytest.mark.parametrize("shift", range(0, 54, 2))
def test_a_search_is_short_whichever_bits_tell_the_ids_apart(shift):
    """Else objects with sparse ids take time that grows with the square of their number."""
    ids = [k << shift for k in range(1, 1001)]
    for pairs in (
        [(k, 0) for k in ids],
        [(0, k) for k in ids],
        [(k, k) for k in ids],
        [(k, 1001 - k) for k in range(1, 1001)],
        [(ids[k], ids[(3 * k + 5) % 1000]) for k in range(1000)],
    ):
        assert len(set(starts(pairs))) > len(pairs) / 10, pairs[:3]


def test_pairs_that_share_one_place_of_the_table():
    """Found by trial: as many ids as it takes, all of which start their search at one entry."""
    room = 4 * scan._ROOM
    candidates = range(1, 60_000)
    places = starts(((k, k) for k in candidates), room)
    ids = [k for k, place in zip(candidates, places, strict=True) if place == 5][:90]
    assert len(ids) == 90
    truth = np.repeat(np.array(ids, np.uint64), 2)
    assert_counts(truth, truth)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8"])
def test_each_width_up_to_its_largest_id(kind):
    top = np.iinfo(kind).max
    truth = np.array([0, top, top, top - 1, 1, 0, top], kind)
    prediction = np.array([top, top, 0, top, top - 1, 0, 1], kind)
    assert_counts(truth, prediction)


def test_parts_add_up():
    """An object that goes on in the next part is the same object."""
    generator = np.random.default_rng(4)
    truth = np.repeat(generator.integers(0, 200, 900), 4).astype(np.uint16)
    prediction = np.roll(truth, 2)
    parts = [slice(0, 1), slice(1, 1000), slice(1000, 1000), slice(1000, 3600)]
    whole = counted((truth, prediction))
    assert counted(*[(truth[part], prediction[part]) for part in parts]) == whole
    assert whole == (tally(truth), tally(prediction), tally(truth, prediction))


def test_every_other_pixel_of_an_array_that_cannot_be_written():
    truth = np.repeat(np.arange(50, dtype=np.uint16), 6)
    prediction = np.roll(truth, 2)
    expected = counted((truth[::2].copy(), prediction[::2].copy()))
    truth.flags.writeable = prediction.flags.writeable = False
    assert counted((truth[::2], prediction[::2])) == expected


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_counts_what_sorting_all_pixels_counts(data):
    size = data.draw(st.integers(1, 60))
    ids = [0, *data.draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6))]
    one = hnp.arrays(np.uint64, size, elements=st.sampled_from(ids))
    assert_counts(data.draw(one), data.draw(one))
