"""The conformance cases: the shipped controls pass, each broken adapter fails its own case."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from adapters.adapter import Adapter
from adapters.conformance import check
from adapters.environments import ensure
from adapters.errors import AdapterError
from adapters.registry import find
from adapters.worker import Limits

HEAD = """
import numpy as np
class Segmenter:
    def __init__(self, model, parameters, device): self.count = 0
    def segment(self, image):
        plane = image[0]
        self.count += 1
        labels = (plane > (int(plane.min()) + int(plane.max())) / 2).astype(int)
"""


def verdicts(adapter, **options):
    cases = check(adapter, adapter.model(), ensure(adapter), **options)
    assert all(case.passed == (case.why == "") for case in cases)
    return {case.name: case.why for case in cases}


@pytest.mark.parametrize("name", ["oracle", "empty", "random"])
def test_controls_pass(name):
    assert set(verdicts(find(name)[0]).values()) == {""}


def test_a_simple_adapter_passes(make_adapter):
    adapter = Adapter.load(make_adapter(segmenter__py=HEAD + "        return labels\n"))
    assert set(verdicts(adapter).values()) == {""}


@pytest.mark.parametrize(
    ("ending", "case", "why"),
    [
        ("return labels * 0", "golden case", "found none of six"),
        ("return labels + (self.count > 3)", "same labels after other images", "other labels"),
        (
            "return labels * np.random.default_rng().integers(1, 9, labels.shape)",
            "same labels in a new process",
            "other labels",
        ),
        ("return labels[:60]", "golden case", "shape"),
        ("return labels / plane.max()", "nothing in the image", "NaN"),
        ("return labels[1 - (plane.size == 1) :]", "odd size", "shape"),
        ("assert plane.size > 1; return labels", "a single pixel", "AssertionError"),
        ("assert len(image) == 1; return labels", "three channels", "AssertionError"),
    ],
)
def test_a_broken_adapter_fails_its_case(make_adapter, ending, case, why):
    adapter = Adapter.load(make_adapter(segmenter__py=HEAD + f"        {ending}\n"))
    assert why in verdicts(adapter)[case]


def test_one_that_cannot_be_loaded_gets_no_further(make_adapter):
    adapter = Adapter.load(make_adapter(segmenter__py="import no_such_module\n"))
    found = verdicts(adapter, limits=Limits(start_seconds=20))
    assert list(found) == ["loads"]
    assert "No module named 'no_such_module'" in found["loads"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda labels: labels, ""),
        (lambda labels: labels * 7, ""),
        (lambda labels: np.where(labels == 2, 0, labels), "2 objects, 1 in the golden labels"),
        (lambda labels: np.roll(labels, 2, 0), "foreground IoU 0.333"),
        (lambda labels: labels[1:], "golden labels of"),
    ],
)
def test_a_golden_case_of_its_own_decides(make_adapter, change, why):
    image = np.zeros((20, 20), np.uint16)
    image[2:6, 2:12] = 900
    labels = image // 900
    image[10:14, 2:12] = 900
    labels[10:14, 2:12] = 2
    source = HEAD + "        labels[9:] *= 2\n        return labels\n"
    folder = make_adapter(segmenter__py=source)
    (folder / "golden").mkdir()
    tifffile.imwrite(folder / "golden" / "image.tif", image)
    tifffile.imwrite(folder / "golden" / "labels.tif", change(labels))
    found = verdicts(Adapter.load(folder))["golden case"]
    assert (why in found) if why else found == ""


def test_a_damaged_golden_case_is_the_adapters_fault(make_adapter):
    folder = make_adapter(segmenter__py=HEAD)
    (folder / "golden").mkdir()
    with pytest.raises(AdapterError, match="golden case cannot be read"):
        verdicts(Adapter.load(folder))
