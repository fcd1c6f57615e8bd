"""Profiles without an installable package, against their definitions carried out one by one.

Sources: the evaluation code published with Caicedo et al. 2019 (Cytometry A and the Data Science
Bowl), with the NeurIPS 2022 challenge (Ma et al. 2024) and with HoVer-Net (Graham et al. 2019).
Written anew from what they do: dense, slow, and in whole numbers where they compare.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

pytestmark = pytest.mark.slow


class Dense:
    """Intersection and union of every true object with every prediction, pixel by pixel."""

    def __init__(self, truth, prediction):
        true_masks = [truth == one for one in np.unique(truth[truth > 0])]
        pred_masks = [prediction == one for one in np.unique(prediction[prediction > 0])]
        self.n_true, self.n_pred = shape = len(true_masks), len(pred_masks)
        self.true_areas = np.array([mask.sum() for mask in true_masks], int)
        self.pred_areas = np.array([mask.sum() for mask in pred_masks], int)
        self.shared = np.zeros(shape, int)
        for i, a in enumerate(true_masks):
            for j, b in enumerate(pred_masks):
                self.shared[i, j] = np.count_nonzero(a & b)
        self.union = self.true_areas[:, None] + self.pred_areas - self.shared
        self.iou = self.shared / self.union


@pytest.fixture(scope="session")
def dense(pairs):
    return {name: Dense(*pair) for name, pair in pairs.items()}


def counts_above(one, percent):
    """Return TP, FP and FN at an IoU strictly above a threshold of at least a half."""
    matches = 100 * one.shared > percent * one.union
    tp = np.count_nonzero(matches.sum(axis=1) == 1)
    fp = np.count_nonzero(matches.sum(axis=0) == 0)
    fn = np.count_nonzero(matches.sum(axis=1) == 0)
    return tp, fp, fn


def test_caicedo(dense, scores, agree):
    ours, defined = {}, {}
    for name, own in scores("caicedo").items():
        ours[name] = [*own.f1, own.mean_f1, own.splits, own.merges]
        f1 = []
        for percent in range(50, 95, 5):
            tp, fp, fn = counts_above(dense[name], percent)
            f1.append(2 * tp / (2 * tp + fp + fn) if tp else 0.0)
        overlaps = 10 * dense[name].shared > dense[name].union
        splits, merges = (np.count_nonzero(overlaps.sum(axis=axis) > 1) for axis in (1, 0))
        defined[name] = [*f1, sum(f1) / 9, splits, merges]
    agree(ours, defined)


def test_dsb2018(dense, scores, agree):
    ours, defined = {}, {}
    for name, own in scores("dsb2018").items():
        ours[name] = [*own.ap, own.mean_ap]
        ap = []
        for percent in range(50, 100, 5):
            tp, fp, fn = counts_above(dense[name], percent)
            ap.append(tp / (tp + fp + fn) if tp + fp + fn else math.nan)
        defined[name] = [*ap, sum(ap) / 10]
    agree(ours, defined)


def without_cells_at_the_border(labels):
    """Return the labels without objects of which a pixel is in the outer two."""
    inner = np.zeros(labels.shape, bool)
    inner[(slice(2, -2),) * labels.ndim] = True
    return np.where(np.isin(labels, labels[~inner]), 0, labels)


def test_neurips(pairs, scores, agree):
    ours, defined = {}, {}
    for name, own in scores("neurips").items():
        ours[name] = [own.n_true, own.n_pred, own.tp[0], own.precision[0], own.recall[0], own.f1[0]]
        one = Dense(*map(without_cells_at_the_border, pairs[name]))
        weight = (one.iou >= 0.5) + one.iou / max(1, 2 * min(one.iou.shape))
        rows, columns = linear_sum_assignment(-weight)
        tp = np.count_nonzero(one.iou[rows, columns] >= 0.5)
        precision, recall = tp / max(1, one.n_pred), tp / max(1, one.n_true)
        f1 = 2 * precision * recall / (precision + recall) if tp else 0.0
        defined[name] = [one.n_true, one.n_pred, tp, precision, recall, f1]
    agree(ours, defined)


def aggregated(one, rows, columns):
    """Return the Jaccard index of pairs, with the areas of what is in none added below."""
    alone_true = np.delete(one.true_areas, np.unique(rows)).sum()
    alone_pred = np.delete(one.pred_areas, np.unique(columns)).sum()
    below = one.union[rows, columns].sum() + alone_true + alone_pred
    return one.shared[rows, columns].sum() / below if below else math.nan


def test_hover_net(dense, scores, agree):
    ours, defined = {}, {}
    for name, own in scores("default").items():
        one = dense[name]
        ours[name] = [own.aji, own.aji_plus, own.rq, own.sq, own.pq]
        # It adds 1e-6 below the IoU: of two equal ones the one of more pixels is the largest.
        iou = one.shared / (one.union + 1e-6)
        touching = np.flatnonzero(one.shared.any(axis=1))
        best = iou[touching].argmax(axis=1) if len(touching) else touching
        rows, columns = linear_sum_assignment(-iou)
        paired = one.shared[rows, columns] > 0
        tp, fp, fn = counts_above(one, 50)
        nothing = one.n_true + one.n_pred == 0
        rq = tp / (tp + fp / 2 + fn / 2) if tp else math.nan if nothing else 0.0
        sq = one.iou[2 * one.shared > one.union].sum() / max(1, tp) if not nothing else math.nan
        defined[name] = [
            aggregated(one, touching, best),
            aggregated(one, rows[paired], columns[paired]),
            rq,
            sq,
            sq * rq,
        ]
    agree(ours, defined)
