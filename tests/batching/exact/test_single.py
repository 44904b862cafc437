"""What the agreement grid does not show: limits, corners, refusals."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from tandem.batching.errors import InvalidRateError, NoExactSolutionError
from tandem.batching.exact.single import solve_single
from tandem.batching.outcome import Station
from tandem.batching.rules import Rule, greedy, timeout
from tandem.batching.service_time import ServiceTime

SERVICE = ServiceTime.linear(0.004, 0.008, 16)


def solved(rule: Rule, rate: float) -> tuple[float, ...]:
    outcome = solve_single(Station(service=SERVICE, rule=rule), rate)
    return (
        outcome.mean_s,
        outcome.p50_s,
        outcome.p95_s,
        outcome.p99_s,
        outcome.utilization,
        outcome.mean_batch,
    )


@pytest.mark.parametrize("rate", [1.0, 60.0, 110.0])
def test_a_delay_of_nothing_is_greedy(rate: float) -> None:
    assert solved(timeout(8, 0.0), rate) == pytest.approx(solved(greedy(8), rate), rel=1e-9)
    assert solved(timeout(8, 1e-9), rate) == pytest.approx(solved(greedy(8), rate), rel=1e-5)
    assert solved(timeout(8, 0.02, preferred=1), rate) == pytest.approx(solved(greedy(8), rate), rel=1e-9)


def test_alone_an_item_waits_the_whole_delay() -> None:
    mean, p50, p95, _, _, batch = solved(timeout(8, 0.01), 0.001)
    assert mean == pytest.approx(0.01 + 0.012, rel=1e-3)
    assert p50 == pytest.approx(0.022, rel=1e-6)
    assert p95 == pytest.approx(0.022, rel=1e-6)
    assert batch == pytest.approx(1, abs=1e-4)


def test_more_room_never_hurts_the_throughput_and_quantiles_are_in_order() -> None:
    for size in range(1, 17):
        mean, p50, p95, p99, load, batch = solved(greedy(size), 80.0)
        assert p50 < mean < p95 < p99
        assert 0 < load < 1
        assert 1 - 1e-12 <= batch <= size


@pytest.mark.parametrize("rate", [20.0, 90.0])
def test_littles_law_holds_for_utilisation(rate: float) -> None:
    """Busy time an item, utilisation / rate, lies between those of the smallest and largest batch."""
    load = solved(greedy(4), rate)[4]
    assert SERVICE.of(4) / 4 < load / rate < SERVICE.of(1)


def test_a_table_that_is_no_line_is_solved_too() -> None:
    steps = ServiceTime((0.010, 0.010, 0.011, 0.011))
    outcome = solve_single(Station(service=steps, rule=greedy(4)), 200.0)
    assert outcome.stable
    assert np.isfinite(astuple(outcome)[2:8]).all()


def test_what_has_no_exact_solution_is_refused() -> None:
    with pytest.raises(NoExactSolutionError, match="several instances"):
        solve_single(Station(service=SERVICE, rule=greedy(2), instances=2), 10.0)
    with pytest.raises(NoExactSolutionError, match="longer than"):
        solve_single(Station(service=SERVICE, rule=timeout(2, 0.021)), 10.0)


@pytest.mark.parametrize("rate", [0.0, -3.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InvalidRateError):
        solved(greedy(2), rate)
