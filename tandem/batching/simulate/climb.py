"""Arrivals whose rate changes, and an autoscaler whose new replicas come late.

Arrivals are Poisson with a rate that is linear between points. The autoscaler looks every `LOOK_S` seconds at
the mean rate since its last look and wants ceil(rate / threshold) replicas, as Kubernetes'
HorizontalPodAutoscaler does (desiredReplicas = ceil(currentReplicas x metric / target), every 15 s; without
its tolerance). A replica serves `replica_s` after it was asked for. All replicas take from one queue, which
is what a perfect balancer makes of several. Replicas stay: what leaving too early costs is another question.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import Station, check_rate
from tandem.batching.simulate.compiled import HAVE_NUMBA
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.rounds import service_factors

Floats = NDArray[np.float64]

LOOK_S = 15.0
# Before the climb, at its first rate, and after it, at its last: what is late then is late because of it.
LEAD_S, AFTER_S = 60.0, 60.0
# A stretch is simulated so often, and a window's 95th percentile comes from that many items at least.
RUNS, RUNS_WITHOUT_COMPILER = 8, 3
FEWEST_IN_WINDOW = 200
# Climbs that differ by less are the same; the first of them is taken.
EQUAL = 1e-9
# Steps of the rate's integral.
GRID = 2_001


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A rate over time, linear between points and constant outside them.

    Attributes:
        at_s: when, seconds, rising; two points or more.
        rate_per_s: items a second then, above 0.
    """

    at_s: tuple[float, ...]
    rate_per_s: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.at_s) < 2 or len(self.at_s) != len(self.rate_per_s):
            raise InvalidInputError("a rate over time needs two points or more, each a time and a rate")
        if not np.isfinite(self.at_s).all() or (np.diff(self.at_s) <= 0).any():
            raise InvalidInputError("the times of the rates must be finite and rise")
        for rate in self.rate_per_s:
            check_rate(rate)

    @property
    def items(self) -> float:
        """Items that come between the first and the last point, on average."""
        rates = np.array(self.rate_per_s)
        return float((np.diff(self.at_s) * (rates[1:] + rates[:-1]) / 2).sum())

    def rate(self, at_s: Floats) -> Floats:
        """The rates at times, items a second."""
        return np.interp(at_s, self.at_s, self.rate_per_s)

    def steepest(self, horizon_s: float) -> Profile:
        """The stretch around the `horizon_s` seconds in which the rate climbs most."""
        begin, end = self.at_s[0], self.at_s[-1]
        starts = np.unique([*np.linspace(begin, end, GRID), *self.at_s])
        climbs = self.rate(starts + horizon_s) - self.rate(starts)
        middle = float(starts[np.flatnonzero(climbs >= climbs.max() * (1 - EQUAL))[0]])
        first, last = max(begin, middle - horizon_s), min(end, middle + 3 * horizon_s)
        inner = [at for at in self.at_s if first < at < last]
        times = np.array([first, *inner, last])
        return Profile(at_s=tuple(times.tolist()), rate_per_s=tuple(self.rate(times).tolist()))


def ramp(rate_per_s: float, factor: float, seconds: float) -> Profile:
    """A rate that climbs to `factor` times itself within so many seconds.

    Raises:
        InvalidInputError: the factor is not above 1, or the seconds not above 0.
    """
    if not (math.isfinite(factor) and factor > 1 and math.isfinite(seconds) and seconds > 0):
        raise InvalidInputError(
            f"a ramp to {factor:g} times the rate within {seconds:g} s: the first must be above 1, "
            "the second above 0"
        )
    return Profile(at_s=(0.0, seconds), rate_per_s=(rate_per_s, factor * rate_per_s))


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """What an autoscaler with a threshold does with a climb, means over the runs.

    Attributes:
        threshold_per_s: items a second of each replica above which the next one is started.
        first: replicas at the beginning.
        last: replicas at the end.
        worst_p95_s: 95th percentile of the latencies of the worst stretch of time, seconds.
        late_items: items that took longer than the limit, of those that come until a minute after the climb,
            or until a replica that is then asked for serves.
        most_at_once: items that wait or are served, at the worst moment.
    """

    threshold_per_s: float
    first: int
    last: float
    worst_p95_s: float
    late_items: float
    most_at_once: float


