"""What a gateway tells about itself: metrics for Prometheus and whether it is healthy, over HTTP."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from tandem_triton.core.metrics import LATENCY_BOUNDS_S

from tandem.gateway.health import ServiceHealth


class GatewayMetrics:
    """Counts what becomes of messages; used by the gateway's event loop, read by the monitor's threads.

    Attributes:
        registry: the metrics, for Prometheus.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._broker_here: Callable[[], bool] = lambda: False
        self._ill: dict[str, str | None] = {}
        self._outcomes = self._counter("outcomes", "Messages by what became of them", "service", "outcome")
        self._in_flight = Gauge(
            "tandem_gateway_in_flight", "Messages in hand", ["service"], registry=self.registry
        )
        self._latency = Histogram(
            "tandem_gateway_latency_seconds",
            "From taking a message to settling it",
            ["service"],
            buckets=LATENCY_BOUNDS_S,
            registry=self.registry,
        )
        self._dead = self._counter("dead_letters", "Messages given up", "service")
        self._unclaimed = self._counter("unclaimed_replies", "Replies whose queue is gone or full")
        self._retries = self._counter("triton_retries", "Times an item was sent again", "service")
        self._served = Gauge(
            "tandem_gateway_service_up", "Whether the Triton serves it", ["service"], registry=self.registry
        )
        broker = Gauge("tandem_gateway_broker_up", "Whether the broker is connected", registry=self.registry)
        broker.set_function(lambda: float(self._broker_here()))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"tandem_gateway_{name}", text, labels, registry=self.registry)

    @property
    def trouble(self) -> list[str]:
        """Why nothing is taken from a queue, a line each; none: all is well."""
        lines = [] if self._broker_here() else ["the broker is not connected"]
        return lines + [f"{name}: {reason}" for name, reason in self._ill.items() if reason is not None]

    def watch(self, broker_here: Callable[[], bool]) -> None:
        """From now on the broker's connection is looked at by this function."""
        self._broker_here = broker_here

    def stopping(self) -> None:
        """Nothing is taken any more."""
        self._broker_here = lambda: False

    def health_changed(self, health: ServiceHealth) -> None:
        """A service works, or it does not."""
        if health.service.name not in self._ill:
            self._begin_at_zero(health.service.name)
        self._ill[health.service.name] = health.reason
        self._served.labels(health.service.name).set(health.reason is None)

    def _begin_at_zero(self, service: str) -> None:
        """So that a rate over the first event is seen, and a panel without any shows 0."""
        for family in (self._dead, self._retries, self._in_flight, self._latency):
            family.labels(service)

    @contextlib.contextmanager
    def handling(self, service: str) -> Iterator[SimpleNamespace]:
        """Counts one message, by the `outcome` that is set on what this gives."""
        handling = SimpleNamespace(outcome="failed")
        began_s = time.monotonic()
        self._in_flight.labels(service).inc()
        try:
            yield handling
        finally:
            self._in_flight.labels(service).dec()
            self._outcomes.labels(service, handling.outcome).inc()
            self._latency.labels(service).observe(time.monotonic() - began_s)

    def buried(self, service: str) -> None:
        """A message was put among the dead letters."""
        self._dead.labels(service).inc()

    def unclaimed(self) -> None:
        """A reply's queue is gone, or full."""
        self._unclaimed.inc()

    def retried(self, service: str) -> None:
        """The Triton did not take an item, or was lost with it."""
        self._retries.labels(service).inc()


@contextlib.contextmanager
def monitor(metrics: GatewayMetrics, address: str, port: int) -> Iterator[int]:
    """Serve `/metrics` and `/healthz` (200 or 503); gives the port.

    Args:
        metrics: of the gateway.
        address: to listen on.
        port: 0 takes a free one.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(metrics.registry))
            elif self.path == "/healthz":
                trouble = metrics.trouble
                self._answer(
                    503 if trouble else 200, "text/plain", "".join(f"{x}\n" for x in trouble).encode()
                )
            else:
                self._answer(404, "text/plain", b"/metrics and /healthz are here\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes come every few seconds: no line for each."""

    server = ThreadingHTTPServer((address, port), Handler)
    Thread(target=server.serve_forever, name="tandem-monitor", daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
