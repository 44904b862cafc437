"""Exact latency where every batch has exactly M items, for any number of instances; with M = 1 this is M/D/c.

Let D = s(M), c instances, X(t) the items in the system (forming, waiting, in service). What is in service at
t has left by t + D, what is not has not (Crommelin's argument, 1932, for batches instead of customers):

    X(t + D) = X(t) - M min(c, ⌊X(t)/M⌋) + Poisson(rate D).

This chain is of the type that `markov` solves; its stationary law is that of X at any time, and Little's law
gives the mean. For the latency (after G. J. Franx, Oper. Res. Letters 29, 2001): write a wait as x = (k - 1)
D + y, 0 ≤ y < D, and look at t0 = t - (D - y), where t is the item's arrival. Of the batches not yet in
service at t0, exactly the first kc are in service by t0 + kD = t + x. So the item's batch starts by t + x if
and only if

- its place among the items not in service at t0 is below kcM (Z(t0) = X - M min(c, ⌊X/M⌋) plus Poisson(rate
  (D - y))),
- and the items that its batch still lacks come within x: Poisson(rate x) ≥ M - 1 - (place mod M),
  independent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.batching.exact.distribution import invert
from tandem.batching.exact.markov import stationary
from tandem.batching.exact.poisson import poisson_length, poisson_pmf, poisson_tail
from tandem.batching.outcome import Outcome, Station, check_rate, unstable


def solve_strict(station: Station, rate_per_s: float) -> Outcome:
    """Exact figures of a station whose batches all have `max_batch` items.

    Args:
        station: any number of instances; only its `max_batch` and s(max_batch) are used.
        rate_per_s: arrivals, items a second.

    Raises:
        InvalidRateError: the rate is not positive and finite.
    """
    rate, most, instances = check_rate(rate_per_s), station.rule.max_batch, station.instances
    if not station.is_stable(rate):
        return unstable(station)
    service = station.service.of(most)
    skip, arrivals = instances * most, rate * service
    pmf = poisson_pmf(arrivals, poisson_length(arrivals))
    boundary = np.zeros((skip, most + len(pmf)))
    for state in range(skip):
        boundary[state, state % most : state % most + len(pmf)] = pmf
    present = stationary(boundary / boundary.sum(axis=1, keepdims=True), skip, arrivals)
    count = np.arange(len(present))
    mean = float(present @ count) / rate
    not_in_service = count - most * np.minimum(instances, count // most)
    outside = np.bincount(not_in_service, weights=present).astype(np.float64)  # law of Z
    p50, p95, p99 = (
        service + _wait_quantile(share, outside, rate, service, most, instances)
        for share in (0.50, 0.95, 0.99)
    )
    return Outcome(
        stable=True,
        capacity_per_s=station.capacity_per_s,
        mean_s=mean,
        p50_s=p50,
        p95_s=p95,
        p99_s=p99,
        utilization=arrivals / skip,
        mean_batch=float(most),
        method="exact",
        ci95_mean_s=0.0,
        ci95_p95_s=0.0,
        ci95_p99_s=0.0,
    )


def _wait_quantile(
    share: float, outside: NDArray[np.float64], rate: float, service: float, most: int, instances: int
) -> float:
    """Wait (forming and queueing) that `share` of the items do not exceed, seconds."""

    def cumulative(wait_s: float) -> float:
        rounds = int(wait_s // service) + 1
        rest = wait_s - (rounds - 1) * service
        newer = rate * max(service - rest, 0.0)  # rounding may put `rest` a hair beyond
        place = np.convolve(outside, poisson_pmf(newer, poisson_length(newer)))[: rounds * instances * most]
        lacking = most - 1 - np.arange(len(place)) % most
        return float(place @ poisson_tail(rate * wait_s, most)[lacking])

    top = service + most / rate
    while cumulative(top) < share:
        top *= 2
    return invert(cumulative, share, 0.0, top)
