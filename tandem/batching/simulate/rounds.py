"""Rounds of replications for `estimate`: the ideal rule's, all rows at once, or a loop's, one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.batching.outcome import Station
from tandem.batching.simulate.estimate import GROUPS, Round, Turn
from tandem.batching.simulate.ideal_rows import BatchTimes, run_rows
from tandem.batching.simulate.traffic import Traffic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Arrivals and factors of one sequence to its latencies, how many batches of each size ran, and their time.
Run = Callable[[Floats, Floats], tuple[Floats, Ints, float]]
# Given the generator, and how many rows of how many items: the seconds that batches take.
DrawTimes = Callable[[np.random.Generator, int, int], BatchTimes]

# A replication starts empty. Its first items are thrown away: so many times the queue's relaxation, ρ² / (1 -
# ρ)² items at load ρ, between these bounds.
RELAXATIONS = 12
WARM_UP_LEAST, WARM_UP_MOST = 200, 30_000
# What is kept of a replication, in warm-ups, and at least.
KEPT, KEPT_LEAST = 3, 600
# Rows of the first round of the vectorised loop; each round has twice as many as the one before, while its
# items fit the memory. A long replication fills it by itself.
ROWS_A_GROUP = 8
LONG_ITEMS = 20_000
ROUND_ITEMS = 1_000_000
# Length of the list of random factors for service times; a prime, so that it never falls in step with the
# batches.
FACTORS = 100_003


@dataclass(frozen=True, kw_only=True)
class Control:
    """A queue of single items on one fast server (M/D/1) that meets the same arrivals; see `estimate`.

    Attributes:
        service_s: its service time, seconds.
        figures_s: its exact mean, p50, p95 and p99, seconds.
    """

    service_s: float
    figures_s: tuple[float, float, float, float]


def service_factors(spread: float, generator: np.random.Generator, count: int = FACTORS) -> Floats:
    """`(count,)` random factors of mean 1 and standard deviation `spread`; a single one where it is 0."""
    if spread == 0:
        return np.ones(1)
    sigma = math.sqrt(math.log1p(spread**2))
    return generator.lognormal(-(sigma**2) / 2, sigma, count)


def lengths(load: float, traffic: Traffic, room: int) -> tuple[int, int]:
    """Items of a replication that are thrown away, and that are kept.

    Args:
        load: rate over capacity, below 1.
        traffic: the arrivals.
        room: items that the instances take at once.
    """
    relaxation = RELAXATIONS * (load / (1 - load)) ** 2 + 8 * room + 3 * traffic.memory_items
    warm_up = int(min(max(relaxation, WARM_UP_LEAST), WARM_UP_MOST))
    return warm_up, max(KEPT_LEAST, KEPT * warm_up)


def ideal_rounds(
    station: Station,
    traffic: Traffic,
    spread: float,
    control: Control | None,
    draw_times: DrawTimes | None = None,
) -> Turn:
    """Rounds of the ideal rule; see `station.simulate` for the arguments."""
    rule = station.rule
    warm_up, kept = lengths(
        traffic.rate_per_s / station.capacity_per_s, traffic, station.instances * rule.max_batch
    )
    items = warm_up + kept + rule.max_batch  # the last ones' batches want to know who comes next
    least = GROUPS * (ROWS_A_GROUP if items < LONG_ITEMS else 1)
    draw = draw_times or table_times(station, spread)

    def turn(generator: np.random.Generator, number: int) -> Round:
        rows = least * min(2**number, max(ROUND_ITEMS // (least * items), 1))
        arrivals = traffic.times_s(rows, items, generator)
        served = run_rows(arrivals, rule, station.instances, draw(generator, rows, items))
        settled = (served.first >= warm_up) & (served.first < warm_up + kept)
        return Round(
            latency_s=served.latency_s[:, warm_up : warm_up + kept],
            control_s=control_latencies(arrivals, control)[:, warm_up : warm_up + kept] if control else None,
            items=int(served.size[settled].sum()),
            batches=int(settled.sum()),
            busy_s=float(served.took_s[settled].sum()),
        )

    return turn


def table_times(station: Station, spread: float) -> DrawTimes:
    """Batches take s(b), times a random factor where there is a spread."""
    table = np.concatenate([[math.nan], station.service.table(station.rule.max_batch)])

    def draw(generator: np.random.Generator, rows: int, items: int) -> BatchTimes:
        del rows, items
        if spread == 0:
            return lambda _first, size: table[size]
        return lambda _first, size: table[size] * service_factors(spread, generator, len(size))

    return draw


def loop_rounds(
    run: Run, warm_up: int, kept: int, traffic: Traffic, spread: float, control: Control | None = None
) -> Turn:
    """Rounds of a loop that takes one sequence at a time: a replication a group.

    Args:
        run: the loop.
        warm_up: items of a replication to throw away.
        kept: items to keep.
        traffic: the arrivals.
        spread: coefficient of variation of service times.
        control: see `station.simulate`.
    """

    def turn(generator: np.random.Generator, number: int) -> Round:
        del number
        arrivals = traffic.times_s(GROUPS, warm_up + kept, generator)
        latency = np.empty((GROUPS, kept))
        batches, busy = 0, 0.0
        for row in range(GROUPS):
            found, sizes, took = run(arrivals[row], service_factors(spread, generator))
            latency[row] = found[warm_up:]
            batches, busy = batches + int(sizes.sum()), busy + took
        return Round(
            latency_s=latency,
            control_s=control_latencies(arrivals, control)[:, warm_up:] if control else None,
            items=arrivals.size,
            batches=batches,
            busy_s=busy,
        )

    return turn


def control_latencies(arrivals: Floats, control: Control) -> Floats:
    """Latencies of M/D/1 for every row, by Lindley's recursion in closed form: a running minimum."""
    ahead = control.service_s * np.arange(arrivals.shape[1]) - arrivals
    waits: Floats = ahead - np.minimum.accumulate(ahead, axis=1) + control.service_s
    return waits
