"""What a setting does: the figures that solvers, simulation and planner speak."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from tandem.batching.errors import InvalidInputError, InvalidRateError
from tandem.batching.rules import Rule
from tandem.batching.service_time import ServiceTime

Method = Literal["exact", "bound", "simulated"]

# So near to capacity the mean latency is thousands of service times and the relaxation time is hours: calling
# it stable would promise a number that nobody can observe.
MAX_LOAD = 0.9999


@dataclass(frozen=True, kw_only=True)
class Station:
    """Instances of one model, the rule that feeds them, and what a batch costs.

    Attributes:
        service: s(b), known at least up to the rule's `max_batch`.
        rule: the dispatch rule.
        instances: number of instances, 1 or more.
        hold_s: how long a lone item is kept back behind this station for a second one, seconds for each other
            item on the way beyond it, of `HOLD_OTHERS` at most (`tandem.triton.pair_gate`); 0: it goes on.
    """

    service: ServiceTime
    rule: Rule
    instances: int = 1
    hold_s: float = 0.0

    def __post_init__(self) -> None:
        if self.instances < 1:
            raise InvalidInputError(f"{self.instances} instances; there must be 1 or more")
        if not 0 <= self.hold_s < math.inf:
            raise InvalidInputError(f"an item is held for {self.hold_s} s; it must be 0 or more and finite")
        self.service.of(self.rule.max_batch)

    @property
    def capacity_per_s(self) -> float:
        """Items a second in full batches, c M / s(M)."""
        return self.service.capacity_per_s(self.rule.max_batch, self.instances)

    def is_stable(self, rate_per_s: float) -> bool:
        """True where the queue stays finite at `rate_per_s` (and no nearer to capacity than `MAX_LOAD`)."""
        return check_rate(rate_per_s) < MAX_LOAD * self.capacity_per_s


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Latency is from arrival to the end of the item's batch, seconds; nan where unstable.

    Attributes:
        stable: False where more arrives than can be served; every other figure but the capacity is nan then.
        capacity_per_s: items a second in full batches.
        mean_s: mean latency.
        p50_s: median latency.
        p95_s: 95th percentile.
        p99_s: 99th percentile.
        utilization: share of time that an instance is busy, 0-1.
        mean_batch: items in a batch, averaged over batches.
        method: how the figures were found.
        ci95_mean_s: half width of the 95 % confidence interval of `mean_s`; 0 where exact.
        ci95_p95_s: the same of `p95_s`.
        ci95_p99_s: the same of `p99_s`.
    """

    stable: bool
    capacity_per_s: float
    mean_s: float = math.nan
    p50_s: float = math.nan
    p95_s: float = math.nan
    p99_s: float = math.nan
    utilization: float = math.nan
    mean_batch: float = math.nan
    method: Method = "exact"
    ci95_mean_s: float = math.nan
    ci95_p95_s: float = math.nan
    ci95_p99_s: float = math.nan

    def shifted(self, seconds: float) -> Outcome:
        """The same with a constant added to every latency (transport to and from the server)."""
        return replace(
            self,
            mean_s=self.mean_s + seconds,
            p50_s=self.p50_s + seconds,
            p95_s=self.p95_s + seconds,
            p99_s=self.p99_s + seconds,
        )

    @property
    def precision(self) -> float:
        """The widest half width of a 95 % interval, as a share of its figure; nan where unstable."""
        pairs = (
            (self.ci95_mean_s, self.mean_s),
            (self.ci95_p95_s, self.p95_s),
            (self.ci95_p99_s, self.p99_s),
        )
        return max(half / figure for half, figure in pairs)

    def of_station(self, capacity_per_s: float, rate_per_s: float, instances: int) -> Outcome:
        """The same with its capacity, where `utilization` still holds busy seconds an item."""
        busy = min(self.utilization * rate_per_s / instances, 1.0)
        return replace(self, capacity_per_s=capacity_per_s, utilization=busy)


def unstable(station: Station) -> Outcome:
    """The outcome of a setting that cannot keep up: no number."""
    return Outcome(stable=False, capacity_per_s=station.capacity_per_s)


def check_rate(rate_per_s: float) -> float:
    """The rate, if it is one.

    Raises:
        InvalidRateError: the rate is not positive and finite.
    """
    if not (math.isfinite(rate_per_s) and rate_per_s > 0):
        raise InvalidRateError(f"the rate is {rate_per_s} items a second; it must be above 0 and finite")
    return rate_per_s
