"""The router over a connection whose outcomes the test decides: order, loss, repetition, time."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tandem_triton import (
    BadPictureError,
    CancelledError,
    DeadlineError,
    OverloadedError,
    RetryPolicy,
    UnavailableError,
)

from tests.client.core.held import ATTEMPTS, PATIENCE_S, Bench, Held


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
            if outcome == "unavailable" and attempts[held.picture] < ATTEMPTS:
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
        for attempt in range(ATTEMPTS):
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
