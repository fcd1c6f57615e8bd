"""Programs as segmenters: `kind = "command"`."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.adapter import Adapter
from adapters.environments import ensure
from adapters.errors import (
    InvalidPredictionError,
    SegmenterError,
    WeightsUnavailableError,
    WorkerTimeoutError,
)
from adapters.worker import Limits, Worker

TOML = """
name = "mine"
kind = "command"
command = [{command}]
output = "{output}"
[models.m]
track = "as-published"
[parameters.level]
type = "int"
default = 100
[parameters.mode]
type = "str"
default = ""
"""
PYTHON = '"python", "{folder}/prog.py", "{image}", "{labels}", "--level={level}", "{mode}", "{x}"'
# An independent program: reads a file, thresholds, writes a file in the format of its name.
PROGRAM = """
import os, sys, time
import numpy as np
import tifffile
from PIL import Image
from scipy import ndimage
image, labels, level, mode, braces = sys.argv[1:]
print("at work on", os.path.basename(image))
assert braces == "{x}"
assert os.path.dirname(labels) == os.getcwd() == os.path.dirname(image)
pixels = tifffile.imread(image)
if mode == "hang": time.sleep(1000)
if mode == "fail": sys.exit("cannot read it")
if mode == "nothing": sys.exit(0)
if mode == "float": pixels = pixels.astype(float)
found = pixels if mode == "float" else ndimage.label(pixels > int(level.partition("=")[2]))[0]
if labels.endswith("npy"): np.save(labels, found)
elif labels.endswith("png"): Image.fromarray(found.astype(np.uint16)).save(labels)
else: tifffile.imwrite(labels, found)
"""


@pytest.fixture
def command(make_adapter):
    """A function that returns the worker of a command."""
    workers = []

    def make(command=PYTHON, output="tif", limits=None, **parameters):
        toml = TOML.replace("{command}", command).replace("{output}", output)
        folder = make_adapter(adapter__toml=toml, prog__py=PROGRAM)
        adapter = Adapter.load(folder)
        environment = ensure(adapter)
        worker = Worker(adapter, adapter.model(), environment, parameters=parameters, limits=limits)
        workers.append(worker)
        return worker

    yield make
    for worker in workers:
        worker.close()


@pytest.fixture
def image():
    pixels = np.zeros((1, 10, 12), np.uint16)
    pixels[0, 1:3, 1:3] = 150
    pixels[0, 5:8, 6:9] = 250
    return pixels


@pytest.mark.parametrize("output", ["tif", "png", "npy"])
def test_labels_come_back_in_each_format(command, image, output):
    prediction = command(output=output).segment(image)
    assert prediction.labels[1, 1] == 1
    assert prediction.labels[6, 7] == 2
    assert prediction.labels.max() == 2
    assert prediction.log == "at work on image.tif\n"


def test_parameters_fill_their_places(command, image):
    assert command(level=200).segment(image).labels.max() == 1


def test_several_channels_come_as_one_file(command, image):
    with pytest.raises(InvalidPredictionError, match=r"shape \(2, 10, 12\)"):
        command().segment(np.concatenate([image, image]))


@pytest.mark.parametrize(
    ("mode", "error", "message"),
    [
        ("fail", SegmenterError, "ended with exit status 1"),
        ("nothing", SegmenterError, "wrote no labels.tif"),
        ("float", InvalidPredictionError, "float64"),
        ("hang", WorkerTimeoutError, "no answer"),
    ],
)
def test_a_failing_program_fails_one_image(command, image, mode, error, message):
    worker = command(mode=mode, limits=Limits(seconds=3))
    with pytest.raises(error, match=message):
        worker.segment(image)


def test_a_missing_program_is_a_missing_algorithm(command, image):
    worker = command('"no-such-program-here", "{image}", "{labels}"')
    with pytest.raises(WeightsUnavailableError, match="'no-such-program-here' is not installed"):
        worker.segment(image)


def test_no_shell_reads_the_command(command, image, tmp_path):
    worker = command(f'"echo", "{{image}} {{labels}}; touch {tmp_path}/harm", "$(touch harm)"')
    with pytest.raises(SegmenterError, match="wrote no"):
        worker.segment(image)
    assert not (tmp_path / "harm").exists()
