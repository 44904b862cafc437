"""How a client behaves: deadlines, back-pressure, retries, TLS, metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Protocol = Literal["grpc", "http"]

DEFAULT_URLS: dict[str, str] = {"grpc": "127.0.0.1:8001", "http": "127.0.0.1:8000"}
"""Where Triton listens by default."""

_HIGHEST_PORT = 65_535
_LONGEST_METADATA = 8_000
"""Bytes of names and values together: gRPC's own limit is 8 KiB, and says "too much" of what is longer."""

TOKEN_HEADER = "tandem-token"  # noqa: S105 - the header's name, not a token
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,}")
_METADATA_NAME = re.compile(r"[0-9a-z_.-]+")
_METADATA_VALUE = re.compile(r"[ -~]*")  # what gRPC and HTTP both carry


def url_of(url: str | None, protocol: str) -> str:
    """The server's `host:port`.

    Raises:
        TypeError: the URL is not text.
        ValueError: no such protocol, a URL with a scheme, or without host or port.
    """
    if protocol not in DEFAULT_URLS:
        raise ValueError(f"protocol must be one of {', '.join(DEFAULT_URLS)}, not {protocol!r}")
    if url is None:
        return DEFAULT_URLS[protocol]
    if not isinstance(url, str):
        raise TypeError(f"url must be text, host:port, not {type(url).__name__}")
    if "://" in url:
        raise ValueError("url is host:port, without a scheme; encryption is ClientOptions.tls")
    host, _, port = url.partition("/")[0].rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError(f"url must be host:port, e.g. {DEFAULT_URLS[protocol]}, not {url!r}")
    return url


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """When and how often an item is sent again; only `UnavailableError` is ever retried.

    The pause before attempt n+1 is drawn evenly from the upper half of `first_pause_s`·2ⁿ, at most
    `longest_pause_s`, so that the threads whose connection broke together do not come back together.

    Attributes:
        attempts: how often an item is sent at most, ≥ 1; 1 never retries; None until its deadline.
        first_pause_s: > 0.
        longest_pause_s: ≥ `first_pause_s`.
    """

    attempts: int | None = None
    first_pause_s: float = 0.05
    longest_pause_s: float = 1.0

    def __post_init__(self) -> None:
        if self.attempts is not None and self.attempts < 1:
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
        timeout_s: time allowed for an item, retries and waiting for a place included; > 0.
        max_in_flight: items of this client on their way at most, ≥ 1.
        admission_timeout_s: how long an item waits for a place before `OverloadedError`; None waits as long
            as `timeout_s`, 0 does not wait.
        retry: when an item is sent again.
        tls: None for a plain connection.
        token: that the server asks of its callers (`--token-file`); 16 or more of A-Z a-z 0-9 . _ ~ -.
        metadata: sent along with each request (gRPC metadata or HTTP headers), for a proxy in between;
            lower-case names, values of printable ASCII.
    """

    timeout_s: float = 30.0
    max_in_flight: int = 64
    admission_timeout_s: float | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    tls: TlsOptions | None = None
    token: str | None = field(default=None, repr=False)
    metadata: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.timeout_s <= 0:
            raise ValueError("timeout_s must be positive")
        if self.max_in_flight < 1:
            raise ValueError("max_in_flight must be at least 1")
        if self.admission_timeout_s is not None and self.admission_timeout_s < 0:
            raise ValueError("admission_timeout_s must not be negative")
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise ValueError("token must be 16 or more of A-Z a-z 0-9 . _ ~ -")
        _check_metadata(self.metadata)

    def headers(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """What goes along with each request, the token included.

        Args:
            prefix: that the protocol puts before the token's name.
        """
        token = () if self.token is None else ((prefix + TOKEN_HEADER, self.token),)
        return (*token, *self.metadata)

    @property
    def admission_s(self) -> float:
        """How long an item waits for a place, in seconds."""
        return (
            self.timeout_s
            if self.admission_timeout_s is None
            else min(self.admission_timeout_s, self.timeout_s)
        )


def _check_metadata(metadata: object) -> None:
    if not isinstance(metadata, tuple) or not all(
        isinstance(pair, tuple) and [type(each) for each in pair] == [str, str] for pair in metadata
    ):
        raise TypeError('metadata must be a tuple of pairs, e.g. (("x-team", "cards"),)')
    for name, value in metadata:
        if not _METADATA_NAME.fullmatch(name) or not _METADATA_VALUE.fullmatch(value):
            raise ValueError("metadata must be lower-case names and values of printable ASCII")
    if sum(len(name) + len(value) for name, value in metadata) > _LONGEST_METADATA:
        raise ValueError(f"metadata must not be longer than {_LONGEST_METADATA} bytes altogether")
