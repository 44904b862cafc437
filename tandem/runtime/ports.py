"""Ports: taken ones are found before the server starts, and 0 becomes a free one."""

from __future__ import annotations

import dataclasses
import errno
import socket
from contextlib import ExitStack

from tandem.runtime.errors import AddressError, PortTakenError
from tandem.runtime.options import ServerOptions


def settle_ports(options: ServerOptions) -> ServerOptions:
    """The options with a numeric address, and every port a number that was free just now.

    Triton's HTTP listens on 255.255.255.255 when it is given a name such as `localhost`.

    Raises:
        AddressError: the address is no address of this machine.
        PortTakenError: somebody listens there; the message names the port and the option.
    """
    options = dataclasses.replace(options, address=_numeric(options.address))
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
                if error.errno == errno.EADDRNOTAVAIL:
                    raise AddressError(
                        f"cannot listen on {options.address}: it is no address of this machine; choose one"
                        " with --address, e.g. 127.0.0.1, or 0.0.0.0 for all"
                    ) from error
                raise PortTakenError(
                    f"cannot listen on {options.address}:{port}: {error.strerror or error};"
                    f" choose another port with {option}"
                ) from error
            settled.append(listener.getsockname()[1])
    grpc_port, http_port, metrics_port = settled
    return dataclasses.replace(options, grpc_port=grpc_port, http_port=http_port, metrics_port=metrics_port)


def _numeric(address: str) -> str:
    """The address that a name stands for, IPv4 first."""
    try:
        found = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AddressError(
            f"there is no address {address!r}: {error.strerror}; choose one with --address"
        ) from error
    known = {family: str(place[0]) for family, _, _, _, place in reversed(found)}
    return known.get(socket.AF_INET) or known[socket.AF_INET6]


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
