"""The router over a connection whose outcomes the test decides: order, loss, repetition, time."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tandem_triton import (
    BadPictureError,
    CancelledError,
    ClientMetrics,
    ClientOptions,
    ClosedError,
    DeadlineError,
    OverloadedError,
    ProtocolError,
    RetryPolicy,
    ServerError,
    UnavailableError,
)
from tandem_triton.core.exchange import RawOutcome
from tandem_triton.core.router import ResponseRouter
from tandem_triton.core.service import Answer, Request
from tandem_triton.services.id_card import SERVICE

PATIENCE_S = 60  # for what must happen; never waited out unless a test fails
QUICK = RetryPolicy(attempts=3, first_pause_s=0.001, longest_pause_s=0.002)


class Held:
    """One request that the connection holds until the test tells its outcome."""

    def __init__(self, request_id: str, request: Request[Any], timeout_s: float) -> None:
        self.request_id = request_id
        self.picture = request.content
        self.timeout_s = timeout_s
        self.cancelled = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[RawOutcome] = self._loop.create_future()

    def done(self, outcome: RawOutcome) -> None:
        """Tell it; the first word counts."""

        def tell() -> None:
            if not self._outcome.done():
                self._outcome.set_result(outcome)

        self._loop.call_soon_threadsafe(tell)

    async def wait(self) -> RawOutcome:
        try:
            return await self._outcome
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


class HeldTransport:
    """A connection that only keeps what is sent."""

    def __init__(self) -> None:
        self._sent: list[Held] = []
        self._arrived = threading.Condition()
        self.closed = False

    async def send(self, request_id: str, request: Request[Any], timeout_s: float) -> RawOutcome:
        held = Held(request_id, request, timeout_s)
        with self._arrived:
            self._sent.append(held)
            self._arrived.notify_all()
        return await held.wait()

    async def close(self) -> None:
        self.closed = True

    def sent(self, count: int) -> list[Held]:
        """The first `count` requests, once so many were sent."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self._sent) >= count, PATIENCE_S)
            return self._sent[:count]

    def last(self, count: int) -> Held:
        """Request number `count`."""
        return self.sent(count)[-1]


class Bench:
    def __init__(self, transport: HeldTransport | None = None, **options: object) -> None:
        self.transport = transport or HeldTransport()
        self.metrics = ClientMetrics()
        chosen = ClientOptions(**{"retry": QUICK, **options})  # type: ignore[arg-type]
        self.router = ResponseRouter(self.transport, chosen, self.metrics)

    def send(self, picture: bytes = b"p") -> Future[bytes]:
        return self.router.send(SERVICE.request(picture), lambda answer: answer.text)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.router.close()


def _answer(held: Held) -> bytes:
    return b'{"cards": [], "of": "%s"}' % held.picture


OUTCOMES = st.sampled_from(["answer", "bad", "unavailable"])


