"""What became of the items of a client: counts by outcome, in flight now, and how long answers took.

Ours, because Triton counts an item that it answered with an error as a success.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from tandem_triton.core.errors import OutcomeKind

LATENCY_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram's buckets: a card takes 0.05-1 s, the default deadline is 30 s."""

KINDS: tuple[OutcomeKind, ...] = get_args(OutcomeKind)
_BUCKETS = len(LATENCY_BOUNDS_S) + 1


@dataclass(frozen=True, kw_only=True)
class ServiceCounts:
    """One service's counts at one moment, consistent with each other.

    Attributes:
        outcomes: finished items by kind, every kind present.
        in_flight: items asked for and not finished.
        latency_counts: finished items per bucket of `LATENCY_BOUNDS_S`, and one more for slower ones.
        latency_sum_s: of all finished items, in seconds, waiting for a place and retries included.
        retries: how often an item was sent again.
    """

    outcomes: Mapping[OutcomeKind, int]
    in_flight: int
    latency_counts: tuple[int, ...]
    latency_sum_s: float
    retries: int


@dataclass(frozen=True, kw_only=True)
class MetricsSnapshot:
    """A client's counts at one moment.

    Attributes:
        services: by the service's name; only of those that were asked.
    """

    services: Mapping[str, ServiceCounts]

    @property
    def outcomes(self) -> Mapping[OutcomeKind, int]:
        """Finished items of all services by kind, every kind present."""
        return {kind: sum(each.outcomes[kind] for each in self.services.values()) for kind in KINDS}

    @property
    def in_flight(self) -> int:
        """Items of all services asked for and not finished."""
        return sum(each.in_flight for each in self.services.values())

    @property
    def retries(self) -> int:
        """How often an item of any service was sent again."""
        return sum(each.retries for each in self.services.values())

    @property
    def latency_counts(self) -> tuple[int, ...]:
        """Finished items of all services per bucket of `LATENCY_BOUNDS_S`, and one more for slower ones."""
        columns = zip(*(each.latency_counts for each in self.services.values()), strict=True)
        return tuple(map(sum, columns)) or (0,) * _BUCKETS

    @property
    def latency_sum_s(self) -> float:
        """Of all finished items, in seconds."""
        return sum(each.latency_sum_s for each in self.services.values())


class _Counts:
    """One service's counts; guarded by the lock of `ClientMetrics`."""

    def __init__(self) -> None:
        self.outcomes: dict[OutcomeKind, int] = dict.fromkeys(KINDS, 0)
        self.in_flight = 0
        self.latency_counts = [0] * _BUCKETS
        self.latency_sum_s = 0.0
        self.retries = 0

    def snapshot(self) -> ServiceCounts:
        return ServiceCounts(
            outcomes=dict(self.outcomes),
            in_flight=self.in_flight,
            latency_counts=tuple(self.latency_counts),
            latency_sum_s=self.latency_sum_s,
            retries=self.retries,
        )


class ClientMetrics:
    """Counts what becomes of items, by service; used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: dict[str, _Counts] = {}

    def started(self, service: str) -> None:
        """An item of this service is asked for."""
        with self._lock:
            self._of(service).in_flight += 1

    def retried(self, service: str) -> None:
        """An item is sent again."""
        with self._lock:
            self._of(service).retries += 1

    def finished(self, service: str, outcome: OutcomeKind, latency_s: float) -> None:
        """An item that was started has its outcome."""
        bucket = bisect_left(LATENCY_BOUNDS_S, latency_s)
        with self._lock:
            counts = self._of(service)
            counts.in_flight -= 1
            counts.outcomes[outcome] += 1
            counts.latency_counts[bucket] += 1
            counts.latency_sum_s += latency_s

    def snapshot(self) -> MetricsSnapshot:
        """The counts now."""
        with self._lock:
            return MetricsSnapshot(
                services={name: counts.snapshot() for name, counts in self._services.items()}
            )

    def _of(self, service: str) -> _Counts:
        counts = self._services.get(service)
        if counts is None:
            counts = self._services[service] = _Counts()
        return counts
