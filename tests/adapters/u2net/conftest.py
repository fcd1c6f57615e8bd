"""U2-Net, in its own environment: the project's has no torch."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def algorithm():
    return "u2net"
