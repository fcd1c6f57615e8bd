"""What each package says about each pair of label images: answer.py PAIRS.npz ANSWERS.json.

Runs in an environment of its own and imports nothing of this project. A package that fails on a
pair answers with its error.
"""

import json
import resource
import sys
import tempfile
import warnings
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

# torchmetrics imports torchvision where it is installed. Panoptic quality does not use it, and the
# registry's wheel does not load beside a torch without CUDA.
for name in ("", ".models", ".ops", ".transforms"):
    sys.modules["torchvision" + name] = MagicMock()

import tifffile  # noqa: E402
import torch  # noqa: E402
from cellpose import metrics as cellpose  # noqa: E402
from cellseg_metrics import functional as cellseg  # noqa: E402
from ctc_metrics.metrics import det, seg  # noqa: E402
from ctc_metrics.utils import representations as ctc  # noqa: E402
from panoptica import InputType, Panoptica_Evaluator  # noqa: E402
from panoptica.instance_matcher import NaiveThresholdMatching  # noqa: E402
from panoptica.metrics import Metric  # noqa: E402
from skimage.metrics import contingency_table  # noqa: E402
from stardist import matching as stardist  # noqa: E402
from torchmetrics.detection import PanopticQuality  # noqa: E402
from torchmetrics.functional.detection import panoptic_quality  # noqa: E402

TEN = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def say_cellpose(truth, prediction):
    said = {}
    for name, thresholds in (("three", [0.5, 0.75, 0.9]), ("ten", TEN)):
        ap, tp, fp, fn = cellpose.average_precision(truth, prediction, thresholds)
        said[name] = {"ap": ap, "tp": tp, "fp": fp, "fn": fn}
    return said


def say_cellpose_aji(truth, prediction):
    return cellpose.aggregated_jaccard_index([truth], [prediction])[0]


def say_stardist(truth, prediction):
    return {
        str(threshold): stardist.matching(
            truth, prediction, thresh=threshold, report_matches=True
        )._asdict()
        for threshold in (0.1, 0.3, 0.5, 0.75, 0.9)
    }


def in_classes(labels):
    """Return labels as torchmetrics wants them: class and object of each pixel."""
    return torch.from_numpy(np.stack([labels > 0, labels], -1).astype(np.int64))[None]


def say_torchmetrics(truth, prediction):
    """Return [pq, sq, rq] of one class of things on a background of stuff, in two precisions."""
    both = [in_classes(labels) for labels in (prediction, truth)]
    options = {"things": {1}, "stuffs": {0}, "return_sq_and_rq": True, "return_per_class": True}
    said = {"by default": panoptic_quality(*both, **options)[0].tolist()}
    # It divides two integers, which torch does in its default type.
    torch.set_default_dtype(torch.float64)
    try:
        said["in doubles"] = panoptic_quality(*both, **options)[0].tolist()
    finally:
        torch.set_default_dtype(torch.float32)
    return said


def evaluator(*metrics, **matching):
    return Panoptica_Evaluator(
        expected_input=InputType.UNMATCHED_INSTANCE,
        instance_matcher=NaiveThresholdMatching(**matching),
        instance_metrics=list(metrics),
        global_metrics=[],
    )


OVERLAP = evaluator(Metric.IOU, strict_threshold=True)
# Without a match it fails: what a Hausdorff distance is then is not settled there.
DISTANCE = evaluator(Metric.IOU, Metric.ASSD, Metric.HD95, strict_threshold=True)
AS_IT_COMES = evaluator(Metric.IOU)


def say_panoptica(truth, prediction, evaluator=OVERLAP):
    [result] = evaluator.evaluate(prediction, truth, result_all=False).values()
    names = ("n_ref_instances", "n_pred_instances", "tp", "fp", "fn", "rq", "sq", "pq")
    return {name: getattr(result, name) for name in names}


def say_panoptica_by_default(truth, prediction):
    return say_panoptica(truth, prediction, AS_IT_COMES)


def say_distances(truth, prediction):
    [result] = DISTANCE.evaluate(prediction, truth, result_all=False).values()
    return {name: getattr(result, name) for name in ("sq_assd", "sq_hd95")}


def matched_by_ctc(truth, prediction):
    """Return the labels of both, those matched of both, and the IoUs of these."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "truth.tif", Path(folder) / "prediction.tif"]
        for file, labels in zip(files, (truth, prediction), strict=True):
            tifffile.imwrite(file, labels)
        return ctc.match(*map(str, files))


def say_seg(truth, prediction):
    labels, *_, ious = matched_by_ctc(truth, prediction)
    return seg([labels], [ious])


def say_det(truth, prediction):
    *labels, _ = matched_by_ctc(truth, prediction)
    # Of one frame: no tracks.
    counts = ctc.count_acyclic_graph_correction_operations(None, None, *([one] for one in labels))
    return det(**counts)


def say_skimage(truth, prediction):
    table = contingency_table(truth, prediction).tocoo()
    return [table.row, table.col, table.data]


def say_cellseg(truth, prediction):
    return {
        **cellseg.panoptic_quality(truth, prediction),
        "precision": cellseg.average_precision(truth, prediction),
        "aji": cellseg.aggregated_jaccard_index(truth, prediction),
    }


ASKED = {
    "cellpose": say_cellpose,
    "cellpose aji": say_cellpose_aji,
    "stardist": say_stardist,
    "torchmetrics": say_torchmetrics,
    "panoptica": say_panoptica,
    "panoptica distances": say_distances,
    "seg": say_seg,
    "det": say_det,
    "skimage": say_skimage,
    "cellseg": say_cellseg,
}


def plain(value):
    """Return numbers and lists as JSON knows them."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def answer(say, truth, prediction):
    try:
        return plain(say(truth.copy(), prediction.copy()))
    except Exception as error:  # noqa: BLE001 - a failure of any kind is an answer
        return {
            "error": f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:160]}"
        }


def pooled(pairs):
    """What they say about all pairs as one data set."""
    truths, predictions = zip(*pairs, strict=True)
    panoptic = PanopticQuality(things={1}, stuffs={0}, return_sq_and_rq=True, return_per_class=True)
    torch.set_default_dtype(torch.float64)
    for truth, prediction in pairs:
        panoptic.update(in_classes(prediction), in_classes(truth))
    panoptic_qualities = panoptic.compute()[0].tolist()
    torch.set_default_dtype(torch.float32)
    labels, _, _, _, ious = zip(*(matched_by_ctc(*pair) for pair in pairs), strict=True)
    return {
        **{
            f"stardist by_image={by_image}": stardist.matching_dataset(
                truths, predictions, thresh=0.5, by_image=by_image, show_progress=False
            )._asdict()
            for by_image in (False, True)
        },
        "torchmetrics": panoptic_qualities,
        "seg": seg(labels, ious),
    }


def main(source, target):
    # One label of 100 000 makes some of them ask for 74 GiB.
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with np.load(source) as arrays:
        names = [name[: -len("/truth")] for name in arrays.files if name.endswith("/truth")]
        pairs = {name: (arrays[name + "/truth"], arrays[name + "/prediction"]) for name in names}
    answers = {
        name: {question: answer(say, *pair) for question, say in ASKED.items()}
        for name, pair in pairs.items()
    }
    for name, pair in pairs.items():
        if not name.startswith("random"):
            answers[name]["panoptica by default"] = answer(say_panoptica_by_default, *pair)
    # Some lose an object of an image without background.
    together = [
        pair
        for name, pair in pairs.items()
        if name.startswith("random") and all((labels == 0).any() for labels in pair)
    ]
    answers["data set"] = plain(pooled(together)) if together else {}
    Path(target).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
