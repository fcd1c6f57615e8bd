"""Profiles against the packages that define them, on 1,000 pairs.

Where a package differs, it is by a bug or convention of its own that `docs/agreement.md` lists;
the test then foretells its figure from ours, so that the day it changes is noticed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, distance_transform_edt

from benchmark.scoring import score
from benchmark.scoring.aggregate import image_mean, pool_counts, pool_figure
from benchmark.scoring.contingency import contingency

pytestmark = pytest.mark.segmenter

TEN = tuple(percent / 100 for percent in range(50, 100, 5))
SINGLE = np.float32(1).item() * 2**-23  # between two floats of 32 bits, at 1


def no_background(labels):
    return bool((labels > 0).all())


def overlaps(pairs, name):
    """Return the IoU of objects by their ids."""
    table = contingency(*pairs[name])
    true_ids, pred_ids = table.true_ids[table.pair_true], table.pred_ids[table.pair_pred]
    ids = zip(true_ids.tolist(), pred_ids.tolist(), strict=True)
    return dict(zip(ids, table.iou.tolist(), strict=True))


@pytest.mark.parametrize("key", ["three", "ten"])
def test_cellpose_counts(said, scores, pairs, agree, key):
    ours, theirs = {}, {}
    for name, own in scores("cellpose", *(TEN if key == "ten" else ())).items():
        # It counts ids less one for the background, there or not.
        less_true, less_pred = map(no_background, pairs[name])
        fp, fn = np.array(own.fp) - less_pred, np.array(own.fn) - less_true
        ours[name] = [own.tp, fp, fn]
        theirs[name] = [said[name]["cellpose"][key][count] for count in ("tp", "fp", "fn")]
    agree(ours, theirs, 0)


def test_cellpose_ap_to_the_last_of_its_32_bits(said, scores, pairs, agree):
    ours, theirs = {}, {}
    for name, own in scores("cellpose").items():
        if not any(map(no_background, pairs[name])):
            ours[name] = np.float32(own.ap)
            theirs[name] = said[name]["cellpose"]["three"]["ap"]
    assert len(ours) == 880
    agree(ours, theirs, 0)


def test_cellpose_aji(said, scores, pairs, agree):
    ours = {name: own.aji_cellpose for name, own in scores("cellpose").items()}
    agree(ours, {name: said[name]["cellpose aji"] for name in pairs})


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.75, 0.9])
def test_stardist(said, scores, pairs, agree, threshold):
    names = {"ap": "accuracy", **{name: name for name in ("tp", "fp", "fn")}}
    names |= {name: name for name in ("precision", "recall", "f1")}
    own = scores("stardist", threshold)
    theirs = {name: said[name]["stardist"][str(threshold)] for name in pairs}
    agree(
        {pair: [getattr(own[pair], name)[0] for name in names] for pair in pairs},
        {pair: [theirs[pair][name] for name in names.values()] for pair in pairs},
    )
    # Its IoUs have 32 bits, so its means are recomputed from the pairs that it matched.
    means = {}
    for name, answer in theirs.items():
        iou = overlaps(pairs, name)
        matched = [answer["matched_pairs"][k] for k in answer["matched_tps"]]
        total = math.fsum(iou[tuple(ids)] for ids in matched)
        n = answer["tp"], answer["n_true"], answer["tp"] + (answer["fp"] + answer["fn"]) / 2
        means[name] = [total / of if of else 0.0 for of in n]
    ours = {name: [s.mean_matched_iou, s.mean_true_iou, s.pq] for name, s in own.items()}
    agree(ours, means)
    figures = ("mean_matched_score", "mean_true_score", "panoptic_quality")
    agree(ours, {name: [theirs[name][one] for one in figures] for name in pairs}, 2 * SINGLE)


@pytest.fixture
def together(pairs, scores):
    """A function that returns the scores of a profile for all pairs with background."""

    def chosen(profile):
        scored = scores(profile)
        return [s for name, s in scored.items() if not any(map(no_background, pairs[name]))]

    return chosen


def test_stardist_of_a_data_set(said, together):
    own = together("stardist")
    pooled, by_image = (said["data set"][f"stardist by_image={flag}"] for flag in (False, True))
    rates = pool_counts(*([getattr(s, name) for s in own] for name in ("tp", "fp", "fn")))
    names = {"tp": "tp", "fp": "fp", "fn": "fn", "ap": "accuracy"}
    names |= {name: name for name in ("precision", "recall", "f1")}
    for ours, theirs in names.items():
        assert getattr(rates, ours).item() == pytest.approx(pooled[theirs], abs=1e-12)
        if ours not in {"tp", "fp", "fn"}:
            mean = image_mean([getattr(s, ours)[0] for s in own]).value
            assert mean == pytest.approx(by_image[theirs], abs=1e-12)
    # It adds up 32 bits over all images, so the last digits are lost.
    weights = {
        "mean_matched_iou": ("mean_matched_score", [s.tp[0] for s in own]),
        "mean_true_iou": ("mean_true_score", [s.n_true for s in own]),
        "pq": ("panoptic_quality", [s.n_true + s.n_pred for s in own]),
    }
    for ours, (theirs, weight) in weights.items():
        values = [getattr(s, ours) for s in own]
        assert pool_figure(values, weight) == pytest.approx(pooled[theirs], abs=1e-5)
        assert image_mean(values).value == pytest.approx(by_image[theirs], abs=1e-5)


def test_torchmetrics(said, scores, pairs, agree):
    ours = {name: [s.pq, s.sq, s.rq] for name, s in scores("pq").items()}
    agree(ours, {name: said[name]["torchmetrics"]["in doubles"] for name in pairs})
    agree(ours, {name: said[name]["torchmetrics"]["by default"] for name in pairs}, 2 * SINGLE)


def test_torchmetrics_of_a_data_set(said, together):
    own = together("pq")
    rates = pool_counts(*([getattr(s, name) for s in own] for name in ("tp", "fp", "fn")))
    sq = pool_figure([s.sq for s in own], [s.tp[0] for s in own])
    expected = [sq * rates.f1.item(), sq, rates.f1.item()]
    assert said["data set"]["torchmetrics"] == pytest.approx(expected, abs=1e-12)


def test_panoptica(said, scores, pairs, agree):
    counts, figures = {}, {}
    for name, own in scores("pq").items():
        counts[name] = [own.n_true, own.n_pred, own.tp[0], own.fp[0], own.fn[0]]
        # Of two empty images it says nothing, where PQ of a data set is pooled.
        nothing = own.n_true + own.n_pred == 0
        figures[name] = [math.nan] * 3 if nothing else [own.rq, own.sq, own.pq]
    names = ("n_ref_instances", "n_pred_instances", "tp", "fp", "fn")
    agree(counts, {n: [said[n]["panoptica"][one] for one in names] for n in pairs}, 0)
    names = ("rq", "sq", "pq")
    agree(figures, {n: [said[n]["panoptica"][one] for one in names] for n in pairs})


def directed(from_mask, to_mask):
    """Return the distances from one outline to the other, by a distance transform."""
    inside = {}
    for name, mask in (("from", from_mask), ("to", to_mask)):
        inside[name] = mask & ~binary_erosion(mask)
    return distance_transform_edt(~inside["to"])[inside["from"]]


def test_panoptica_distances_of_outlines(said, scores, pairs, agree):
    """The distances are the same; what is made of them differs by convention."""
    ours, dense, theirs, foretold = {}, {}, {}, {}
    for name, own in scores("pq").items():
        if own.tp[0] == 0:
            continue
        truth, prediction = pairs[name]
        table = contingency(truth, prediction)
        means, percentiles = [], []
        for k in np.flatnonzero(2 * table.intersection > table.union):
            a = truth == table.true_ids[table.pair_true[k]]
            b = prediction == table.pred_ids[table.pair_pred[k]]
            there, back = directed(a, b), directed(b, a)
            both = np.concatenate([there, back])
            means.append((both.mean(), (there.mean() + back.mean()) / 2))
            of_each = [np.percentile(one, 95) for one in (there, back)]
            percentiles.append((max(of_each), np.percentile(both, 95)))
        (mean, their_mean), (hd95, their_hd95) = np.mean(means, 0), np.mean(percentiles, 0)
        ours[name], dense[name] = [own.boundary_mean, own.hausdorff_95], [mean, hd95]
        foretold[name] = [their_mean, their_hd95]
        theirs[name] = [said[name]["panoptica distances"][one] for one in ("sq_assd", "sq_hd95")]
    assert len(ours) > 800
    agree(ours, dense)
    agree(foretold, theirs)


def test_py_ctcmetrics(said, scores, pairs, agree):
    ours, theirs = {}, {}
    for name, own in scores("ctc").items():
        # The lowest id of an image is its background, whatever it is.
        seen = [np.where(labels == labels.min(), 0, labels) for labels in pairs[name]]
        one = score(*seen, profile="ctc") if any(map(no_background, pairs[name])) else own
        ours[name] = [one.seg, one.det]
        theirs[name] = [said[name]["seg"], said[name]["det"]]
        if one.n_true == 0:  # its DET takes the largest of none
            assert theirs[name][1]["error"].startswith("ValueError: zero-size array")
            theirs[name][1] = 0.0
    agree(ours, theirs)


def test_py_ctcmetrics_of_a_data_set(said, together):
    own = together("ctc")
    seg = pool_figure([s.seg for s in own], [s.n_true for s in own])
    assert said["data set"]["seg"] == pytest.approx(seg, abs=1e-12)


def test_scikit_image_contingency(said, pairs):
    for name in pairs:
        table = contingency(*pairs[name])
        pixels = {}
        for true_id, pred_id, n in zip(*said[name]["skimage"], strict=True):
            pixels[true_id, pred_id] = n
        ids = overlaps(pairs, name)
        shared = dict(zip(ids, table.intersection.tolist(), strict=True))
        assert shared == {both: n for both, n in pixels.items() if all(both)}
        for side, areas in ((0, table.true_areas), (1, table.pred_areas)):
            counted = {}
            for both, n in pixels.items():
                counted[both[side]] = counted.get(both[side], 0) + n
            assert [counted[key] for key in sorted(counted) if key] == areas.tolist()


def test_cellseg_metrics(said, scores, pairs, agree):
    """It adds 1e-8 to what it divides by: foretold digit by digit."""
    eps = 1e-8
    ours, theirs = {}, {}
    for name, own in scores("pq").items():
        table, [tp], [fp], [fn] = own.table, own.tp, own.fp, own.fn
        found = np.flatnonzero(2 * table.intersection > table.union)
        sq = math.fsum(table.intersection[found] / (table.union[found] + eps)) / (tp + eps)
        dq = tp / (tp + fp / 2 + fn / 2 + eps)
        ours[name] = [sq * dq, sq, dq, tp / (tp + fp + eps)]
        answer = said[name]["cellseg"]
        theirs[name] = [answer[figure] for figure in ("pq", "sq", "dq", "precision")]
        assert own.pq == pytest.approx(answer["pq"], abs=3e-8)
    agree(ours, theirs)


def test_cellseg_metrics_aji_where_largest_overlap_is_largest_iou(said, scores, agree):
    """It pairs by overlap instead of IoU, and a true object with all of several equal ones."""
    ours, theirs = {}, {}
    for name, own in scores("pq").items():
        table = own.table
        same = True
        for t in range(table.n_true):
            shared = table.intersection[table.pair_true == t]
            iou = table.iou[table.pair_true == t]
            if len(shared):
                largest = shared == shared.max()
                same &= largest.sum() == 1 and bool((iou[largest] == iou.max()).all())
                same &= (iou == iou.max()).sum() == 1
        if same:
            ours[name], theirs[name] = own.aji, said[name]["cellseg"]["aji"]
    assert len(ours) > 250
    agree(ours, theirs, 1e-8)
