"""The router over a connection whose outcomes the test decides: order, loss, repetition, time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tandem_client import (
    BadPictureError,
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
from tandem_client.cards import Answer
from tandem_client.router import ResponseRouter
from tandem_client.transport import RawOutcome

PATIENCE_S = 60  # for what must happen; never waited out unless a test fails
QUICK = RetryPolicy(attempts=3, first_pause_s=0.001, longest_pause_s=0.002)


class Held:
    """One request that the connection holds until the test tells its outcome."""

    def __init__(self, request_id: str, picture: bytes, done: Callable[[RawOutcome], None]) -> None:
        self.request_id = request_id
        self.picture = picture
        self.done = done
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()


class HeldTransport:
    """A connection that only keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Held] = []
        self.closed = False
        self._arrived = threading.Semaphore(0)

    def start(
        self, request_id: str, picture: bytes, timeout_s: float, done: Callable[[RawOutcome], None]
    ) -> Held:
        held = Held(request_id, picture, done)
        self.sent.append(held)
        self._arrived.release()
        return held

    def close(self) -> None:
        self.closed = True

    def wait(self, count: int = 1) -> None:
        """Wait until so many more were sent."""
        for _ in range(count):
            assert self._arrived.acquire(timeout=PATIENCE_S)


class Bench:
    def __init__(self, **options: object) -> None:
        self.transport = HeldTransport()
        self.metrics = ClientMetrics()
        chosen = ClientOptions(**{"retry": QUICK, **options})  # type: ignore[arg-type]
        self.router = ResponseRouter(self.transport, chosen, self.metrics)

    def send(self, picture: bytes = b"p") -> Future[bytes]:
        return self.router.send(picture, lambda answer: answer.text)

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
        bench.transport.wait(threads * items)
        waiting = sorted(bench.transport.sent, key=lambda held: held.picture)
        attempts = dict.fromkeys(futures, 1)
        while waiting:
            held = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            outcome = data.draw(OUTCOMES)
            _tell(held, outcome)
            if outcome == "unavailable" and attempts[held.picture] < QUICK.attempts:
                attempts[held.picture] += 1
                bench.transport.wait()
                waiting.append(bench.transport.sent[-1])
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
        ids = [held.request_id for held in bench.transport.sent]
    assert len({name.split("-")[0] for name in ids}) == 3
    assert len(set(ids)) == 6


def test_an_unavailable_item_is_sent_again_and_counted() -> None:
    with Bench() as bench:
        future = bench.send(b"again")
        bench.transport.wait()
        bench.transport.sent[0].done(UnavailableError("cut"))
        bench.transport.wait()
        assert bench.transport.sent[1].picture == b"again"
        bench.transport.sent[1].done(b'{"cards": []}')
        future.result(PATIENCE_S)
        assert bench.metrics.snapshot().retries == 1


def test_the_last_attempts_error_is_the_callers() -> None:
    with Bench() as bench:
        future = bench.send()
        for attempt in range(QUICK.attempts):
            bench.transport.wait()
            bench.transport.sent[attempt].done(UnavailableError(f"attempt {attempt + 1}"))
        with pytest.raises(UnavailableError, match="attempt 3"):
            future.result(PATIENCE_S)


def test_an_earlier_attempts_late_word_is_not_the_answer() -> None:
    with Bench() as bench:
        future = bench.send()
        bench.transport.wait()
        first = bench.transport.sent[0]
        first.done(UnavailableError("cut"))
        bench.transport.wait()
        first.done(b'{"cards": [], "late": 1}')
        bench.transport.sent[1].done(b'{"cards": []}')
        assert future.result(PATIENCE_S) == b'{"cards": []}'


def test_no_answer_in_time_is_a_deadline_error_and_the_call_is_given_up() -> None:
    with Bench(timeout_s=0.05) as bench:
        future = bench.send()
        with pytest.raises(DeadlineError):
            future.result(PATIENCE_S)
        assert bench.transport.sent[0].cancelled.wait(PATIENCE_S)
        bench.transport.sent[0].done(b'{"cards": []}')  # late: nobody is there
        assert bench.metrics.snapshot().in_flight == 0


def test_cancelling_gives_the_call_up_and_frees_its_place() -> None:
    with Bench(max_in_flight=1, admission_timeout_s=PATIENCE_S) as bench:
        future = bench.send()
        assert future.cancel()
        assert bench.transport.sent[0].cancelled.wait(PATIENCE_S)
        second = bench.send()  # waits for the place
        bench.transport.sent[1].done(b'{"cards": []}')
        second.result(PATIENCE_S)
        with pytest.raises(FutureCancelledError):
            future.result()


def test_with_every_place_taken_the_excess_is_refused_quickly() -> None:
    with Bench(max_in_flight=2, admission_timeout_s=0.01) as bench:
        futures = [bench.send(), bench.send()]
        with pytest.raises(OverloadedError, match="2 items in flight"):
            bench.send()
        for held in bench.transport.sent:
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
            bench.transport.sent[turn].done(b'{"cards": []}')
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
    bench.transport.sent[0].done(b'{"cards": []}')
    assert closed.wait(PATIENCE_S)


@pytest.mark.parametrize("text", [b"", b"[]", b"[" * 100_000, b'{"cards": 1}'])
def test_an_answer_that_makes_no_sense_fails_only_its_own_item(text: bytes) -> None:
    with Bench() as bench:
        bad, good = bench.send(), bench.send()
        bench.transport.sent[0].done(text)
        bench.transport.sent[1].done(b'{"cards": []}')
        with pytest.raises(ProtocolError):
            bad.result(PATIENCE_S)
        assert good.result(PATIENCE_S) == b'{"cards": []}'


def test_the_dispatcher_outlives_a_callers_mistake() -> None:
    def mistake(_: Answer) -> None:
        raise ZeroDivisionError

    with Bench() as bench:
        wrong = bench.router.send(b"p", mistake)
        bench.transport.sent[0].done(b'{"cards": []}')
        with pytest.raises(ProtocolError, match="ZeroDivisionError"):
            wrong.result(PATIENCE_S)
        right = bench.send()
        bench.transport.sent[1].done(b'{"cards": []}')
        right.result(PATIENCE_S)


def test_timers_of_finished_items_do_not_pile_up() -> None:
    with Bench() as bench:
        for turn in range(5_000):
            future = bench.send()
            bench.transport.sent[turn].done(ServerError("no"))
            with pytest.raises(ServerError):
                future.result(PATIENCE_S)
        assert len(bench.router._dispatcher._timers) < 2_000
