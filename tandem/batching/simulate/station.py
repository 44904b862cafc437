"""Simulation of one station: the ideal rule, or Triton's batcher as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import Outcome, Station, unstable
from tandem.batching.simulate.compiled import HAVE_NUMBA
from tandem.batching.simulate.estimate import Effort, estimate
from tandem.batching.simulate.rounds import Control, DrawTimes, Run, ideal_rounds, lengths, loop_rounds
from tandem.batching.simulate.traffic import Poisson, Traffic

# Without a compiler Triton's loop runs at some 300,000 items a second: a setting gets two or three seconds.
SLOW_ITEMS = 800_000


def one_sequence(station: Station, *, triton: bool, fixed_shapes: bool = True) -> Run:
    """The loop of one station for one sequence of arrivals, as a function of arrivals and factors.

    Args:
        station: what to simulate.
        triton: follow Triton's batcher instead of the ideal rule; strict has no counterpart there.
        fixed_shapes: all inputs of the model have fixed shapes (matters to Triton's batcher only).

    Raises:
        InvalidInputError: `triton` with a strict rule.
    """
    rule = station.rule
    service = station.service.table(rule.max_batch)
    if not triton:
        from tandem.batching.simulate.ideal_loop import run_ideal  # noqa: PLC0415 - numba is slow to import

        free_from = np.zeros(station.instances)
        return lambda arrivals, factors: run_ideal(
            arrivals, service, factors, rule.preferred, rule.max_batch, rule.delay_s, free_from
        )
    if rule.kind == "strict":
        raise InvalidInputError("Triton has no strict rule; use a timeout with a long delay")
    from tandem.batching.simulate.triton_loop import run_triton  # noqa: PLC0415 - numba is slow to import

    preferred = rule.max_batch if rule.kind == "greedy" else rule.preferred
    return lambda arrivals, factors: run_triton(
        arrivals, service, factors, preferred, rule.max_batch, rule.delay_s, station.instances, fixed_shapes
    )


def simulate(
    station: Station,
    traffic: Traffic | float,
    effort: Effort | None = None,
    *,
    triton: bool = False,
    fixed_shapes: bool = True,
    control: Control | None = None,
    draw_times: DrawTimes | None = None,
) -> Outcome:
    """Figures of a station, with their confidence intervals.

    Args:
        station: what to simulate.
        traffic: the arrivals; a number is a rate of Poisson arrivals, items a second.
        effort: how much to simulate.
        triton: follow Triton's batcher instead of the ideal rule.
        fixed_shapes: all inputs of the model have fixed shapes (matters to Triton's batcher only).
        control: a queue with known figures that makes the intervals narrower; Poisson arrivals only.
        draw_times: service times that depend on more than the batch's size; the ideal rule only.

    Raises:
        InvalidRateError: the rate is not positive and finite.
        InvalidInputError: `triton` with a strict rule.
    """
    traffic = traffic if not isinstance(traffic, float | int) else Poisson(traffic)
    effort = effort or Effort()
    if not station.is_stable(traffic.rate_per_s):
        return unstable(station)
    if triton and station.rule.waits:
        run = one_sequence(station, triton=True, fixed_shapes=fixed_shapes)
        load = traffic.rate_per_s / station.capacity_per_s
        warm_up, kept = lengths(load, traffic, station.instances * station.rule.max_batch)
        turn = loop_rounds(run, warm_up, kept, traffic, effort.spread, control)
        if not HAVE_NUMBA:
            effort = replace(effort, most_items=min(effort.most_items, SLOW_ITEMS))
    else:  # without a delay Triton's batcher is the greedy rule
        turn = ideal_rounds(station, traffic, effort.spread, control, draw_times)
    found = estimate(station.service.of(1), effort, turn, np.array(control.figures_s) if control else None)
    return found.of_station(station.capacity_per_s, traffic.rate_per_s, station.instances)
