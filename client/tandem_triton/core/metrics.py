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


@dataclass(frozen=True, kw_only=True)
class MetricsSnapshot:
    """A client's counts at one moment, consistent with each other.

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


class ClientMetrics:
    """Counts what becomes of items; used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: dict[OutcomeKind, int] = dict.fromkeys(get_args(OutcomeKind), 0)
        self._in_flight = 0
        self._latency_counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self._latency_sum_s = 0.0
        self._retries = 0

    def started(self) -> None:
        """An item is asked for."""
        with self._lock:
            self._in_flight += 1

    def retried(self) -> None:
        """An item is sent again."""
        with self._lock:
            self._retries += 1

    def finished(self, outcome: OutcomeKind, latency_s: float) -> None:
        """An item that was started has its outcome."""
        bucket = bisect_left(LATENCY_BOUNDS_S, latency_s)
        with self._lock:
            self._in_flight -= 1
            self._outcomes[outcome] += 1
            self._latency_counts[bucket] += 1
            self._latency_sum_s += latency_s

    def snapshot(self) -> MetricsSnapshot:
        """The counts now."""
        with self._lock:
            return MetricsSnapshot(
                outcomes=dict(self._outcomes),
                in_flight=self._in_flight,
                latency_counts=tuple(self._latency_counts),
                latency_sum_s=self._latency_sum_s,
                retries=self._retries,
            )
