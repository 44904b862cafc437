"""Ports: taken ones are found before the server starts, and 0 becomes a free one."""

from __future__ import annotations

import dataclasses
import socket
from contextlib import ExitStack

from tandem.runtime.errors import PortTakenError
from tandem.runtime.options import ServerOptions


def settle_ports(options: ServerOptions) -> ServerOptions:
    """The options with every port a number that was free just now.

    Raises:
        PortTakenError: somebody listens there; the message names the port and the option.
    """
    settled: list[int] = []
    with ExitStack() as stack:  # all three stay bound until all are known, so that they differ
        for name, port in options.ports().items():
            option = "--" + name.replace("_", "-")
            listener = stack.enter_context(socket.socket(_family(options.address), socket.SOCK_STREAM))
            # As servers do: a port that only waits out its last connections counts as free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((options.address, port))
                listener.listen()
            except OSError as error:
                raise PortTakenError(
                    f"cannot listen on {options.address}:{port}: {error.strerror or error};"
                    f" choose another port with {option}"
                ) from error
            settled.append(listener.getsockname()[1])
    grpc_port, http_port, metrics_port = settled
    return dataclasses.replace(options, grpc_port=grpc_port, http_port=http_port, metrics_port=metrics_port)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
