"""Each row of `docs/agreement.md`: a small case, what the package says of it and what we do.

The figures of the packages are theirs as they are. A test that fails after a new pin is good news:
the package was mended, and the row can go.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from benchmark.errors import LabelError
from benchmark.scoring import score
from benchmark.scoring.profiles import PROFILES

pytestmark = pytest.mark.segmenter

FOUR = np.array([[1, 1, 2, 2], [3, 3, 4, 4]], np.int32)
TWO = np.array([[0, 1, 1, 1, 0], [0, 0, 0, 2, 2]], np.int32)
NOTHING = np.zeros((2, 5), np.int32)
CELL = np.array([[0, 1, 1, 1, 1, 0], [0] * 6], np.int32)
HALVES = np.array([[0, 1, 1, 2, 2, 0], [0] * 6], np.int32)
BAR = np.array([[0, 1, 1, 1, 1, 1], [0] * 6], np.int32)
THREE_FIFTHS = np.array([[0, 1, 1, 1, 0, 0], [0] * 6], np.int32)
MANY = np.zeros((16, 17), np.uint8)
MANY[1:] = np.arange(1, 256).reshape(15, 17)
TANGLE = np.repeat([1, 2, 0], [80, 60, 20]).reshape(8, 20)
TANGLE_FOUND = np.repeat([1, 2, 0], [40, 80, 40]).reshape(8, 20)
LARGE = np.zeros((8, 8), np.int32)
LARGE[1:7, 1:7] = 1
TEN_PIXELS = np.repeat([0, 1, 0], [10, 10, 40]).reshape(6, 10)
FOUR_AND_SIX = np.repeat([0, 1, 2], [10, 4, 46]).reshape(6, 10)
SIX_AND_THREE = np.array([[1, 1, 1, 0, 0, 0, 2, 2, 2, 1, 1, 1]], np.int32)
FOUR_AND_TWO = np.array([[1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2]], np.int32)
MIXED = np.repeat([0, 1, 0], [10, 20, 30]).reshape(6, 10)
CRUMB = np.repeat([0, 1, 2, 0], [10, 18, 1, 31]).reshape(6, 10)

CASES = {
    "no background": (FOUR, FOUR),
    "no background, one missed": (FOUR, np.where(FOUR == 1, 0, FOUR)),
    "130 in 8 bits": (np.where(MANY <= 130, MANY, 0),) * 2,
    "255 in 8 bits": (MANY, MANY),
    "id 100 000": (TWO * 50_000,) * 2,
    "id 2^40": (TWO.astype(np.int64) * 2**39,) * 2,
    "big-endian": (TWO.astype(">i4"),) * 2,
    "gap in the ids": (TWO * 2,) * 2,
    "shapes differ": (TWO, TWO.reshape(5, 2)),
    "negative id": (np.array([[-1, -1, 1, 1]]), np.array([[0, 0, 1, 1]])),
    "nothing": (NOTHING, NOTHING),
    "no truth": (NOTHING, TWO),
    "halves": (CELL, HALVES),
    "joined": (HALVES, CELL),
    "half": (CELL, np.where(HALVES == 1, 1, 0).astype(np.int32)),
    "three fifths": (BAR, THREE_FIFTHS),
    "tangle": (TANGLE, TANGLE_FOUND),
    "large cell": (LARGE, LARGE),
    "four and six": (TEN_PIXELS, FOUR_AND_SIX),
    "left over": (SIX_AND_THREE, FOUR_AND_TWO),
}


@pytest.fixture(scope="module")
def say(ask):
    return ask("packages", CASES)


@pytest.fixture(scope="module")
def deepcell_say(ask):
    return ask("deepcell", CASES)


def ours(name, profile="default"):
    return score(*CASES[name], profile=profile)


def fails(answer, how):
    return isinstance(answer, dict) and answer.get("error", "").startswith(how)


def at_half(answer):
    """Return TP, FP, FN and AP at 0.5 of cellpose's answer."""
    return [answer["three"][name][0] for name in ("tp", "fp", "fn", "ap")]


def test_an_image_without_background(say):
    assert at_half(say["no background"]["cellpose"]) == [4, -1, -1, 2]
    assert ours("no background", "cellpose").ap == (1, 1, 1)
    missed = say["no background, one missed"]
    assert at_half(missed["cellpose"]) == [3, 0, 0, 1]
    assert [missed["seg"], missed["det"]] == [1, 1]
    own = ours("no background, one missed", "ctc")
    assert [own.ap[0], own.seg, own.det] == [0.75] * 3


