from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from tandem.batching.errors import InvalidInputError, InvalidRateError
from tandem.batching.outcome import Station
from tandem.batching.rules import Rule, greedy, strict, timeout
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.estimate import Effort, half_width
from tandem.batching.simulate.ideal_rows import run_rows
from tandem.batching.simulate.rounds import Control, control_latencies, service_factors
from tandem.batching.simulate.station import one_sequence, simulate

SERVICE = ServiceTime.linear(0.004, 0.008, 8)


def run(rule: Rule, arrivals: list[float], *, instances: int = 1, triton: bool = False) -> list[float]:
    loop = one_sequence(Station(service=SERVICE, rule=rule, instances=instances), triton=triton)
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
        loop = one_sequence(station, triton=triton)
        loop(arrivals[:1000], np.ones(1))
        begin = time.process_time()
        loop(arrivals, np.ones(1))
        assert time.process_time() - begin < 1.0


def test_the_same_seed_gives_the_same_figures(plan: Effort) -> None:
    station = Station(service=SERVICE, rule=greedy(4), instances=2)
    assert simulate(station, 150, plan) == simulate(station, 150, plan)


def test_spread_makes_waiting_longer(plan: Effort) -> None:
    station = Station(service=SERVICE, rule=greedy(1))
    steady, spread = simulate(station, 60, plan), simulate(station, 60, replace(plan, spread=1.0))
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


def test_what_cannot_be_simulated_is_refused(plan: Effort) -> None:
    with pytest.raises(InvalidRateError):
        simulate(Station(service=SERVICE, rule=greedy(2)), 0, plan)
    with pytest.raises(InvalidInputError, match="strict"):
        simulate(Station(service=SERVICE, rule=strict(2)), 1, plan, triton=True)
    for wrong in ({"precision": 0.0}, {"most_items": 0}, {"spread": -1.0}):
        with pytest.raises(InvalidInputError):
            Effort(**wrong)


@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize(
    "rule",
    [greedy(1), greedy(3), greedy(8), strict(3), timeout(4, 0.010), timeout(6, 0.05, preferred=3)],
    ids=lambda rule: f"{rule.kind}-{rule.max_batch}",
)
def test_rows_side_by_side_are_served_as_each_alone(rule: Rule, instances: int) -> None:
    station = Station(service=SERVICE, rule=rule, instances=instances)
    generator = np.random.default_rng(6)
    arrivals = np.cumsum(generator.exponential(1 / (0.8 * station.capacity_per_s), (7, 300)), axis=1)
    table = np.concatenate([[np.nan], SERVICE.table(rule.max_batch)])
    served = run_rows(arrivals, rule, instances, lambda _first, size: table[size])
    sizes = np.zeros(rule.max_batch, np.int64)
    for row, times in enumerate(arrivals):
        latency, ran, _ = one_sequence(station, triton=False)(times, np.ones(1))
        np.testing.assert_allclose(served.latency_s[row], latency)
        sizes += ran
    np.testing.assert_array_equal(np.bincount(served.size, minlength=rule.max_batch + 1)[1:], sizes)


def test_the_control_is_the_queue_of_single_items() -> None:
    arrivals = np.cumsum(np.random.default_rng(7).exponential(0.015, (2, 500)), axis=1)
    control = control_latencies(arrivals, Control(service_s=0.012, figures_s=(0.0, 0.0, 0.0, 0.0)))
    station = Station(service=SERVICE, rule=greedy(1))  # s(1) is 12 ms
    for row, times in enumerate(arrivals):
        np.testing.assert_allclose(control[row], one_sequence(station, triton=False)(times, np.ones(1))[0])
