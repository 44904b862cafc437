"""What a gateway tells about itself: metrics for Prometheus and whether it is healthy, over HTTP."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
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


class GatewayMetrics:
    """Counts what becomes of messages; used by the gateway's event loop.

    Attributes:
        registry: the metrics, for Prometheus.
        ready: whether the gateway consumes.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ready = False
        self._triton_here = True
        self._outcomes = Counter(
            "tandem_gateway_outcomes", "Messages by what became of them", ["outcome"], registry=self.registry
        )
        self._in_flight = Gauge("tandem_gateway_in_flight", "Messages in hand", registry=self.registry)
        self._latency = Histogram(
            "tandem_gateway_latency_seconds",
            "From taking a message to settling it",
            buckets=LATENCY_BOUNDS_S,
            registry=self.registry,
        )
        self._dead = Counter("tandem_gateway_dead_letters", "Messages given up", registry=self.registry)
        self._unclaimed = Counter(
            "tandem_gateway_unclaimed_replies", "Replies whose queue is gone", registry=self.registry
        )
        self._retries = Counter(
            "tandem_gateway_triton_retries", "Times the Triton was away or full", registry=self.registry
        )

    @property
    def healthy(self) -> bool:
        """Whether it consumes and its Triton answers."""
        return self.ready and self._triton_here

    @contextlib.contextmanager
    def handling(self) -> Iterator[SimpleNamespace]:
        """Counts one message, by the `outcome` that is set on what this gives."""
        handling = SimpleNamespace(outcome="failed")
        began_s = time.monotonic()
        self._in_flight.inc()
        try:
            yield handling
        finally:
            self._in_flight.dec()
            self._outcomes.labels(handling.outcome).inc()
            self._latency.observe(time.monotonic() - began_s)

    def buried(self) -> None:
        """A message was put among the dead letters."""
        self._dead.inc()

    def unclaimed(self) -> None:
        """A reply's queue is gone."""
        self._unclaimed.inc()

    def triton_away(self) -> None:
        """The Triton did not take a picture."""
        self._triton_here = False
        self._retries.inc()

    def triton_here(self) -> None:
        """The Triton answered."""
        self._triton_here = True


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
                self._answer(200 if metrics.healthy else 503, "text/plain", b"")
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