def test_many_cells_in_eight_bits(say):
    assert say["130 in 8 bits"]["seg"] == pytest.approx(124 / 130)
    assert say["130 in 8 bits"]["det"] == pytest.approx(1 - (10 * 6 + 6) / 1300)
    answer = say["255 in 8 bits"]
    assert fails(answer["cellpose"], "ValueError: axis 0 index 255 exceeds matrix dimension 0")
    assert [answer["seg"], answer["det"]] == [0, 0]
    assert [answer["panoptica"][one] for one in ("n_pred_instances", "sq", "pq")] == [254, 0, 0]
    for name in ("130 in 8 bits", "255 in 8 bits"):
        own = ours(name)
        assert [own.mean_ap, own.seg, own.det, own.pq] == [1] * 4


def test_large_ids(say):
    dense = "MemoryError: Unable to allocate 74.5 GiB for an array with shape (100001, 100001)"
    assert fails(say["id 100 000"]["cellpose"], dense)
    for package in ("cellpose", "stardist", "panoptica", "skimage"):
        assert fails(say["id 2^40"][package], "MemoryError: Unable to allocate 8.00 TiB")
    for name in ("id 100 000", "id 2^40"):
        assert ours(name).mean_ap == 1


def test_ids_that_are_positions(deepcell_say):
    answer = deepcell_say["gap in the ids"]
    assert answer["f1"] == ours("gap in the ids", "tissuenet").f1[0] == 1
    assert fails(answer["as given"], "IndexError: index 3 is out of bounds")


def test_byte_order(say, deepcell_say):
    assert fails(say["big-endian"]["stardist"], "TypingError")
    assert fails(deepcell_say["big-endian"], "ValueError: Big-endian buffer not supported")
    assert ours("big-endian").mean_ap == 1


def test_shapes_that_differ(say):
    answer = say["shapes differ"]
    assert at_half(answer["cellpose"]) == [2, 0, 0, 1]
    assert [answer["seg"], answer["det"]] == [1, 1]
    assert answer["skimage"] == [[0, 1, 2], [0, 1, 2], [5, 3, 2]]
    with pytest.raises(LabelError, match="shape"):
        ours("shapes differ")


def test_negative_ids(say):
    answer = say["negative id"]
    assert [answer["seg"], answer["det"]] == [1, 1]  # -1 is the background, 0 an object
    assert answer["cellseg"]["dq"] == pytest.approx(2 / 3)  # -1 is an object
    with pytest.raises(LabelError, match="negative id -1"):
        ours("negative id")


def test_nothing_in_either_image(say, deepcell_say):
    answer = say["nothing"]
    assert math.isnan(answer["cellpose"]["three"]["ap"][0])
    assert math.isnan(ours("nothing", "cellpose").ap[0])
    assert math.isnan(answer["panoptica"]["pq"])
    assert answer["torchmetrics"]["in doubles"][0] == ours("nothing", "pq").pq == 0
    assert answer["stardist"]["0.5"]["accuracy"] == ours("nothing", "stardist").ap[0] == 0
    assert answer["seg"] == ours("nothing", "ctc").seg == 0
    assert deepcell_say["nothing"]["f1"] == ours("nothing", "tissuenet").f1[0] == 0


def test_det_without_a_true_object(say):
    for name in ("nothing", "no truth"):
        assert fails(say[name]["det"], "ValueError: zero-size array to reduction operation")
        assert ours(name, "ctc").det == 0


def test_half_of_an_object(say):
    half = say["half"]
    assert half["cellpose"]["three"]["tp"][0] == ours("half", "cellpose").tp[0] == 1
    assert half["stardist"]["0.5"]["tp"] == ours("half", "stardist").tp[0] == 1
    assert half["panoptica"]["tp"] == ours("half", "pq").tp[0] == 0
    assert half["seg"] == ours("half", "ctc").seg == 0
    # PQ asks for more than one half; out of the box, panoptica does not.
    assert half["panoptica by default"]["pq"] == 0.5
    assert say["joined"]["seg"] == ours("joined", "ctc").seg == 0.5
    assert say["joined"]["det"] == ours("joined", "ctc").det == 0.75


