"""A client's metrics for Prometheus; needs the package `prometheus-client` (extra `prometheus`).

prometheus_client.REGISTRY.register(ClientCollector(client.metrics))
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tandem_triton.core.metrics import LATENCY_BOUNDS_S, ClientMetrics


class ClientCollector(Collector):
    """Reads a client's counts whenever Prometheus asks.

    Args:
        metrics: of one client.
        prefix: of the metrics' names.
    """

    def __init__(self, metrics: ClientMetrics, prefix: str = "tandem_client") -> None:
        self._metrics = metrics
        self._prefix = prefix

    def collect(self) -> Iterator[Metric]:
        """The metric families, as Prometheus wants them."""
        now = self._metrics.snapshot()
        outcomes = CounterMetricFamily(
            f"{self._prefix}_outcomes", "Finished items by what became of them", labels=["outcome"]
        )
        for kind, count in now.outcomes.items():
            outcomes.add_metric([kind], count)
        yield outcomes
        yield GaugeMetricFamily(
            f"{self._prefix}_in_flight", "Items asked for and not finished", now.in_flight
        )
        yield CounterMetricFamily(f"{self._prefix}_retries", "How often an item was sent again", now.retries)
        bounds = [*map(str, LATENCY_BOUNDS_S), "+Inf"]
        yield HistogramMetricFamily(
            f"{self._prefix}_latency_seconds",
            "From asking to the outcome, waiting for a place and retries included",
            buckets=list(zip(bounds, accumulate(now.latency_counts), strict=True)),
            sum_value=now.latency_sum_s,
        )
