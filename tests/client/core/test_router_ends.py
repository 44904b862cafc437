"""The router when it closes, when answers make no sense, and when callers make mistakes."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

import pytest
from tandem_triton import (
    ClosedError,
    ProtocolError,
    ServerError,
)
from tandem_triton.core.exchange import RawOutcome
from tandem_triton.core.service import Answer, Request
from tandem_triton.services.id_card import SERVICE

from tests.client.core.held import PATIENCE_S, Bench, HeldTransport


def test_closing_fails_what_is_in_flight_and_what_waits_for_a_place() -> None:
    bench = Bench(max_in_flight=1)
    first = bench.send()
    failures: list[BaseException] = []

    def wait_for_a_place() -> None:
        try:
            bench.send()
        except ClosedError as error:
            failures.append(error)

    waiting = threading.Thread(target=wait_for_a_place)
    waiting.start()
    bench.router.close()
    waiting.join(PATIENCE_S)
    with pytest.raises(ClosedError):
        first.result(PATIENCE_S)
    with pytest.raises(ClosedError):
        bench.send()
    assert len(failures) == 1
    assert bench.transport.closed
    assert bench.metrics.snapshot().in_flight == 0
    bench.router.close()  # a second time does nothing


def test_a_futures_callback_may_close_the_client() -> None:
    bench = Bench()
    future = bench.send()
    closed = threading.Event()

    def close(_: Future[bytes]) -> None:
        bench.router.close()
        closed.set()

    future.add_done_callback(close)
    bench.transport.last(1).done(b'{"cards": []}')
    assert closed.wait(PATIENCE_S)


@pytest.mark.parametrize("text", [b"", b"[]", b"[" * 100_000, b'{"cards": 1}'])
def test_an_answer_that_makes_no_sense_fails_only_its_own_item(text: bytes) -> None:
    with Bench() as bench:
        bad, good = bench.send(), bench.send()
        bench.transport.last(1).done(text)
        bench.transport.last(2).done(b'{"cards": []}')
        with pytest.raises(ProtocolError):
            bad.result(PATIENCE_S)
        assert good.result(PATIENCE_S) == b'{"cards": []}'


def test_the_dispatcher_outlives_a_callers_mistake() -> None:
    def mistake(_: Answer[Any]) -> None:
        raise ZeroDivisionError

    with Bench() as bench:
        wrong = bench.router.send(SERVICE.request(b"p"), mistake)
        bench.transport.last(1).done(b'{"cards": []}')
        with pytest.raises(ProtocolError, match="ZeroDivisionError"):
            wrong.result(PATIENCE_S)
        right = bench.send()
        bench.transport.last(2).done(b'{"cards": []}')
        right.result(PATIENCE_S)


def test_an_exception_of_the_connection_fails_only_its_own_item() -> None:
    class Broken(HeldTransport):
        async def send(self, request_id: str, request: Request[Any], timeout_s: float) -> RawOutcome:
            if request.content == b"wrong":
                raise ZeroDivisionError
            return b'{"cards": []}'

    with Bench(transport=Broken()) as bench:
        with pytest.raises(ProtocolError, match="ZeroDivisionError"):
            bench.send(b"wrong").result(PATIENCE_S)
        bench.send(b"right").result(PATIENCE_S)
        assert bench.metrics.snapshot().in_flight == 0


def test_nothing_of_finished_items_piles_up() -> None:
    with Bench() as bench:
        for turn in range(2_000):
            future = bench.send()
            bench.transport.last(turn + 1).done(ServerError("no"))
            with pytest.raises(ServerError):
                future.result(PATIENCE_S)
        assert not bench.router._dispatcher._table


def test_threads_that_ask_at_once_are_all_entered() -> None:
    with Bench(max_in_flight=1_000) as bench:
        ready = threading.Barrier(32)

        def call() -> None:
            ready.wait(PATIENCE_S)
            for _ in range(25):
                bench.send()

        callers = [threading.Thread(target=call) for _ in range(32)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(PATIENCE_S)
        assert len({held.request_id for held in bench.transport.sent(800)}) == 800
