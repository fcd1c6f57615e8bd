"""Cellpose, in its own environment: the project's has no torch."""

from __future__ import annotations

import pytest

from adapters.registry import find


@pytest.fixture(scope="session")
def algorithm():
    return "cellpose"


@pytest.fixture(scope="session")
def adapter(algorithm):
    return find(algorithm)[0]