@settings(max_examples=40, deadline=None)
@given(data=st.data(), threads=st.integers(1, 5), items=st.integers(1, 4))
def test_any_order_of_outcomes_reaches_the_caller_that_asked(
    data: st.DataObject, threads: int, items: int
) -> None:
    futures: dict[bytes, Future[bytes]] = {}
    with Bench() as bench:

        def call(thread: int) -> None:
            for item in range(items):
                name = b"%d-%d" % (thread, item)
                futures[name] = bench.send(name)

        callers = [threading.Thread(target=call, args=(number,)) for number in range(threads)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(PATIENCE_S)
        waiting = sorted(bench.transport.sent(threads * items), key=lambda held: held.picture)
        sent = len(waiting)
        attempts = dict.fromkeys(futures, 1)
        while waiting:
            held = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            outcome = data.draw(OUTCOMES)
            _tell(held, outcome)
            if outcome == "unavailable" and attempts[held.picture] < QUICK.attempts:
                attempts[held.picture] += 1
                sent += 1
                waiting.append(bench.transport.last(sent))
        for name, future in futures.items():
            assert name in _settled(future), "an answer went to another caller"
        assert bench.metrics.snapshot().in_flight == 0


def _settled(future: Future[bytes]) -> bytes:
    try:
        return future.result(PATIENCE_S)
    except (BadPictureError, UnavailableError) as error:
        return str(error).encode()


def _tell(held: Held, outcome: str) -> None:
    if outcome == "answer":
        held.done(_answer(held))
    elif outcome == "bad":
        held.done(BadPictureError(held.picture.decode()))
    else:
        held.done(UnavailableError(held.picture.decode()))


def test_request_ids_name_the_thread_and_are_never_used_again() -> None:
    with Bench() as bench:

        def call() -> None:
            bench.send()
            bench.send()

        for _ in range(3):  # one after the other: the system gives them the same thread id again
            caller = threading.Thread(target=call)
            caller.start()
            caller.join()
        ids = [held.request_id for held in bench.transport.sent(6)]
    assert len({name.split("-")[0] for name in ids}) == 3
    assert len(set(ids)) == 6


def test_an_unavailable_item_is_sent_again_and_counted() -> None:
    with Bench() as bench:
        future = bench.send(b"again")
        bench.transport.last(1).done(UnavailableError("cut"))
        second = bench.transport.last(2)
        assert second.picture == b"again"
        second.done(b'{"cards": []}')
        future.result(PATIENCE_S)
        assert bench.metrics.snapshot().retries == 1


def test_the_last_attempts_error_is_the_callers() -> None:
    with Bench() as bench:
        future = bench.send()
        for attempt in range(QUICK.attempts):
            bench.transport.last(attempt + 1).done(UnavailableError(f"attempt {attempt + 1}"))
        with pytest.raises(UnavailableError, match="attempt 3"):
            future.result(PATIENCE_S)


def test_an_earlier_attempts_late_word_is_not_the_answer() -> None:
    with Bench() as bench:
        future = bench.send()
        first = bench.transport.last(1)
        first.done(UnavailableError("cut"))
        second = bench.transport.last(2)
        first.done(b'{"cards": [], "late": 1}')
        second.done(b'{"cards": []}')
        assert future.result(PATIENCE_S) == b'{"cards": []}'


def test_a_connection_is_given_only_the_time_that_is_left_and_no_attempt_after_it() -> None:
    with Bench(timeout_s=0.5, retry=RetryPolicy(attempts=1_000, first_pause_s=0.1)) as bench:
        future = bench.send()
        first = bench.transport.last(1)
        first.done(UnavailableError("cut"))
        second = bench.transport.last(2)
        assert 0 < second.timeout_s < first.timeout_s <= 0.5
        second.done(DeadlineError("late"))
        with pytest.raises(DeadlineError):
            future.result(PATIENCE_S)
        assert bench.metrics.snapshot().in_flight == 0


def test_cancelling_gives_the_call_up_and_frees_its_place() -> None:
    with Bench(max_in_flight=1, admission_timeout_s=PATIENCE_S) as bench:
        future = bench.send()
        held = bench.transport.last(1)
        assert future.cancel()
        assert held.cancelled.wait(PATIENCE_S)
        second = bench.send()  # waits for the place
        bench.transport.last(2).done(b'{"cards": []}')
        second.result(PATIENCE_S)
        with pytest.raises(FutureCancelledError) as caught:
            future.result()
        assert isinstance(caught.value, CancelledError), "one except for all that can become of an item"


def test_with_every_place_taken_the_excess_is_refused_quickly() -> None:
    with Bench(max_in_flight=2, admission_timeout_s=0.01) as bench:
        futures = [bench.send(), bench.send()]
        with pytest.raises(OverloadedError, match="2 items in flight"):
            bench.send()
        for held in bench.transport.sent(2):
            held.done(b'{"cards": []}')
        for future in futures:
            future.result(PATIENCE_S)
        bench.send()
        counted = bench.metrics.snapshot()
    assert counted.outcomes["overloaded"] == 1
    assert counted.in_flight == 1


def test_a_finished_items_place_is_free_for_its_own_caller() -> None:
    with Bench(max_in_flight=1, admission_timeout_s=0) as bench:
        for turn in range(200):
            future = bench.send()
            bench.transport.last(turn + 1).done(b'{"cards": []}')
            future.result(PATIENCE_S)


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
