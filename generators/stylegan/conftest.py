"""Examples in docstrings need what the networks need, and compile nothing."""

from __future__ import annotations

import os
from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["*.py"]

os.environ.setdefault("BENCH_OPS", "torch")
