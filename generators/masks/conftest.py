"""Examples in docstrings of what makes pictures need what the networks need."""

from __future__ import annotations

from importlib.util import find_spec

OF_NETWORKS = ["calibrating", "control", "making", "networks", "plans", "results", "sampling"]
collect_ignore = [] if find_spec("torch") else [f"{name}.py" for name in OF_NETWORKS]
