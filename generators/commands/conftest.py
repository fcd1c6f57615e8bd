"""What the commands of networks do needs what the networks need."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = (
    []
    if find_spec("torch")
    else ["devices.py", "mask_*.py", "painter_*.py", "spot_*.py", "texture_*.py", "trained.py"]
)
