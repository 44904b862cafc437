"""The connection that a client's protocol names."""

from __future__ import annotations

from tandem_triton.core.options import ClientOptions, Protocol, url_of
from tandem_triton.transport.grpc import GrpcTransport
from tandem_triton.transport.http import HttpTransport
from tandem_triton.transport.transport import Transport


def open_transport(url: str | None, protocol: Protocol, options: ClientOptions) -> Transport:
    """The connection for `protocol`.

    Raises:
        ValueError: no such protocol, or a URL with a scheme.
        OSError: a certificate's file can't be read.
    """
    address = url_of(url, protocol)
    return GrpcTransport(address, options) if protocol == "grpc" else HttpTransport(address, options)
