"""Asks a peer server over HTTP: the picture is the body, and so is the answer."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable

from tandem.evaluation.errors import PeerError

# A card takes a second at most, and sixteen clients may wait for each other.
_TIMEOUT_S = 120.0


def http_reader(port: int, path: str) -> Callable[[bytes], bytes]:
    """A thread-safe function from an encoded picture to the server's answer; a connection a thread.

    Args:
        port: TCP port of this machine.
        path: where pictures are posted, such as `/predict`.

    Raises:
        PeerError: by the function, if the server's status isn't 200.
        OSError: by the function, if the server can't be reached or doesn't answer in time.
    """
    mine = threading.local()

    def read(data: bytes) -> bytes:
        if not hasattr(mine, "connection"):
            mine.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        connection: http.client.HTTPConnection = mine.connection
        connection.request("POST", path, data, {"Content-Type": "application/octet-stream"})
        response = connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise PeerError(f"port {port} answers with status {response.status} instead of a result")
        return body

    return read
