"""Shared by the tests of batching."""

from __future__ import annotations

import pytest

from tandem.batching.simulate.estimate import Effort


@pytest.fixture(scope="session")
def plan() -> Effort:
    """Means within half a per cent, in a tenth of a second."""
    return Effort(precision=0.01, seed=7)


@pytest.fixture(scope="session")
def late_s(request: pytest.FixtureRequest) -> float:
    """What a wait may be longer than set, seconds; little with `--slow`, which wants the machine alone.

    A machine that does other things wakes threads when it likes.
    """
    return 0.030 if request.config.getoption("--slow") else 0.25
