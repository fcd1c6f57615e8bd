"""Data set, format 1: a folder of TIFF and Parquet, immutable once released.

The format and its reasons: `docs/design/002-data-set-format-1.md`.
"""

from __future__ import annotations

from benchmark.dataset.exporting import export
from benchmark.dataset.importing import import_folder, open_any
from benchmark.dataset.manifest import Manifest, Recipe
from benchmark.dataset.reader import Dataset
from benchmark.dataset.sample import Sample, SampleInput, SampleRecord, write_sample
from benchmark.dataset.verify import Finding, verify
from benchmark.dataset.versions import compare_versions
from benchmark.dataset.writer import DatasetWriter

__all__ = [
    "Dataset",
    "DatasetWriter",
    "Finding",
    "Manifest",
    "Recipe",
    "Sample",
    "SampleInput",
    "SampleRecord",
    "compare_versions",
    "export",
    "import_folder",
    "open_any",
    "verify",
    "write_sample",
]
