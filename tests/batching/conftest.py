"""Shared by the tests of batching."""

from __future__ import annotations

import pytest

from tandem.batching.simulate import SimulationPlan


@pytest.fixture(scope="session")
def plan() -> SimulationPlan:
    """Enough items for a mean within about one per cent at moderate load, in a tenth of a second."""
    return SimulationPlan(items=100_000, replications=10, seed=7)
