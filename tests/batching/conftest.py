"""Shared by the tests of batching."""

from __future__ import annotations

import pytest

from tandem.batching.simulate.simulate import SimulationPlan


@pytest.fixture(scope="session")
def plan() -> SimulationPlan:
    """Enough items for a mean within about one per cent at moderate load, in a tenth of a second."""
    return SimulationPlan(items=100_000, replications=10, seed=7)


@pytest.fixture(scope="session")
def late_s(request: pytest.FixtureRequest) -> float:
    """What a wait may be longer than set, seconds; little with `--slow`, which wants the machine alone.

    A machine that does other things wakes threads when it likes.
    """
    return 0.030 if request.config.getoption("--slow") else 0.25
