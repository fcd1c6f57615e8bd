"""A slow second opinion: every definition spelled out pixel by pixel, in fractions.

Where several matchings are equally good the scorer may take any of them, so its choice is checked
to be one of the best and everything that follows from a matching is computed from that choice.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark.scoring import PROFILES, score

HALF = Fraction(1, 2)
EVENTS = {(False, True): "split", (True, False): "merged", (True, True): "catastrophe"}
LOW_TOO = [Fraction(n, 20) for n in (1, 2, 4, 5, 6, 8, 10, 11, 13, 15, 16, 18, 20)]
BOUNDARY = {"boundary_mean", "hausdorff_95", "boundary_f1", "boundary_bias"}


class Picture:
    """Objects of two images and their overlaps, counted pixel by pixel."""

    def __init__(self, truth, prediction):
        self.images = truth, prediction
        pixels = list(zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True))
        self.true = {t: sum(a == t for a, _ in pixels) for t, _ in pixels if t}
        self.pred = {p: sum(b == p for _, b in pixels) for _, p in pixels if p}
        self.shared = {(t, p): pixels.count((t, p)) for t, p in set(pixels) if t and p}
        self.union = {(t, p): self.true[t] + self.pred[p] - n for (t, p), n in self.shared.items()}
        self.iou = {pair: Fraction(n, self.union[pair]) for pair, n in self.shared.items()}
        self.foreground = sum(bool(t or p) for t, p in pixels)
        self.every = list(matchings(sorted(self.shared)))

    def best(self, value):
        """Return all one-to-one choices of pairs whose values add up to the most."""
        # Whole numbers, which add up faster than fractions.
        scale = math.lcm(*(Fraction(value(pair)).denominator for pair in self.shared))
        worth = {pair: int(value(pair) * scale) for pair in self.shared}
        totals = [sum(worth[pair] for pair in choice) for choice in self.every]
        most = max(totals)
        return [choice for choice, total in zip(self.every, totals, strict=True) if total == most]


def matchings(pairs):
    """Yield every one-to-one choice of pairs."""
    if not pairs:
        yield ()
        return
    (t, p), *rest = pairs
    yield from matchings(rest)
    for choice in matchings([(a, b) for a, b in rest if a != t and b != p]):
        yield ((t, p), *choice)


def best_matches(picture, threshold, profile, *, strict):
    """Return all sets of matched pairs that a profile may choose."""

    def passes(pair):
        return picture.iou[pair] > threshold if strict else picture.iou[pair] >= threshold

    # All IoU there is to gain is worth half a match.
    share = Fraction(1, 2 * max(1, min(len(picture.true), len(picture.pred))))
    if profile.own_matching:
        return [tuple(pair for pair, iou in sorted(picture.iou.items()) if 5 * iou > 3)]
    if profile.leftovers:
        chosen = picture.best(lambda pair: passes(pair) + share * picture.iou[pair])
    else:
        chosen = picture.best(lambda pair: passes(pair) * (1 + share * picture.iou[pair]))
    return [tuple(pair for pair in choice if passes(pair)) for choice in chosen]


def without_border(labels, width):
    """Return an image without the objects that have a pixel in its border."""
    inside = tuple(slice(width, max(width, size - width)) for size in labels.shape)
    outside = np.ones(labels.shape, bool)
    outside[inside] = False
    return np.where(np.isin(labels, labels[outside]), 0, labels)


def groups_of(nodes, links):
    """Return the groups that links connect, each a set."""
    groups, left = [], set(nodes)
    while left:
        group, front = set(), {left.pop()}
        while front:
            group |= front
            front = {b for a, b in links if a in front} - group
        groups.append(group)
        left -= group
    return groups


def links_of(picture, partner, *, only_unmatched):
    """Return the pairs of objects that have to do with each other, in both directions."""
    links = set()
    for (t, p), shared in picture.shared.items():
        ends = ("t", t), ("p", p)
        smaller = min(picture.true[t], picture.pred[p])
        close = picture.iou[t, p] >= Fraction(1, 10) or 2 * shared > smaller
        if close and sum(end in partner for end in ends) <= (0 if only_unmatched else 1):
            links |= {ends, ends[::-1]}
    return links


def errors_of(picture, matched, *, only_unmatched):
    """Return of each object its kind and its event: kind, true ids, predicted ids."""
    partner = {("t", t): ("p", p) for t, p in matched} | {("p", p): ("t", t) for t, p in matched}
    links = links_of(picture, partner, only_unmatched=only_unmatched)
    nodes = [("t", t) for t in picture.true] + [("p", p) for p in picture.pred]
    kind = dict.fromkeys(partner, "matched")
    event = {}
    for group in groups_of(nodes, links):
        involved = group | {partner[node] for node in group if node in partner and len(group) > 1}
        n_true = sum(side == "t" for side, _ in involved)
        name = EVENTS.get((n_true > 1, len(involved) - n_true > 1))
        for node in group - partner.keys():
            kind[node] = name or ("missed" if node[0] == "t" else "spurious")
        if name:
            ids = (tuple(sorted(i for s, i in involved if s == side)) for side in "tp")
            event |= dict.fromkeys(group, (name, *ids))
    # Who is matched takes part in what happened to the partner, unless in something else already.
    event = {node: event[other] for node, other in partner.items() if other in event} | event
    return {node: (kind[node], event.get(node)) for node in nodes}


def n_pieces(labels, wanted):
    """Return of how many pieces an object is, if those that share a corner are one."""
    pixels = set(map(tuple, np.argwhere(labels == wanted).tolist()))
    steps = list(product((-1, 0, 1), repeat=labels.ndim))
    links = {
        (pixel, near)
        for pixel in pixels
        for step in steps
        if (near := tuple(a + b for a, b in zip(pixel, step, strict=True))) in pixels
    }
    return len(groups_of(pixels, links))


def aggregated(picture, pairs):
    """Return pixels shared by pairs, over their unions and all objects in none of them."""
    union = sum(picture.union[pair] for pair in pairs)
    union += sum(area for t, area in picture.true.items() if t not in {a for a, _ in pairs})
    union += sum(area for p, area in picture.pred.items() if p not in {b for _, b in pairs})
    return Fraction(sum(picture.shared[pair] for pair in pairs), union)


def det(picture, found):
    """Return DET, counting the operations that mend the detections one by one."""
    if not picture.true:
        return 0
    serves = [sum(p == q for _, q in found) for p in picture.pred]
    missed = len(picture.true) - len(found)
    cost = 10 * missed + serves.count(0) + 5 * sum(n - 1 for n in serves if n)
    return 1 - Fraction(min(cost, 10 * len(picture.true)), 10 * len(picture.true))


def ratio(part, whole):
    return Fraction(part) / whole if whole else Fraction(0)


def figures(picture, profile, tp, matched):
    """Return all figures that have one right value, of images with any object."""
    n_true, n_pred = len(picture.true), len(picture.pred)
    iou_sum = sum(picture.iou[pair] for pair in matched)
    panoptic = matched if profile.at_first else [k for k, iou in picture.iou.items() if iou > HALF]
    panoptic_sum = sum(picture.iou[pair] for pair in panoptic)
    found = [(t, p) for (t, p), n in picture.shared.items() if 2 * n > picture.true[t]]
    nearest = [
        max(row, key=lambda pair: (picture.iou[pair], picture.shared[pair], -pair[1]))
        for t in picture.true
        if (row := [pair for pair in picture.shared if pair[0] == t])
    ]
    ap = [ratio(k, n_true + n_pred - k) for k in tp]
    f1 = [ratio(2 * k, n_true + n_pred) for k in tp]
    return {
        "ap": ap,
        "f1": f1,
        "precision": [ratio(k, n_pred) for k in tp],
        "recall": [ratio(k, n_true) for k in tp],
        "mean_ap": sum(ap) / len(ap),
        "mean_f1": sum(f1) / len(f1),
        "mean_matched_iou": ratio(iou_sum, len(matched)),
        "mean_true_iou": ratio(iou_sum, n_true),
        "rq": ratio(2 * len(panoptic), n_true + n_pred),
        "sq": ratio(panoptic_sum, len(panoptic)),
        "pq": ratio(2 * panoptic_sum, n_true + n_pred),
        "seg": ratio(sum(picture.iou[pair] for pair in found), n_true),
        "det": det(picture, found),
        "aji": aggregated(picture, nearest),
        "foreground_iou": ratio(sum(picture.shared.values()), picture.foreground),
    }


def figures_of_ties(picture):
    """Return figures with the values that they may have, where assignments are equally good."""
    share = Fraction(1, 2 * max(1, min(len(picture.true), len(picture.pred))))
    plus = picture.best(lambda pair: picture.iou[pair])
    cellpose = picture.best(lambda pair: (picture.iou[pair] >= HALF) + share * picture.iou[pair])
    return {
        "aji_plus": {aggregated(picture, choice) for choice in plus},
        "aji_cellpose": {
            Fraction(sum(picture.shared[pair] for pair in choice), picture.foreground)
            for choice in cellpose
        },
    }


def assert_close(value, expected, name):
    def plain(entry):
        return [math.nan if x is None else float(x) for x in np.atleast_1d(entry)]

    np.testing.assert_allclose(plain(value), plain(expected), rtol=1e-14, err_msg=name)


def assert_objects(result, side, picture, matched, errors):
    """Compare what is said of each true or of each predicted object; take it out of the result."""
    own, name = {"t": (0, "true"), "p": (1, "pred")}[side]
    areas = (picture.true, picture.pred)[own]
    match = {pair[own]: pair[1 - own] for pair in matched}
    objects, events = result.pop(f"{name}_objects"), result["events"]
    assert objects["label"] == sorted(areas)
    for k, one in enumerate(objects["label"]):
        row = {column: entries[k] for column, entries in objects.items()}
        ious = {pair[1 - own]: iou for pair, iou in picture.iou.items() if pair[own] == one}
        best_iou, best = max(((iou, -other) for other, iou in ious.items()), default=(0, 0))
        assert row["area"] == areas[one]
        assert row["match"] == match.get(one, 0)
        assert row["iou"] == float(ious.get(row["match"], 0))
        assert (row["best"], row["best_iou"]) == (-best, float(best_iou))
        assert row["pieces"] == n_pieces(picture.images[own], one)
        assert all((row[figure] is None) == (one not in match) for figure in BOUNDARY)
        event = plain_event(events[row["event"] - 1]) if row["event"] else None
        assert (row["kind"], event) == errors[side, one]
    kinds = [errors[side, one][0] for one in areas]
    assert result.pop(f"{name}_kinds") == {
        each: kinds.count(each)
        for each in ("matched", ("missed", "spurious")[own], "split", "merged", "catastrophe")
    }
    assert result.pop(f"fragmented_{name}") == sum(n > 1 for n in objects["pieces"])


def plain_event(event):
    return event["kind"], tuple(event["true"]), tuple(event["pred"])


def overlapped(picture, side):
    """Return how many objects have an IoU above 1/10 with several of the others."""
    linked = [pair[side] for pair, iou in picture.iou.items() if iou > Fraction(1, 10)]
    return sum(linked.count(one) > 1 for one in set(linked))


def assert_events(result, errors, picture, profile):
    """Compare the list of events with what each object says of its own; take it out."""
    found = [plain_event(event) for event in result.pop("events")]
    assert len(set(found)) == len(found)
    assert set(found) == {event for _, event in errors.values() if event}
    for plural, kind in (
        ("splits", "split"),
        ("merges", "merged"),
        ("catastrophes", "catastrophe"),
    ):
        expected = [each for each, *_ in found].count(kind)
        if profile.any_overlap and kind != "catastrophe":
            expected = overlapped(picture, ("split", "merged").index(kind))
        assert result.pop(plural) == expected


def assert_agrees(truth, prediction, name, *, thresholds=None, strict=None):
    """Compare all that a score says of one image."""
    profile = PROFILES[name]
    result = score(truth, prediction, profile=name, thresholds=thresholds, strict=strict).to_dict()
    thresholds = thresholds or profile.thresholds
    strict = profile.strict if strict is None else strict
    picture = Picture(*(without_border(image, profile.border) for image in (truth, prediction)))
    assert result.pop("profile") == name
    assert result.pop("thresholds") == [float(t) for t in thresholds]

    true_objects = result["true_objects"]
    pairs = zip(true_objects["label"], true_objects["match"], strict=True)
    matched = tuple((t, p) for t, p in pairs if p)
    decisive = thresholds[0] if profile.at_first else HALF
    assert matched in best_matches(picture, decisive, profile, strict=strict)
    errors = errors_of(picture, matched, only_unmatched=profile.own_matching)
    for side in "tp":
        assert_objects(result, side, picture, matched, errors)
    assert_events(result, errors, picture, profile)

    tp = [len(best_matches(picture, t, profile, strict=strict)[0]) for t in thresholds]
    assert result.pop("tp") == tp
    assert result.pop("fp") == [len(picture.pred) - k for k in tp]
    assert result.pop("fn") == [len(picture.true) - k for k in tp]
    assert result.pop("n_true") == len(picture.true)
    assert result.pop("n_pred") == len(picture.pred)
    for figure in BOUNDARY:
        assert (result.pop(figure) is None) == (not matched)
    assert_figures(result, picture, profile, tp, matched)


def assert_figures(result, picture, profile, tp, matched):
    """Compare all that is left of a result."""
    if not (picture.true or picture.pred):
        for figure, value in result.items():
            assert_close(value, np.full(np.shape(value), profile.empty), figure)
        return
    for figure, allowed in figures_of_ties(picture).items():
        value = result.pop(figure)
        assert any(value == pytest.approx(float(one), rel=1e-14) for one in allowed), figure
    expected = figures(picture, profile, tp, matched)
    assert result.keys() == expected.keys()
    for figure, value in expected.items():
        assert_close(result[figure], value, figure)


@st.composite
def pairs_of_labels(draw):
    """Draw an image, and a prediction that is anything or the truth with a few pixels changed."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=7))
    ids = st.integers(0, draw(st.integers(1, 4)))
    truth = draw(hnp.arrays(np.uint8, shape, elements=ids))
    anything = draw(hnp.arrays(np.uint8, shape, elements=ids))
    if draw(st.booleans()):
        return truth, anything
    changed = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 7), fill=st.just(0)))
    new_ids = np.array([0, *draw(st.permutations([1, 2, 3, 4]))])
    return truth, new_ids[np.where(changed == 1, anything, truth)]


