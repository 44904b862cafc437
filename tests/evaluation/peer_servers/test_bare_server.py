"""Batches by a queue, and Python's own HTTP around them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tandem.evaluation.errors import PeerError
from tandem.evaluation.peer_servers.arrangement import Arrangement, parse_arguments
from tandem.evaluation.peer_servers.bare_server import Batcher
from tandem.evaluation.peer_servers.client import http_reader
from tandem.evaluation.peer_servers.plain_http import server_of

PATIENCE_S = 10.0


def test_batches_hold_two_at_most_and_everyone_gets_the_own_answer() -> None:
    sizes: list[int] = []
    gate = threading.Event()

    def answer(batch: Sequence[bytes]) -> list[bytes]:
        gate.wait(PATIENCE_S)
        sizes.append(len(batch))
        return [data.upper() for data in batch]

    batcher = Batcher(answer, Arrangement(workers=1, batch=2, wait_ms=0))
    names = [bytes([97 + number]) for number in range(9)]
    with ThreadPoolExecutor(len(names)) as pool:
        futures = [pool.submit(batcher, name) for name in names]
        gate.set()
        assert [future.result(PATIENCE_S) for future in futures] == [name.upper() for name in names]
    assert sum(sizes) == len(names)
    assert max(sizes) == 2


def test_a_lone_picture_waits_for_a_second_one_as_long_as_it_is_told() -> None:
    both = threading.Barrier(2)
    sizes: list[int] = []

    def answer(batch: Sequence[bytes]) -> list[bytes]:
        sizes.append(len(batch))
        return list(batch)

    batcher = Batcher(answer, Arrangement(workers=1, batch=2, wait_ms=5000))

    def call(data: bytes) -> bytes:
        both.wait(PATIENCE_S)
        return batcher(data)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(call, [b"a", b"b"])) == [b"a", b"b"]
    assert sizes == [2]


def test_an_error_reaches_the_caller_and_the_next_batch_is_answered() -> None:
    def answer(batch: Sequence[bytes]) -> list[bytes]:
        if b"bad" in batch:
            raise ValueError("no picture")
        return list(batch)

    batcher = Batcher(answer, Arrangement())
    with pytest.raises(ValueError, match="no picture"):
        batcher(b"bad")
    assert batcher(b"good") == b"good"


def test_pictures_travel_over_one_connection_a_thread() -> None:
    server = server_of(lambda data: data[::-1], 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        read = http_reader(server.server_address[1], "/")
        assert read(b"abc") == b"cba"
        large = bytes(range(256)) * 8192
        assert read(large) == large[::-1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_S)


def test_an_answer_that_fails_is_an_error_of_the_reader_and_the_next_is_an_answer() -> None:
    server = server_of(lambda data: data[:1].upper() + bytes([data[1]]), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        read = http_reader(server.server_address[1], "/")
        with pytest.raises(PeerError, match="status 500"):
            read(b"")
        assert read(b"ab") == b"Ab"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_S)


@pytest.mark.parametrize(
    "arrangement", [Arrangement(), Arrangement(workers=3, batch=1, wait_ms=20, stages=True)]
)
def test_an_arrangement_travels_as_arguments(arrangement: Arrangement) -> None:
    assert parse_arguments(["--port", "9", *arrangement.arguments()]) == (9, arrangement)


def test_an_arrangement_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="workers=0"):
        Arrangement(workers=0)


def test_a_connection_that_the_server_gave_up_is_made_again() -> None:
    """The listener answers one picture a connection and then closes it, as servers do after a while."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                while stream.readline().strip():
                    pass
                stream.read(2)
                stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        read = http_reader(listener.getsockname()[1], "/")
        assert read(b"ab") == b"ok"
        assert read(b"ab") == b"ok"
    finally:
        thread.join(PATIENCE_S)
        listener.close()
