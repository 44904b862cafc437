"""A client's metrics for Prometheus; needs the package `prometheus-client` (extra `prometheus`).

prometheus_client.REGISTRY.register(ClientCollector(client.metrics))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
        services = self._metrics.snapshot().services
        yield self._counters(
            "outcomes",
            "Finished items by what became of them",
            {(name, kind): n for name, each in services.items() for kind, n in each.outcomes.items()},
            ["service", "outcome"],
        )
        in_flight = GaugeMetricFamily(
            f"{self._prefix}_in_flight", "Items asked for and not finished", labels=["service"]
        )
        latency = HistogramMetricFamily(
            f"{self._prefix}_latency_seconds",
            "From asking to the outcome, waiting for a place and retries included",
            labels=["service"],
        )
        bounds = [*map(str, LATENCY_BOUNDS_S), "+Inf"]
        for name, each in services.items():
            in_flight.add_metric([name], each.in_flight)
            buckets = list(zip(bounds, accumulate(each.latency_counts), strict=True))
            latency.add_metric([name], buckets=buckets, sum_value=each.latency_sum_s)
        yield in_flight
        yield self._counters(
            "retries",
            "How often an item was sent again",
            {(name,): each.retries for name, each in services.items()},
            ["service"],
        )
        yield latency

    def _counters(
        self, name: str, text: str, counts: Mapping[tuple[str, ...], int], labels: Sequence[str]
    ) -> CounterMetricFamily:
        family = CounterMetricFamily(f"{self._prefix}_{name}", text, labels=labels)
        for values, count in counts.items():
            family.add_metric(values, count)
        return family