def test_what_is_left_over_breaks_ties(say):
    """Of 3/7 and 1/3 the smaller matches, for that leaves 1/6 to the other two."""
    both = CASES["left over"]
    theirs = say["left over"]["stardist"]["0.3"]
    own = score(*both, profile="stardist", thresholds=[0.3])
    assert theirs["tp"] == own.tp[0] == 1
    assert own.mean_matched_iou == pytest.approx(1 / 3)
    assert theirs["mean_matched_score"] == pytest.approx(1 / 3)
    best = dataclasses.replace(PROFILES["stardist"], leftovers=False)
    assert score(*both, profile=best, thresholds=[0.3]).mean_matched_iou == pytest.approx(3 / 7)


def test_32_bits(say):
    answer = say["three fifths"]
    assert answer["stardist"]["0.5"]["mean_matched_score"] == 0.6000000238418579
    assert answer["torchmetrics"]["by default"][0] == 0.6000000238418579
    assert ours("three fifths", "pq").pq == ours("three fifths", "stardist").pq == 0.6
    assert at_half(say["tangle"]["cellpose"])[-1] == 0.3333333432674408
    assert ours("tangle", "cellpose").ap[0] == 1 / 3


def test_distances_of_outlines(say):
    answer, own = say["three fifths"]["panoptica distances"], ours("three fifths", "pq")
    assert answer["sq_assd"] == 0.3  # (3/5 + 0) / 2
    assert own.boundary_mean == 0.375  # (3 + 0) / (5 + 3)
    assert answer["sq_hd95"] == pytest.approx(1.65)  # of all eight
    assert own.hausdorff_95 == pytest.approx(1.8)  # of the five, which is more than of the three
    without = say["half"]["panoptica distances"]
    assert fails(without, "NotImplementedError: Metric Metric.HD95 encountered zero TP")


def test_a_tangle_counts_as_found(deepcell_say):
    answer, own = deepcell_say["tangle"], ours("tangle", "tissuenet")
    assert [answer["catastrophe"], answer["correct_detections"], answer["f1"]] == [1, 1, 0.5]
    assert [own.catastrophes, own.tp[0], own.f1[0]] == [1, 0, 0]
    assert score(*CASES["tangle"], profile="tissuenet", legacy=True).f1[0] == 0.5


def test_deepcell_seg(deepcell_say):
    """Its mask keeps what it should leave out, and compares with the area of something else."""
    assert math.isnan(deepcell_say["large cell"]["seg"])
    assert ours("large cell", "ctc").seg == 1


def test_a_little_added_below(say):
    assert say["large cell"]["cellseg"]["pq"] == pytest.approx(1 - 2.03e-8, abs=1e-10)
    assert ours("large cell", "pq").pq == 1


def test_meanings_of_aji(say):
    assert ours("halves").aji == pytest.approx(2 / 6)  # one of them, the other below
    assert say["halves"]["cellseg"]["aji"] == pytest.approx(4 / 8)  # both of them
    assert say["halves"]["cellpose aji"] == ours("halves").aji_cellpose == 2 / 4
    # Four pixels of a small one, six of a large one: the larger IoU or the larger overlap.
    assert ours("four and six").aji == pytest.approx(4 / (10 + 46))
    assert say["four and six"]["cellseg"]["aji"] == pytest.approx(6 / (50 + 4))
    assert say["four and six"]["cellpose aji"] == ours("four and six").aji_cellpose == 4 / 50
    assert [ours("joined").aji, ours("joined").aji_plus] == pytest.approx([4 / 8, 2 / 6])


def test_caicedo_takes_ids_for_bins():
    """Its code counts pixels with `numpy.histogram`, one bin an id if there is no gap."""
    counts, _ = np.histogram(np.repeat([0, 1, 2, 90], [5, 4, 3, 2]), bins=4)
    assert counts.tolist() == [12, 0, 0, 2]


def test_caicedo_has_no_split_into_a_crumb():
    """A part counts from an IoU above 0.1, else also where most of it lies in the cell."""
    assert score(MIXED, CRUMB, profile="caicedo").splits == 0
    assert score(MIXED, CRUMB).splits == 1
    assert sorted(score(MIXED, CRUMB).table.iou) == [1 / 20, 18 / 20]
