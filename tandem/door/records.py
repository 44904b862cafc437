"""What is known of each request afterwards: one line of JSON and a few counts; nothing of its content."""

from __future__ import annotations

import re
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram

from tandem.door.callers import ANYBODY

REQUEST_ID = "x-request-id"
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
NOTHING = "-"
"""The name of a service or path that isn't one."""


def request_id(headers: Mapping[str, str]) -> str:
    """The caller's own id where it is a decent one, else a new one.

    Args:
        headers: by lower-case name.
    """
    own = headers.get(REQUEST_ID, "")
    return own if _ID.fullmatch(own) else uuid.uuid4().hex


@dataclass(kw_only=True)
class Record:
    """One request, filled in as it is served.

    Attributes:
        request_id: its id.
        protocol: "http" or "grpc".
        path: of the route, never as sent; `NOTHING` where there is none.
        caller: name of the key.
        service: that it asks for.
        status: HTTP status, or gRPC's.
        code: a gRPC status name; "OK".
        bytes_in: of the body.
        items: that were sent to Triton.
        triton_s: seconds from asking Triton to its answer; of several items, until the last.
        began_s: by `time.perf_counter`.
    """

    request_id: str
    protocol: str
    path: str = NOTHING
    caller: str = ANYBODY
    service: str = NOTHING
    status: int = 500
    code: str = "OK"
    bytes_in: int = 0
    items: int = 0
    triton_s: float = 0.0
    began_s: float = field(default_factory=time.perf_counter)

    @property
    def took_s(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.began_s


class Records:
    """Counts and logs finished requests.

    Args:
        registry: of the metrics.
        log: gets a line each; None: no log.
    """

    def __init__(self, registry: CollectorRegistry, log: TextIO | None = sys.stderr) -> None:
        labels = ("caller", "service")
        self._requests = Counter(
            "tandem_door_requests", "Finished requests", (*labels, "protocol", "code"), registry=registry
        )
        self._items = Counter("tandem_door_items", "Items sent to Triton", labels, registry=registry)
        self._bytes = Counter("tandem_door_received_bytes", "Bytes of bodies", labels, registry=registry)
        self._seconds = Histogram(
            "tandem_door_seconds", "Time of a request", ("service",), buckets=_BUCKETS, registry=registry
        )
        self._log = log

    def finished(self, record: Record) -> None:
        """Take note of a request."""
        took_s = record.took_s
        self._requests.labels(record.caller, record.service, record.protocol, record.code).inc()
        if record.service != NOTHING:
            self._items.labels(record.caller, record.service).inc(record.items)
            self._bytes.labels(record.caller, record.service).inc(record.bytes_in)
            self._seconds.labels(record.service).observe(took_s)
        if self._log is not None:
            print(_line(record, took_s), file=self._log, flush=True)


def _line(record: Record, took_s: float) -> str:
    now_s = time.time()
    return msgspec.json.encode(
        {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_s)) + f".{int(now_s % 1 * 1000):03d}Z",
            "request_id": record.request_id,
            "protocol": record.protocol,
            "path": record.path,
            "caller": record.caller,
            "service": record.service,
            "status": record.status,
            "code": record.code,
            "bytes_in": record.bytes_in,
            "items": record.items,
            "triton_ms": round(record.triton_s * 1000, 2),
            "total_ms": round(took_s * 1000, 2),
        }
    ).decode()
