"""How a client behaves: deadlines, back-pressure, retries, TLS, metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Protocol = Literal["grpc", "http"]

DEFAULT_URLS: dict[str, str] = {"grpc": "127.0.0.1:8001", "http": "127.0.0.1:8000"}
"""Where Triton listens by default."""

_METADATA_NAME = re.compile(r"[0-9a-z_.-]+")
_METADATA_VALUE = re.compile(r"[ -~]*")  # what gRPC and HTTP both carry


def url_of(url: str | None, protocol: str) -> str:
    """The server's `host:port`.

    Raises:
        ValueError: no such protocol, or a URL with a scheme.
    """
    if protocol not in DEFAULT_URLS:
        raise ValueError(f"protocol must be one of {', '.join(DEFAULT_URLS)}, not {protocol!r}")
    if url is not None and "://" in url:
        raise ValueError("url is host:port, without a scheme; encryption is ClientOptions.tls")
    return url or DEFAULT_URLS[protocol]


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """When and how often an item is sent again; only `UnavailableError` is ever retried.

    The pause before attempt n+1 is drawn evenly from the upper half of `first_pause_s`·2ⁿ, at most
    `longest_pause_s`, so that the threads whose connection broke together do not come back together.

    Attributes:
        attempts: how often an item is sent at most, ≥ 1; 1 never retries.
        first_pause_s: > 0.
        longest_pause_s: ≥ `first_pause_s`.
    """

    attempts: int = 8
    first_pause_s: float = 0.05
    longest_pause_s: float = 1.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")
        if not 0 < self.first_pause_s <= self.longest_pause_s:
            raise ValueError("pauses must be positive, the longest not below the first")


@dataclass(frozen=True, kw_only=True)
class TlsOptions:
    """An encrypted connection.

    Attributes:
        root_certificates: PEM file of the authorities to trust; None takes the system's.
        private_key: PEM file of this client's key, for mutual TLS.
        certificate_chain: PEM file of this client's certificate; given exactly if `private_key` is.
    """

    root_certificates: Path | None = None
    private_key: Path | None = None
    certificate_chain: Path | None = None

    def __post_init__(self) -> None:
        if (self.private_key is None) != (self.certificate_chain is None):
            raise ValueError("a private key and a certificate chain go together")


@dataclass(frozen=True, kw_only=True)
class ClientOptions:
    """Everything about a client but where the server is.

    Attributes:
        model: name of the model to ask.
        timeout_s: time allowed for an item, retries and waiting for a place included; > 0.
        max_in_flight: items of this client on their way at most, ≥ 1.
        admission_timeout_s: how long an item waits for a place before `OverloadedError`; None waits as long
            as `timeout_s`, 0 does not wait.
        retry: when an item is sent again.
        tls: None for a plain connection.
        metadata: sent along with each request (gRPC metadata or HTTP headers), e.g. an authorization token;
            lower-case names, values of printable ASCII.
    """

    model: str = "id_card"
    timeout_s: float = 30.0
    max_in_flight: int = 64
    admission_timeout_s: float | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    tls: TlsOptions | None = None
    metadata: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model must be named")
        if self.timeout_s <= 0:
            raise ValueError("timeout_s must be positive")
        if self.max_in_flight < 1:
            raise ValueError("max_in_flight must be at least 1")
        if self.admission_timeout_s is not None and self.admission_timeout_s < 0:
            raise ValueError("admission_timeout_s must not be negative")
        for name, value in self.metadata:
            if not _METADATA_NAME.fullmatch(name) or not _METADATA_VALUE.fullmatch(value):
                raise ValueError("metadata must be lower-case names and values of printable ASCII")

    @property
    def admission_s(self) -> float:
        """How long an item waits for a place, in seconds."""
        return (
            self.timeout_s
            if self.admission_timeout_s is None
            else min(self.admission_timeout_s, self.timeout_s)
        )
