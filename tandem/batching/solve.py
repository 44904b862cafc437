"""The figures of a setting by the best method that is known for it: exact where possible, else simulated."""

from __future__ import annotations

from functools import lru_cache

from tandem.batching.errors import InvalidInputError
from tandem.batching.exact.single import solve_single
from tandem.batching.exact.strict import solve_strict
from tandem.batching.outcome import MAX_LOAD, Outcome, Station, check_rate, unstable
from tandem.batching.rules import strict
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.ensemble import Ensemble, ensemble_run, simulate_ensemble
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.recorded import simulate_recorded
from tandem.batching.simulate.rounds import Control, DrawTimes
from tandem.batching.simulate.station import one_sequence, simulate
from tandem.batching.simulate.traffic import Poisson, Recorded, Traffic


def is_exact(station: Station) -> bool:
    """True where an exact solution is known, for Poisson arrivals and service times that do not scatter.

    Exact: batches of exactly M (also M = 1) with any number of instances; greedy on one instance; "M or T" on
    one instance with a delay of at most s(max_batch).
    """
    rule = station.rule
    if rule.max_batch == 1 or rule.kind == "strict":
        return True
    if station.instances != 1:
        return False
    return not rule.waits or rule.delay_s <= station.service.of(rule.max_batch)


def solve(
    station: Station,
    traffic: Traffic | float,
    effort: Effort | None = None,
    *,
    triton: bool = False,
    fixed_shapes: bool = True,
    draw_times: DrawTimes | None = None,
) -> Outcome:
    """Figures of a station; `method` says how they were found. This is the one place that chooses.

    Args:
        station: what to solve.
        traffic: the arrivals; a number is a rate of Poisson arrivals, items a second.
        effort: how much to simulate where nothing is exact, and how much service times scatter.
        triton: Triton's batcher as it is, instead of the ideal rule; without a delay they are the same, and
            Triton has no strict rule, which is then the ideal one.
        fixed_shapes: all inputs of the model have fixed shapes (matters to Triton's batcher only).
        draw_times: service times that depend on the items, whose means are the station's; simulated by the
            ideal rule.

    Raises:
        InvalidRateError: the rate is not positive and finite.
        InvalidInputError: service times that depend on the items, with recorded arrivals.
    """
    traffic = Poisson(traffic) if isinstance(traffic, float | int) else traffic
    effort = effort or Effort()
    rate = check_rate(traffic.rate_per_s)
    if not station.is_stable(rate):
        return unstable(station)
    poisson = isinstance(traffic, Poisson)
    departs = triton and station.rule.waits and station.rule.kind != "strict" and draw_times is None
    if isinstance(traffic, Recorded) and draw_times is not None:
        raise InvalidInputError("recorded arrivals and items of different lengths don't go together yet")
    if isinstance(traffic, Recorded):
        run = one_sequence(station, triton=departs, fixed_shapes=fixed_shapes)
        return simulate_recorded(
            run,
            traffic,
            station.service.of(1),
            effort,
            instances=station.instances,
            capacity_per_s=station.capacity_per_s,
        )
    if departs or draw_times or not poisson or effort.spread or not is_exact(station):
        control = known_queue(station.capacity_per_s, rate) if poisson else None
        return simulate(
            station,
            traffic,
            effort,
            triton=departs,
            fixed_shapes=fixed_shapes,
            control=control,
            draw_times=draw_times,
        )
    if station.rule.max_batch == 1 or station.rule.kind == "strict":
        return solve_strict(station, rate)
    return solve_single(station, rate)


def solve_ensemble(ensemble: Ensemble, traffic: Traffic | float, effort: Effort | None = None) -> Outcome:
    """Figures of an ensemble, which are always simulated.

    Args:
        ensemble: what to solve.
        traffic: the arrivals; a number is a rate of Poisson arrivals, items a second.
        effort: how much to simulate, and how much service times scatter.

    Raises:
        InvalidRateError: the rate is not positive and finite.
    """
    traffic = Poisson(traffic) if isinstance(traffic, float | int) else traffic
    effort = effort or Effort()
    rate, capacity = check_rate(traffic.rate_per_s), ensemble.capacity_per_s
    if isinstance(traffic, Recorded) and rate < MAX_LOAD * capacity:
        run, busiest = ensemble_run(ensemble)
        return simulate_recorded(
            run, traffic, ensemble.one_s, effort, instances=busiest.instances, capacity_per_s=capacity
        )
    control = (
        known_queue(capacity, rate) if isinstance(traffic, Poisson) and rate < MAX_LOAD * capacity else None
    )
    return simulate_ensemble(ensemble, traffic, effort, control)


@lru_cache(maxsize=256)
def known_queue(capacity_per_s: float, rate_per_s: float) -> Control:
    """M/D/1 of the same capacity: it is crowded when the station is, and its figures are exact."""
    service = 1 / capacity_per_s
    queue = solve_strict(Station(service=ServiceTime((service,)), rule=strict(1)), rate_per_s)
    return Control(service_s=service, figures_s=(queue.mean_s, queue.p50_s, queue.p95_s, queue.p99_s))
