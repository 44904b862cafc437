from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.errors import InputError
from tandem.triton.coordinator import IN_FLIGHT, Coordinator, Item, in_flight
from tests.triton.fakes import Error, Request, Response, Tensor, fake_backend, texts

TIMEOUT_S = 20.0


def shout(inputs: dict[str, NDArray[Any]]) -> Response:
    return Response([Tensor("LOUD", np.array([[inputs["WORD"][0][0].upper()]], np.object_))])


def answer(item: Item) -> Any:
    """Every word of the text through the network; `!` is refused, `?` is a fault of ours."""
    if item.data == b"!":
        raise InputError("no exclamation marks")
    if item.data == b"?":
        raise ValueError(f"what was sent: {item.data!r}")
    pieces = [{"WORD": np.array([word], np.object_)} for word in item.data.split()]
    loud = [found["LOUD"][0].decode() for found in item.ask("network", ["LOUD"], pieces)]
    return {"loud": loud, "options": item.options and item.options.decode()}


def run(backend: SimpleNamespace, *requests: Request, work: Callable[[Item], Any] = answer) -> None:
    coordinator = Coordinator(backend, model_name="service", input_name="TEXT", answer=work, items=4)
    coordinator.start(requests)
    coordinator.close()


def result(request: Request, place: int = 0) -> Any:
    (response,) = request.sender.responses
    return json.loads(response.tensors["RESULT"][place][0])


def test_each_request_gets_its_own_answer() -> None:
    first, second = Request(TEXT=texts(b"a b c")), Request(TEXT=texts(b"d"), OPTIONS=texts(b"{}"))
    run(fake_backend(shout), first, second)
    assert result(first) == {"loud": ["A", "B", "C"], "options": None}
    assert result(second) == {"loud": ["D"], "options": "{}"}


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [(b"!", "INVALID_ARG", "no exclamation marks"), (b"?", "INTERNAL", "service failed (ValueError)")],
)
def test_a_bad_item_fails_alone_and_is_counted(
    data: bytes, code: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    backend = fake_backend(shout)
    bad, good = Request(TEXT=texts(data)), Request(TEXT=texts(b"a"))
    with caplog.at_level(logging.ERROR):
        run(backend, bad, good)
    (response,) = bad.sender.responses
    assert response.error_ is not None
    assert (response.error_.code(), str(response.error_)) == (code, message)
    assert result(good)["loud"] == ["A"]
    assert backend.counts == {code: 1}
    assert "b'?'" not in caplog.text


def test_in_a_request_of_two_a_bad_item_says_so_in_its_own_place() -> None:
    request = Request(TEXT=texts(b"!", b"a"))
    run(fake_backend(shout), request)
    assert result(request, 0) == {"error": {"code": "INVALID_ARG", "message": "no exclamation marks"}}
    assert result(request, 1)["loud"] == ["A"]


def test_the_networks_error_keeps_its_code() -> None:
    request = Request(TEXT=texts(b"a b c d"))
    run(fake_backend(lambda _inputs: Response(error=Error("model is gone", "UNAVAILABLE"))), request)
    (response,) = request.sender.responses
    assert response.error_ is not None
    assert (response.error_.code(), str(response.error_)) == ("UNAVAILABLE", "model is gone")


def test_nothing_more_is_asked_for_a_caller_who_has_gone() -> None:
    request = Request(TEXT=texts(b"a b c d e f g h"))
    asked = []

    def network(inputs: dict[str, NDArray[Any]]) -> Response:
        asked.append(inputs)
        request.sender.cancelled = True
        return shout(inputs)

    run(fake_backend(network), request)
    (response,) = request.sender.responses
    assert response.error_ is not None
    assert response.error_.code() == "CANCELLED"
    assert len(asked) <= IN_FLIGHT + 1


def test_a_short_item_behind_a_long_one_waits_for_no_more_than_what_is_under_way() -> None:
    """Every call takes its turn on one thread, first come first served, as on a Triton instance."""
    order: list[str] = []
    started = threading.Event()

    def step(word: str) -> None:
        started.set()
        time.sleep(0.01)
        order.append(word)

    with ThreadPoolExecutor(1) as instance:

        def network(inputs: dict[str, NDArray[Any]]) -> Response:
            instance.submit(step, inputs["WORD"][0][0].decode()).result()
            return shout(inputs)

        coordinator = Coordinator(
            fake_backend(network), model_name="service", input_name="TEXT", answer=answer, items=4
        )
        coordinator.start([Request(TEXT=texts(b"long " * 50))])
        assert started.wait(TIMEOUT_S)
        before = len(order)
        coordinator.start([Request(TEXT=texts(b"short"))])
        coordinator.close()
    # What was under way, and what may have begun while the short one came.
    assert order.index("short") - before <= 6


def test_no_more_pieces_are_under_way_than_allowed() -> None:
    under_way, most = 0, 0
    lock = threading.Lock()

    def work(piece: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.005)
        with lock:
            under_way -= 1
        return piece

    with ThreadPoolExecutor(8) as pool:
        assert list(in_flight(range(12), lambda piece: pool.submit(work, piece))) == list(range(12))
    assert most == 2


def test_the_next_piece_is_sent_when_any_is_done_though_answers_keep_their_order() -> None:
    futures = [Future[int](), Future[int](), Future[int]()]

    def submit(piece: int) -> Future[int]:
        if piece == 2:  # the first is done only when the third is sent
            futures[0].set_result(0)
            futures[2].set_result(2)
        return futures[piece]

    threading.Timer(0.05, futures[1].set_result, [1]).start()
    # Who waits for the first one waits for this, and gets a wrong answer.
    late = threading.Timer(TIMEOUT_S, futures[0].set_result, [-1])
    late.start()
    try:
        assert list(in_flight(range(3), submit)) == [0, 1, 2]
    finally:
        late.cancel()


def test_an_item_has_as_many_pieces_under_way_as_its_model_says() -> None:
    together = threading.Barrier(4)

    def network(inputs: dict[str, NDArray[Any]]) -> Response:
        together.wait(TIMEOUT_S)
        return shout(inputs)

    request = Request(TEXT=texts(b"a b c d e f g h"))
    coordinator = Coordinator(
        fake_backend(network), model_name="service", input_name="TEXT", answer=answer, items=1, pieces=4
    )
    coordinator.start([request])
    coordinator.close()
    (response,) = request.sender.responses
    assert response.error_ is None


@pytest.mark.parametrize("wrong", [{"items": 0, "pieces": 2}, {"items": 4, "pieces": 0}])
def test_a_model_that_could_never_answer_does_not_load(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"service: . items of . pieces; at least one is needed"):
        Coordinator(fake_backend(shout), model_name="service", input_name="TEXT", answer=answer, **wrong)


def test_if_one_fails_those_under_way_are_waited_for() -> None:
    futures = [Future[int](), Future[int]()]
    queue = list(futures)
    pieces = in_flight([0, 1], lambda _piece: queue.pop(0))
    threading.Timer(0.05, futures[0].set_exception, [InputError("bad")]).start()
    threading.Timer(0.1, futures[1].set_result, [1]).start()
    with pytest.raises(InputError):
        list(pieces)
    assert futures[1].done()
