"""The figures of a setting by the best method that is known for it: exact where possible, else simulated."""

from __future__ import annotations

from tandem.batching.exact.single import solve_single
from tandem.batching.exact.strict import solve_strict
from tandem.batching.outcome import Outcome, Station, check_rate, unstable
from tandem.batching.simulate.simulate import SimulationPlan, simulate


def is_exact(station: Station) -> bool:
    """True where an exact solution is known.

    Exact: batches of exactly M (also M = 1) with any number of instances; greedy on one instance; "M or T" on
    one instance with a delay of at most s(max_batch).
    """
    rule = station.rule
    if rule.max_batch == 1 or rule.kind == "strict":
        return True
    if station.instances != 1:
        return False
    return not rule.waits or rule.delay_s <= station.service.of(rule.max_batch)


def solve(station: Station, rate_per_s: float, plan: SimulationPlan | None = None) -> Outcome:
    """Figures of a station under Poisson arrivals; `method` says how they were found.

    Args:
        station: what to solve.
        rate_per_s: arrivals, items a second.
        plan: how much to simulate where nothing is exact.

    Raises:
        InvalidRateError: the rate is not positive and finite.
    """
    rate = check_rate(rate_per_s)
    if not station.is_stable(rate):
        return unstable(station)
    if not is_exact(station):
        return simulate(station, rate, plan)
    if station.rule.max_batch == 1 or station.rule.kind == "strict":
        return solve_strict(station, rate)
    return solve_single(station, rate)
