"""38 points whose figures are known otherwise: mean within 1 %, p95 and p99 within 2 %.

Three rules on 1, 2 and 4 instances, at half and at 90 % of capacity, and the points at which simulated
quantiles were once off without a word. The reference is an event simulation that shares no code with the
product; where an exact chain exists, it is checked against that as well.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tandem.batching.outcome import Outcome, Station
from tandem.batching.rules import Rule, greedy, strict, timeout
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.station import simulate
from tandem.batching.solve import is_exact, known_queue, solve
from tests.batching.independent_simulation import latencies

ALPHA_S, BETA_S = 0.004, 0.008
MEAN_WITHIN, QUANTILE_WITHIN = 0.01, 0.02
WARM_UP = 20_000
FINE = Effort(precision=0.005)


def station(rule: Rule, instances: int) -> Station:
    service = ServiceTime.linear(ALPHA_S, BETA_S, rule.max_batch)
    return Station(service=service, rule=rule, instances=instances)


def rules(most: int) -> list[Rule]:
    return [greedy(most), strict(most), timeout(most, 0.010)]


POINTS = [
    (station(rule, instances), load)
    for most, instances, load in itertools.product((2, 4), (1, 2, 4), (0.5, 0.9))
    for rule in rules(most)
] + [(station(greedy(8), 4), 0.9), (station(timeout(8, 0.050), 4), 0.6)]


def name(point: tuple[Station, float]) -> str:
    where, load = point
    return f"{where.rule.kind}-M{where.rule.max_batch}-c{where.instances}-{load:.0%}"


def reference(where: Station, rate: float, runs: int, items: int) -> np.ndarray:
    """Mean, p95 and p99 by the independent simulation, seconds."""
    generator = np.random.default_rng(5)
    service = where.service.table(where.rule.max_batch)
    found = []
    for _ in range(runs):
        gaps = generator.exponential(1 / rate, items)
        kept = latencies(gaps, service, where.rule.preferred, where.rule.delay_s, where.instances)[WARM_UP:]
        found.append(kept[~np.isnan(kept)])
    together = np.concatenate(found)
    return np.array([together.mean(), *np.quantile(together, (0.95, 0.99))])


def figures(outcome: Outcome) -> np.ndarray:
    return np.array([outcome.mean_s, outcome.p95_s, outcome.p99_s])


def check(where: Station, load: float, runs: int, items: int) -> None:
    rate = load * where.capacity_per_s
    off = figures(solve(where, rate, FINE)) / reference(where, rate, runs, items) - 1
    assert abs(off[0]) < MEAN_WITHIN, off
    assert np.abs(off[1:]).max() < QUANTILE_WITHIN, off


def test_there_are_as_many_points_as_said() -> None:
    assert len(POINTS) == 38
    assert sum(is_exact(where) for where, _ in POINTS) >= 18
    assert sum(not is_exact(where) for where, _ in POINTS) >= 16


@pytest.mark.parametrize("point", [point for point in POINTS if point[1] < 0.9], ids=name)
def test_points_at_light_load(point: tuple[Station, float]) -> None:
    check(*point, runs=1, items=1_500_000)


@pytest.mark.slow
@pytest.mark.parametrize("point", [point for point in POINTS if point[1] >= 0.9], ids=name)
def test_points_near_capacity(point: tuple[Station, float]) -> None:
    """Near capacity a quantile moves slowly: forty million items for the reference."""
    check(*point, runs=8, items=5_000_000)


def test_a_simulated_quantile_says_how_sure_it_is() -> None:
    where = station(greedy(2), 4)
    outcome = solve(where, 0.9 * where.capacity_per_s, Effort(precision=0.02))
    assert 0 < outcome.ci95_p99_s < 0.02 * outcome.p99_s
    assert 0 < outcome.ci95_p95_s < 0.02 * outcome.p95_s
    assert 0 < outcome.ci95_mean_s < 0.01 * outcome.mean_s


def test_the_intervals_cover_the_exact_figures_as_often_as_they_say() -> None:
    """Seeds apart, near capacity, where the control queue does most of the work."""
    where = station(greedy(2), 1)
    rate = 0.9 * where.capacity_per_s
    exact = solve(where, rate)
    hits = []
    for seed in range(40):
        effort = Effort(precision=0.02, seed=seed)
        found = simulate(where, rate, effort, control=known_queue(where.capacity_per_s, rate))
        hits += [
            abs(found.mean_s - exact.mean_s) < found.ci95_mean_s,
            abs(found.p95_s - exact.p95_s) < found.ci95_p95_s,
            abs(found.p99_s - exact.p99_s) < found.ci95_p99_s,
        ]
    assert np.mean(hits) > 0.88
