"""Solvers against simulation: three rules, 1, 2 and 4 instances, loads 0.1-0.95, alpha/beta 0.1-10."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student

from tandem.batching.outcome import Station
from tandem.batching.rules import Rule, greedy, strict, timeout
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.ensemble import Ensemble, simulate_ensemble
from tandem.batching.simulate.estimate import GROUPS, Effort
from tandem.batching.simulate.station import simulate
from tandem.batching.solve import is_exact, solve

ITEM_S = 0.01  # s(1) of every point
RATIOS = (0.1, 1.0, 10.0)  # alpha / beta
LOADS = (0.1, 0.6, 0.95)  # of the capacity in full batches
PLAN = Effort(precision=0.02, most_items=600_000, seed=11)
# Degrees of freedom of the simulation's intervals.
FREEDOM = GROUPS - 1
# The chance that a correct solver fails anywhere in the grid, shared among its points (Bonferroni).
FAMILY_ERROR = 0.01


def rules(kind: str) -> list[Rule]:
    if kind == "greedy":
        return [greedy(1), greedy(2), greedy(6)]
    if kind == "strict":
        return [strict(1), strict(2), strict(4)]
    return [timeout(2, ITEM_S / 2), timeout(4, ITEM_S), timeout(6, ITEM_S, preferred=3)]


def points() -> list[tuple[Station, float, str]]:
    grid = []
    for kind, instances, ratio in itertools.product(("greedy", "strict", "timeout"), (1, 2, 4), RATIOS):
        for rule, load in itertools.product(rules(kind), LOADS):
            if rule.max_batch == 1 and ratio != RATIOS[0]:
                continue  # single items know no ratio
            service = ServiceTime.linear(ITEM_S * ratio / (1 + ratio), ITEM_S / (1 + ratio), rule.max_batch)
            station = Station(service=service, rule=rule, instances=instances)
            name = f"{kind} M={rule.max_batch} c={instances} alpha/beta={ratio} load={load}"
            grid.append((station, load * station.capacity_per_s, name))
    return grid


EXACT = [point for point in points() if is_exact(point[0])]
SIMULATED = [point for point in points() if not is_exact(point[0])]


def test_the_grid_is_as_wide_as_promised() -> None:
    assert len(EXACT) >= 60
    assert {station.rule.kind for station, _, _ in EXACT} == {"greedy", "strict", "timeout"}
    assert {station.instances for station, _, _ in EXACT} == {1, 2, 4}


def test_exact_means_lie_in_the_simulations_confidence_interval() -> None:
    wide = student.ppf(1 - FAMILY_ERROR / 2 / len(EXACT), FREEDOM)
    narrow = student.ppf(0.975, FREEDOM)
    off = []
    for seed, (station, rate, name) in enumerate(EXACT):  # a seed a point, so that the points are independent
        exact, simulated = solve(station, rate), simulate(station, rate, replace(PLAN, seed=seed))
        off.append((abs(exact.mean_s - simulated.mean_s) / simulated.ci95_mean_s * narrow, name))
        assert simulated.mean_batch == pytest.approx(exact.mean_batch, rel=0.02), name
        assert simulated.utilization == pytest.approx(exact.utilization, rel=0.03), name
        assert simulated.p50_s == pytest.approx(
            exact.p50_s, rel=0.01 + 4 * simulated.ci95_mean_s / exact.mean_s
        ), name
        for figure, half in (("p95_s", simulated.ci95_p95_s), ("p99_s", simulated.ci95_p99_s)):
            distance = abs(getattr(simulated, figure) - getattr(exact, figure))
            assert distance < wide / narrow * half + 1e-3 * exact.mean_s, (name, figure)
    assert max(off)[0] < wide, max(off)
    # And not by a wide interval: about 95 of 100 points must lie in the plain 95 % interval.
    assert np.mean([distance < narrow for distance, _ in off]) > 0.88


@pytest.mark.parametrize("triton", [False, True], ids=["network", "triton"])
def test_where_nothing_is_exact_two_independent_simulators_agree(triton: bool) -> None:
    """Greedy and timeout on 2 and 4 instances; Triton's own loop only where the delay is 0."""
    wide = student.ppf(1 - FAMILY_ERROR / 2 / len(SIMULATED), 2 * FREEDOM)
    other_plan = replace(PLAN, seed=12)
    checked = 0
    chosen = [point for point in SIMULATED if not triton or point[0].rule.kind == "greedy"]
    for station, rate, name in chosen[:: 2 if triton else 5]:
        first = solve(station, rate, PLAN)
        second = (
            simulate(station, rate, other_plan, triton=True)
            if triton
            else simulate_ensemble(Ensemble(stations=(station,)), rate, other_plan)
        )
        error = np.hypot(first.ci95_mean_s, second.ci95_mean_s) / student.ppf(0.975, FREEDOM)
        assert abs(first.mean_s - second.mean_s) < wide * error, name
        checked += 1
    assert checked >= 10


def test_unstable_settings_are_called_so_and_get_no_number() -> None:
    for station, _, name in points()[::4]:
        for load in (1.0, 1.2):
            outcome = solve(station, load * station.capacity_per_s)
            assert not outcome.stable, name
            assert np.isnan([outcome.mean_s, outcome.p95_s, outcome.utilization, outcome.mean_batch]).all(), (
                name
            )
            assert outcome.capacity_per_s == pytest.approx(station.capacity_per_s)
