"""Data set, format 1: a folder of TIFF and Parquet, immutable once released.

The format and its reasons: `docs/design/002-data-set-format-1.md`.
"""

from __future__ import annotations

from benchmark.dataset.importing import open_any
from benchmark.dataset.manifest import Manifest, Recipe
from benchmark.dataset.reader import Dataset
from benchmark.dataset.sample import Sample, SampleInput, SampleRecord, write_sample
from benchmark.dataset.writer import DatasetWriter

__all__ = [
    "Dataset",
    "DatasetWriter",
    "Manifest",
    "Recipe",
    "Sample",
    "SampleInput",
    "SampleRecord",
    "open_any",
    "write_sample",
]
