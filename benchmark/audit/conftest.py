"""What needs the extra `networks` is looked at only where it is installed."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["network.py"]
