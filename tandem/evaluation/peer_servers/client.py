"""Asks a server over HTTP: a peer, whose body is the picture, or Triton, whose body frames it."""

from __future__ import annotations

import http.client
import json
import struct
import threading
from collections.abc import Callable, Mapping
from email.message import Message

from tandem.evaluation.errors import PeerError

# A card takes a second at most, and sixteen clients may wait for each other.
_TIMEOUT_S = 120.0
_LENGTH = struct.Struct("<I")
_HEAD_LENGTH = "Inference-Header-Content-Length"


class _Connection(http.client.HTTPConnection):
    """Closed when the thread that has it ends."""

    def __del__(self) -> None:
        self.close()


def http_reader(port: int, path: str) -> Callable[[bytes], bytes]:
    """A thread-safe function from an encoded picture to the server's answer; a connection a thread.

    Args:
        port: TCP port of this machine.
        path: where pictures are posted, such as `/predict`.

    Raises:
        PeerError: by the function, if the server's status isn't 200.
        OSError: by the function, if the server can't be reached or doesn't answer in time.
    """
    post = _poster(port, path)
    headers = {"Content-Type": "application/octet-stream"}
    return lambda data: post(data, headers)[0]


def triton_http_reader(port: int) -> Callable[[bytes], bytes]:
    """As `http_reader`, from an encoded picture to the `RESULT` of Triton's model `id_card`.

    Pictures and results travel as KServe's binary tensors: a JSON header, then each tensor's bytes, a
    string's behind its length (the extension "binary tensor data" of Triton's HTTP protocol).

    Args:
        port: TCP port of Triton's HTTP on this machine.
    """
    post = _poster(port, "/v2/models/id_card/infer")

    def read(data: bytes) -> bytes:
        tensor = {"name": "IMAGE", "shape": [1, 1], "datatype": "BYTES"}
        wanted = {"name": "RESULT", "parameters": {"binary_data": True}}
        size = {"binary_data_size": _LENGTH.size + len(data)}
        head = json.dumps({"inputs": [{**tensor, "parameters": size}], "outputs": [wanted]}).encode()
        body = b"".join([head, _LENGTH.pack(len(data)), data])
        answer, headers = post(body, {_HEAD_LENGTH: str(len(head))})
        return answer[int(headers[_HEAD_LENGTH]) + _LENGTH.size :]

    return read


def _poster(port: int, path: str) -> Callable[[bytes, Mapping[str, str]], tuple[bytes, Message]]:
    """A thread-safe function from a body and headers to those of the answer; a connection a thread."""
    mine = threading.local()

    def post(body: bytes, headers: Mapping[str, str]) -> tuple[bytes, Message]:
        if not hasattr(mine, "connection"):
            mine.connection = _Connection("127.0.0.1", port, timeout=_TIMEOUT_S)
        connection: _Connection = mine.connection
        kept = connection.sock is not None
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
        except ConnectionError:
            if not kept:
                raise
            connection.close()  # the server has given up a connection that nobody used for a while
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
        answer = response.read()
        if response.status != http.client.OK:
            raise PeerError(f"port {port} answers with status {response.status} instead of a result")
        return answer, response.headers

    return post
