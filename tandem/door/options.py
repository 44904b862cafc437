"""What may be chosen about a door."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tandem_triton import ClientOptions, RetryPolicy, TlsOptions

MIB = 2**20
ITEM_LIMITS: Mapping[str, int] = MappingProxyType({"IMAGE": 20 * MIB, "AUDIO": 20 * MIB, "TEXT": MIB})
"""Bytes of one item at most, by the name of the service's input; the services' own limits are not above."""
DEFAULT_ITEM_LIMIT = 20 * MIB
MAX_ITEMS = 4
"""Items in one request at most: both sides of a card, or the pages of a document."""
FRAME = 64 * 1024
"""Bytes of a request that are no item's at most: JSON around it, multipart's heads, a message's names."""
DEFAULT_HTTP_PORT = 8080
DEFAULT_GRPC_PORT = 8081
DEFAULT_METRICS_PORT = 8082


def item_limit(input_name: str) -> int:
    """Bytes of one item at most, for a service with that input."""
    return ITEM_LIMITS.get(input_name, DEFAULT_ITEM_LIMIT)


@dataclass(frozen=True, kw_only=True)
class ServerTls:
    """What the door needs to speak TLS.

    Attributes:
        certificate: PEM file of its certificate, the chain behind it.
        key: PEM file of its private key.
    """

    certificate: Path
    key: Path

    def __post_init__(self) -> None:
        for path in (self.certificate, self.key):
            if not path.is_file():
                raise ValueError(f"there is no file {path}: TLS needs PEM files")


@dataclass(frozen=True, kw_only=True)
class DoorOptions:
    """Options of one door.

    Attributes:
        triton_url: `host:port` of Triton's gRPC.
        address: to listen on.
        http_port: 0 = a free one.
        grpc_port: 0 = a free one; None: no gRPC.
        metrics_port: of `/metrics`; 0 = a free one; None: none.
        metrics_address: to listen on for metrics.
        processes: that share the ports; each has its own share of the limits; ≥ 1.
        keys: file of the API keys; None: no caller needs one.
        anybody: let everybody in on an address that others reach, without keys.
        services: names of the services to let through; empty: all that this installation knows.
        timeout_s: for an answer, waiting for a place included; > 0.
        max_in_flight: items at Triton at most, from all callers of a process; ≥ 1.
        admission_s: how long an item waits for such a place, ≥ 0.
        max_connections: open HTTP connections of a process at most; ≥ 1.
        reading_bytes: bytes of bodies that a process holds at most, of all requests together.
        head_timeout_s: for a request's head, from the connection's beginning, > 0.
        body_timeout_s: for a whole body, > 0.
        idle_timeout_s: an idle connection is closed after it, > 0.
        tls: None for plain connections.
        triton_tls: of the connection to Triton; None for a plain one.
        triton_token: that Triton asks of its callers.
    """

    triton_url: str = "127.0.0.1:8001"
    address: str = "127.0.0.1"
    http_port: int = DEFAULT_HTTP_PORT
    grpc_port: int | None = DEFAULT_GRPC_PORT
    metrics_port: int | None = DEFAULT_METRICS_PORT
    metrics_address: str = "127.0.0.1"
    processes: int = 1
    keys: Path | None = None
    anybody: bool = False
    services: tuple[str, ...] = ()
    timeout_s: float = 30.0
    max_in_flight: int = 64
    admission_s: float = 10.0
    max_connections: int = 2000
    reading_bytes: int = 256 * MIB
    head_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    tls: ServerTls | None = None
    triton_tls: TlsOptions | None = None
    triton_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if min(self.processes, self.max_in_flight, self.max_connections, self.reading_bytes) < 1:
            raise ValueError("processes, max_in_flight, max_connections and reading_bytes must be at least 1")
        times = (self.timeout_s, self.head_timeout_s, self.body_timeout_s, self.idle_timeout_s)
        if min(times) <= 0 or self.admission_s < 0:
            raise ValueError("timeouts must be positive")
        if not (self.keys or self.anybody or _is_loopback(self.address)):
            raise ValueError(
                f"{self.address} is open to others: give a file of keys (tandem key new), or say --anybody"
            )

    def client_options(self) -> ClientOptions:
        """The options of the client that asks Triton."""
        return ClientOptions(
            timeout_s=self.timeout_s,
            max_in_flight=self.max_in_flight,
            admission_timeout_s=self.admission_s,
            retry=RetryPolicy(attempts=3),
            tls=self.triton_tls,
            token=self.triton_token,
        )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
