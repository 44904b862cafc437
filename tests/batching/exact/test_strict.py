from __future__ import annotations

import math

import pytest

from tandem.batching.exact.strict import solve_strict
from tandem.batching.outcome import Station
from tandem.batching.rules import strict
from tandem.batching.service_time import ServiceTime


def station(most: int, instances: int) -> Station:
    return Station(service=ServiceTime.linear(0.004, 0.008, most), rule=strict(most), instances=instances)


@pytest.mark.parametrize("most", [2, 4])
def test_at_light_load_only_forming_the_batch_costs(most: int) -> None:
    rate = 1e-3
    outcome = solve_strict(station(most, 1), rate)
    assert outcome.mean_s == pytest.approx((most - 1) / (2 * rate) + 0.004 + 0.008 * most, rel=1e-4)


def test_two_costs_half_an_arrival_interval_at_light_load() -> None:
    assert solve_strict(station(2, 1), 0.01).mean_s == pytest.approx(1 / (2 * 0.01) + 0.020, rel=1e-3)


def test_the_quantiles_of_two_at_light_load_are_those_of_an_interval() -> None:
    """Half of the items wait for the next arrival, the others not at all: P(wait > x) = exp(-rate x) / 2."""
    rate = 0.01
    outcome = solve_strict(station(2, 1), rate)
    assert outcome.p95_s == pytest.approx(math.log(0.5 / 0.05) / rate + 0.020, rel=1e-3)
    assert outcome.p99_s == pytest.approx(math.log(0.5 / 0.01) / rate + 0.020, rel=1e-3)


def test_erlang_c_bounds_md2() -> None:
    """Deterministic service makes items wait less than exponential service does."""
    rate, service = 150.0, 0.012
    outcome = solve_strict(station(1, 2), rate)
    offered = rate * service
    erlang_c = (offered**2 / 2 / (1 - offered / 2)) / (1 + offered + offered**2 / 2 / (1 - offered / 2))
    assert service < outcome.mean_s < service + erlang_c / (2 / service - rate)


def test_every_batch_is_full() -> None:
    outcome = solve_strict(station(4, 2), 100.0)
    assert outcome.mean_batch == 4
    assert outcome.utilization == pytest.approx(100 * 0.036 / 8)
