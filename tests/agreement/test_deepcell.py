"""The tissuenet profile against deepcell's ObjectMetrics, on 1,000 pairs, object by object."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.scoring import score
from benchmark.scoring.contingency import contingency
from benchmark.scoring.kinds import PRED_KINDS, TRUE_KINDS
from benchmark.scoring.tissuenet import tissuenet

pytestmark = pytest.mark.segmenter


def objects_of(kind, names, kinds):
    """Return the numbers of the objects of a kind, from 1."""
    return (np.flatnonzero(kinds == names.index(kind)) + 1).tolist()


def test_every_object_has_the_same_fate(deepcell_said, pairs):
    for name, pair in pairs.items():
        table = contingency(*pair)
        matched, kinds = tissuenet(table)
        events = deepcell_said[name]["events"]
        # A catastrophe is among the correct ones too, as lists of objects that start at 1 instead
        # of pairs that start at 0.
        correct = [one for one in events["correct"] if one not in events["catastrophes"]]
        assert [[table.pair_true[k], table.pair_pred[k]] for k in matched] == [
            [true[0], pred[0]] for true, pred in correct
        ]
        missed = objects_of("missed", TRUE_KINDS, kinds.true_kind)
        spurious = objects_of("spurious", PRED_KINDS, kinds.pred_kind)
        assert missed == sorted(true[0] for true, _ in events["missed"])
        assert spurious == sorted(pred[0] for _, pred in events["gained"])


def test_every_event_has_the_same_objects(deepcell_said, pairs):
    n_events = 0
    for name, pair in pairs.items():
        ours = [
            (one["kind"], one["true"], one["pred"])
            for one in score(*pair, profile="tissuenet").events
        ]
        theirs = [
            (kind, sorted(true), sorted(pred))
            for kind, key in (
                ("split", "splits"),
                ("merged", "merges"),
                ("catastrophe", "catastrophes"),
            )
            for true, pred in deepcell_said[name]["events"][key]
        ]
        assert sorted(ours) == sorted(theirs), name
        n_events += len(ours)
    assert n_events > 2000


def test_counts_and_rates(deepcell_said, scores, pairs, agree):
    counts, rates = {}, {}
    as_they_count = scores("tissuenet", legacy=True)
    for name, own in scores("tissuenet").items():
        old = as_they_count[name]
        counts[name] = [own.n_true, own.n_pred, own.splits, own.merges, own.catastrophes]
        counts[name] += [own.true_kinds["missed"], own.pred_kinds["spurious"], old.tp[0]]
        rates[name] = [old.recall[0], old.precision[0], old.f1[0]]
        # Catastrophes are taken for correct detections there, and that is all.
        assert own.tp[0] == old.tp[0] - own.catastrophes
    names = ("n_true", "n_pred", "split", "merge", "catastrophe")
    names += ("missed_detections", "gained_detections", "correct_detections")
    agree(counts, {pair: [deepcell_said[pair][one] for one in names] for pair in pairs}, 0)
    names = ("recall", "precision", "f1")
    agree(rates, {pair: [deepcell_said[pair][one] for one in names] for pair in pairs})
