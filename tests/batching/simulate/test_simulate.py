from __future__ import annotations

import time

import numpy as np
import pytest

from tandem.batching.errors import InvalidInputError, InvalidRateError
from tandem.batching.outcome import Station
from tandem.batching.rules import Rule, greedy, strict, timeout
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.simulate import (
    SimulationPlan,
    half_width,
    service_factors,
    simulate,
    station_run,
)

SERVICE = ServiceTime.linear(0.004, 0.008, 8)


def run(rule: Rule, arrivals: list[float], *, instances: int = 1, triton: bool = False) -> list[float]:
    loop = station_run(Station(service=SERVICE, rule=rule, instances=instances), triton=triton)
    latency, _, _ = loop(np.array(arrivals), np.ones(1))
    return [round(float(value), 9) for value in latency]


def test_a_small_greedy_example_by_hand() -> None:
    # 0.000: alone until 0.012; the next two wait and leave together, 0.012 + 0.020.
    assert run(greedy(2), [0.0, 0.001, 0.002]) == [0.012, 0.031, 0.030]


def test_a_small_timeout_example_by_hand() -> None:
    # Two make a batch at 0.003; the third waits the delay of 0.010 from 0.1.
    assert run(timeout(2, 0.010), [0.0, 0.003, 0.1]) == [0.023, 0.020, 0.022]


def test_a_strict_batch_that_never_fills_never_ends() -> None:
    latency = run(strict(2), [0.0, 0.001, 0.5])
    assert latency[:2] == [0.021, 0.020]
    assert np.isnan(latency[2])


def test_two_instances_serve_side_by_side() -> None:
    assert run(greedy(1), [0.0, 0.0, 0.0], instances=2) == [0.012, 0.012, 0.024]


def test_a_million_items_a_second() -> None:
    station = Station(service=SERVICE, rule=timeout(4, 0.012), instances=2)
    arrivals = np.cumsum(np.random.default_rng(1).exponential(1 / 80, 1_000_000))
    for triton in (False, True):
        loop = station_run(station, triton=triton)
        loop(arrivals[:1000], np.ones(1))
        begin = time.process_time()
        loop(arrivals, np.ones(1))
        assert time.process_time() - begin < 1.0


def test_the_same_seed_gives_the_same_figures(plan: SimulationPlan) -> None:
    station = Station(service=SERVICE, rule=greedy(4), instances=2)
    assert simulate(station, 150, plan) == simulate(station, 150, plan)


def test_spread_makes_waiting_longer(plan: SimulationPlan) -> None:
    station = Station(service=SERVICE, rule=greedy(1))
    steady, spread = simulate(station, 60, plan), simulate(station, 60, SimulationPlan(spread=1.0))
    # Pollaczek and Khinchine: a coefficient of variation of 1 doubles the wait.
    assert spread.mean_s - 0.012 == pytest.approx(2 * (steady.mean_s - 0.012), rel=0.15)


def test_random_factors_have_mean_one_and_the_spread() -> None:
    factors = service_factors(0.3, np.random.default_rng(2))
    assert factors.mean() == pytest.approx(1, abs=0.01)
    assert factors.std() == pytest.approx(0.3, rel=0.03)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    generator = np.random.default_rng(3)
    covered = [
        abs((sample := generator.normal(5, 2, 6)).mean() - 5) < half_width(sample) for _ in range(2000)
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_what_cannot_be_simulated_is_refused(plan: SimulationPlan) -> None:
    with pytest.raises(InvalidRateError):
        simulate(Station(service=SERVICE, rule=greedy(2)), 0, plan)
    with pytest.raises(InvalidInputError, match="strict"):
        simulate(Station(service=SERVICE, rule=strict(2)), 1, plan, triton=True)
    for wrong in ({"items": 5}, {"replications": 1}, {"spread": -1.0}):
        with pytest.raises(InvalidInputError):
            SimulationPlan(**wrong)  # type: ignore[arg-type]
