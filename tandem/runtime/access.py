"""Who may call which of the server's interfaces: closed ones, a token for callers, TLS for gRPC.

Triton answers each group of its interfaces to everybody, or only to those who send a certain header. Those
that can change the server, read its memory or write its requests to a file are kept behind a token.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Model control; regions of shared memory that a request may point at; tracing, which writes requests to a
# file; and the log's settings. Health, metadata, configs, statistics and the models themselves stay open.
CLOSED = ("model-repository", "shared-memory", "trace", "logging")
ADMIN_HEADER = "tandem-admin"
TOKEN_HEADER = "tandem-token"  # noqa: S105 - the header's name, not a token
# Triton puts this before the names of gRPC metadata that it compares.
GRPC_PREFIX = "triton-grpc-protocol-"
# Triton splits the option at "=" and ":", so a token holds neither; 16 such characters can't be guessed.
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,}")


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """What gRPC needs to speak TLS; HTTP can't, so it stops serving models.

    Attributes:
        certificate: PEM file of the server's certificate, its chain behind it.
        key: PEM file of its private key.
        client_authorities: PEM file; callers must show a certificate that one of these has signed. None: no
            caller needs one.
    """

    certificate: Path
    key: Path
    client_authorities: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what gRPC would refuse without a word that helps."""
        for path in filter(None, (self.certificate, self.key, self.client_authorities)):
            if not path.is_file():
                raise ValueError(f"there is no file {path}: TLS needs PEM files")

    def arguments(self) -> list[str]:
        """The server's options for it."""
        arguments = [
            "--grpc-use-ssl=true",
            f"--grpc-server-cert={self.certificate}",
            f"--grpc-server-key={self.key}",
        ]
        if self.client_authorities is not None:
            arguments += ["--grpc-use-ssl-mutual=true", f"--grpc-root-cert={self.client_authorities}"]
        return arguments


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may call what.

    Attributes:
        admin_token: opens the interfaces of `CLOSED` to who sends it as the header `tandem-admin`; by default
            one that only this process knows.
        caller_token: None lets everybody use the models, else only who sends it as the header `tandem-token`.
        tls: None for plain gRPC.
    """

    admin_token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    caller_token: str | None = field(default=None, repr=False)
    tls: TlsFiles | None = None

    def __post_init__(self) -> None:
        """Refuse tokens that could be guessed, or that Triton would misread; they aren't repeated here."""
        for token in (self.admin_token, self.caller_token):
            if token is not None and not _TOKEN.fullmatch(token):
                raise ValueError("a token must be 16 or more of A-Z a-z 0-9 . _ ~ -")

    def arguments(self) -> Sequence[str]:
        """The server's options, without the program."""
        closed = ",".join(CLOSED)
        admin = f"{ADMIN_HEADER}={self.admin_token}"
        # Pictures must not pass in the clear where gRPC was told to encrypt them.
        closed_http = f"{closed},inference" if self.tls else closed
        arguments = [
            f"--grpc-restricted-protocol={closed}:{admin}",
            f"--http-restricted-api={closed_http}:{admin}",
        ]
        if self.caller_token is not None:
            caller = f"inference:{TOKEN_HEADER}={self.caller_token}"
            arguments.append(f"--grpc-restricted-protocol={caller}")
            if not self.tls:
                arguments.append(f"--http-restricted-api={caller}")
        return arguments + (self.tls.arguments() if self.tls else [])
