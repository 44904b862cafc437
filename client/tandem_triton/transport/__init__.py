"""The ways to a Triton server, gRPC and HTTP, and the bytes on the wire."""

from __future__ import annotations

from tandem_triton.core.exchange import Transport
from tandem_triton.core.options import ClientOptions, Protocol, url_of
from tandem_triton.transport.grpc import GrpcTransport


def open_transport(url: str | None, protocol: Protocol, options: ClientOptions) -> Transport:
    """The connection for `protocol`.

    Raises:
        TypeError: the URL is not text.
        ValueError: no such protocol, or the URL is not `host:port`.
        OSError: a certificate's file can't be read.
    """
    address = url_of(url, protocol)
    if protocol == "grpc":
        return GrpcTransport(address, options)
    from tandem_triton.transport.http import HttpTransport  # noqa: PLC0415 - aiohttp takes long to import

    return HttpTransport(address, options)