EMPTY = np.zeros((2, 3), np.uint8)
BOTH_HALVES = np.array([1, 1, 2, 2]), np.array([1, 2, 2, 2])


@settings(max_examples=200, deadline=None)
@example(pair=(EMPTY, EMPTY), name="default", strict=None, low=False)
@example(pair=BOTH_HALVES, name="default", strict=None, low=True)
@given(
    pair=pairs_of_labels(),
    name=st.sampled_from(sorted(PROFILES)),
    strict=st.sampled_from([None, False, True]),
    low=st.booleans(),
)
def test_agrees_with_trying_every_matching(pair, name, strict, low):
    if PROFILES[name].own_matching:
        low, strict = False, None
    assert_agrees(*pair, name, thresholds=LOW_TOO if low else None, strict=strict)


@pytest.mark.parametrize("seed", range(12))
def test_agrees_where_many_objects_share_overlaps(seed):
    """Stretches of a line, shifted against each other: long chains of contested pairs."""
    generator = np.random.default_rng(seed)

    def stretches():
        lengths = generator.integers(2, 7, size=6)
        return np.resize(np.repeat(generator.permutation(6) + 1, lengths), 24)

    pair = stretches(), np.roll(stretches(), 2)
    name = sorted(set(PROFILES) - {"tissuenet"})[seed % 8]
    assert_agrees(*pair, name, thresholds=LOW_TOO[seed % 3 :])


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 3, 4), (0, 4)])
def test_agrees_where_there_is_nothing(name, shape):
    nothing, one = np.zeros(shape, np.int16), np.ones(shape, np.int16)
    for pair in ((nothing, nothing), (one, nothing), (nothing, one)):
        assert_agrees(*pair, name)


@pytest.mark.parametrize("name", PROFILES)
def test_agrees_on_objects_at_the_border(name):
    generator = np.random.default_rng(3)
    truth = np.zeros((12, 13), np.int32)
    truth[:4, :5], truth[2:6, 7:10], truth[7:10, 2:6], truth[7:11, 7:10] = 1, 2, 3, 4
    for shift in ((0, 0), (1, 0), (0, 1), (-1, -1), (3, 4)):
        prediction = np.roll(truth, shift, (0, 1))
        noise = generator.random(truth.shape) < 0.1
        assert_agrees(truth, np.where(noise, 0, prediction), name)