def simulate_climb(
    station: Station,
    profile: Profile,
    *,
    threshold_per_s: float,
    replica_s: float,
    limit_s: float,
    effort: Effort,
    transport_s: float = 0.0,
) -> Scaled:
    """A climb, with replicas that come `replica_s` after they were asked for.

    Args:
        station: one replica.
        profile: the rate.
        threshold_per_s: see `Scaled`.
        replica_s: seconds until a new replica serves, 0 or more.
        limit_s: what takes longer is late, seconds.
        effort: the seed, and how much service times scatter.
        transport_s: added to each latency, seconds.
    """
    from tandem.batching.simulate.ideal_loop import run_ideal  # noqa: PLC0415 - numba is slow to import

    rule = station.rule
    service = station.service.table(rule.max_batch)
    begin = profile.at_s[0] - LEAD_S
    end = profile.at_s[-1] + max(AFTER_S, replica_s + LOOK_S)
    first = math.ceil(profile.rate_per_s[0] / threshold_per_s)
    when, took, replicas, most, late = [], [], [], [], []
    for generator in _generators(effort):
        arrivals = _arrivals(profile, begin, end, generator)
        asked = _asked(arrivals, first, threshold_per_s, begin, end)
        free = np.repeat(np.concatenate([np.zeros(first), asked + replica_s - begin]), station.instances)
        latency, _, _ = run_ideal(
            arrivals - begin, service, service_factors(effort.spread, generator),
            rule.preferred, rule.max_batch, rule.delay_s, free,
        )  # fmt: skip
        served = np.isfinite(latency)
        arrivals, latency = arrivals[served], latency[served]
        ends = np.sort(arrivals + latency)
        most.append((np.arange(1, len(arrivals) + 1) - np.searchsorted(ends, arrivals)).max())
        counted = arrivals >= profile.at_s[0]
        when.append(arrivals[counted])
        took.append(latency[counted] + transport_s)
        late.append(int((took[-1] > limit_s).sum()))
        replicas.append(first + len(asked))
    return Scaled(
        threshold_per_s=threshold_per_s,
        first=first,
        last=float(np.mean(replicas)),
        worst_p95_s=_worst_p95(np.concatenate(when), np.concatenate(took), replica_s + LOOK_S),
        late_items=float(np.mean(late)),
        most_at_once=float(np.mean(most)),
    )


def _generators(effort: Effort) -> Iterator[np.random.Generator]:
    runs = RUNS if HAVE_NUMBA else RUNS_WITHOUT_COMPILER
    return map(np.random.default_rng, np.random.SeedSequence(effort.seed).spawn(runs))


def _arrivals(profile: Profile, begin: float, end: float, generator: np.random.Generator) -> Floats:
    """Poisson times between two, seconds: given how many there are, they lie as the rate does."""
    grid = np.unique([*np.linspace(begin, end, GRID), *profile.at_s])
    rates = profile.rate(grid)
    come = np.concatenate([[0.0], np.cumsum(np.diff(grid) * (rates[1:] + rates[:-1]) / 2)])
    number = generator.poisson(come[-1])
    return np.interp(np.sort(generator.uniform(0, come[-1], number)), come, grid)


def _asked(arrivals: Floats, first: int, threshold_per_s: float, begin: float, end: float) -> Floats:
    """When each replica after the first ones is asked for, seconds."""
    looks = np.arange(begin + LOOK_S, end, LOOK_S)
    counts = np.searchsorted(arrivals, looks) - np.searchsorted(arrivals, looks - LOOK_S)
    wanted = np.ceil(counts / LOOK_S / threshold_per_s).astype(np.int64)
    there = np.maximum.accumulate(np.concatenate([[first], wanted]))
    return np.repeat(looks, np.diff(there))


def _worst_p95(when: Floats, took: Floats, window_s: float) -> float:
    """The largest 95th percentile among stretches of time, seconds."""
    place = ((when - when.min()) / window_s).astype(np.int64)
    found = [
        float(np.quantile(took[place == one], 0.95))
        for one in range(place.max() + 1)
        if (place == one).sum() >= FEWEST_IN_WINDOW
    ]
    return max(found, default=float(np.quantile(took, 0.95)))
