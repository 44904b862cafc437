"""Who sends nothing, or without end, or what is no HTTP: each is ended by time or by measure.

The Triton is the same process afterwards, holds what it held, and answers.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.door.conftest import Behind, StartDoor
from tests.door.process import DoorProcess, memory_mib
from tests.door.unchanged import answers, nothing_changes

pytestmark = pytest.mark.triton
assert nothing_changes  # the fixture


def test_a_thousand_half_open_connections(behind: Behind, start_door: StartDoor) -> None:
    door = start_door("--head-timeout", "3", "--body-timeout", "3")
    before_mib = memory_mib(door.pid)
    connections = []
    try:
        for place in (door.http, door.grpc):
            host, _, port = place.partition(":")
            connections += [socket.create_connection((host, int(port)), timeout=30) for _ in range(500)]
        for connection in connections[:250]:
            connection.sendall(b"POST /v1/id_card HTTP/1.1\r\nHost: x\r\nX-A: ")
        answers(door)
        assert memory_mib(door.pid) - before_mib < 100
        assert all(_is_ended(connection) for connection in connections[:500])
    finally:
        for connection in connections:
            connection.close()
    answers(door)


def _is_ended(connection: socket.socket) -> bool:
    """Whether the other side ends it, within the connection's timeout."""
    with suppress(ConnectionError):
        while connection.recv(4096):
            pass
    return True


def trickle(connection: socket.socket, seconds: float, piece: bytes) -> bytes:
    """Send a piece again and again; what came back."""
    deadline_s = time.monotonic() + seconds
    connection.settimeout(0.1)
    while time.monotonic() < deadline_s:
        with suppress(ConnectionError):
            connection.sendall(piece)
        try:
            return connection.recv(4096)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    raise AssertionError("the door waits for ever")


@pytest.mark.parametrize(
    ("begin", "piece", "answer"),
    [
        pytest.param(b"", b"", b"", id="nothing"),
        pytest.param(b"GET / HT", b"", b"HTTP/1.1 408", id="half a head"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"A: b\r\n", b"HTTP/1.1 408", id="a head without an end"),
        pytest.param(
            b"POST /v1/id_card HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
            b"a",
            b"HTTP/1.1 408",
            id="a body",
        ),
        pytest.param(
            b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
            b"a",
            b"HTTP/1.1 404",
            id="unread",
        ),
    ],
)
def test_slow_senders_end(start_door: StartDoor, begin: bytes, piece: bytes, answer: bytes) -> None:
    door = start_door("--head-timeout", "2", "--body-timeout", "2")
    host, _, port = door.http.partition(":")
    with closing(socket.create_connection((host, int(port)))) as connection:
        connection.sendall(begin)
        assert trickle(connection, 30, piece).startswith(answer)


def test_a_slow_grpc_message_ends(start_door: StartDoor) -> None:
    door = start_door("--body-timeout", "2")
    release = time.monotonic() + 8

    def nothing() -> Iterator[bytes]:
        while time.monotonic() < release:
            time.sleep(0.1)
        yield b""

    with grpc.insecure_channel(door.grpc) as channel:
        call: Any = channel.stream_unary("/inference.GRPCInferenceService/ModelInfer")
        with pytest.raises(grpc.RpcError) as caught:
            call(nothing(), timeout=30)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "within 2 s" in (caught.value.details() or "")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"a" * 300_000, id="one long header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 30_000, id="many headers"),
        pytest.param(b"GET /" + b"a" * 300_000, id="a long path"),
        pytest.param(
            b"POST /v1/id_card HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            + b"A: b\r\n" * 30_000,
            id="trailers",
        ),
        pytest.param(
            b"POST /v1/id_card HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;"
            + b"a" * 3_000_000,
            id="a chunk's extension",
        ),
        pytest.param(struct.pack("<I", 7) * 100, id="no HTTP"),
    ],
)
def test_heads_without_measure(door: DoorProcess, head: bytes) -> None:
    host, _, port = door.http.partition(":")
    with closing(socket.create_connection((host, int(port)), timeout=30)) as connection:
        with suppress(ConnectionError):
            connection.sendall(head)
        answer = b""
        with suppress(ConnectionError):
            answer = connection.recv(4096)
    assert answer[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")


HEADS = [
    "GET",
    "POST",
    "PUT",
    " ",
    "/",
    "/v1/id_card",
    "/v2/models/id_card/infer",
    "?",
    "%",
    "=",
    " HTTP/1.1",
    "\r\n",
    ":",
]
HEADS += [
    "Host: x",
    "Content-Length: 5",
    "Content-Type: application/json",
    "Content-Type: multipart/form-data; boundary=a",
]
HEADS += [
    "Transfer-Encoding: chunked",
    "Authorization: Bearer ",
    "X-Request-Id: ",
    "Expect: 100-continue",
    "\r\n\r\n",
    "{",
    "--a",
]
HEADS += [
    "Inference-Header-Content-Length: 3",
    "Content-Encoding: gzip",
    "Connection: close",
    "Upgrade: websocket",
    "5\r\n",
]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(st.lists(st.sampled_from(HEADS) | st.text(st.characters(max_codepoint=255), max_size=6), max_size=16))
def test_any_request_is_no_fault_of_the_doors(door: DoorProcess, parts: list[str]) -> None:
    host, _, port = door.http.partition(":")
    with closing(socket.create_connection((host, int(port)), timeout=30)) as connection:
        connection.sendall("".join(parts).encode("latin-1") + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(0.3)
        answer = b""
        with suppress(ConnectionError, TimeoutError):
            answer = connection.recv(65536)
    assert b"HTTP/1.1 5" not in answer.replace(b"HTTP/1.1 501", b"")
    assert not any("Traceback" in line or "failed" in line for line in door.lines)
