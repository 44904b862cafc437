"""Hundreds of callers over one connection that keeps breaking: every answer to the caller that asked."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from tandem_triton import (
    AsyncClient,
    BadPictureError,
    Client,
    ClientOptions,
    RetryPolicy,
    ServerError,
    TandemError,
)
from tandem_triton.services.id_card import Card

from tandem.runtime.server import TritonServer
from tests.client.cutting_proxy import CuttingProxy
from tests.client.orders import order

THREADS = 64
COROUTINES = 200
REQUESTS = 100
REQUESTS_OF_A_COROUTINE = 32  # 200 × 32 = 6,400 as well
CUTS = 5

# Five cuts may hit the same item: it must have attempts left, however busy the machine.
OPTIONS = ClientOptions(timeout_s=120, max_in_flight=THREADS, retry=RetryPolicy(attempts=20))

pytestmark = pytest.mark.triton


@pytest.fixture
def proxy(triton: TritonServer) -> Iterator[CuttingProxy]:
    with CuttingProxy(triton.grpc_url) as proxy:
        yield proxy


class Ledger:
    """What every caller expected and got; cuts the connection at even steps of the way."""

    def __init__(self, proxy: CuttingProxy, total: int) -> None:
        self._proxy = proxy
        self._cut_at = [total * (cut + 1) // (CUTS + 1) for cut in range(CUTS)]
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.cuts = 0

    def settle(self, verdict: str) -> None:
        with self._lock:
            self.counts[verdict] += 1
            cut = self.counts.total() in self._cut_at
        if cut:
            self.cuts += self._proxy.cut()


def _request(caller: int, turn: int) -> tuple[str, bytes]:
    """What caller expects in this turn, and the picture that leads to it."""
    if turn % 10 == 3:
        return "refused", b"\xff\xd8 not a picture"
    if turn % 10 == 5:
        return "failed", order(error="INTERNAL")
    if turn % 10 == 7:
        return "empty", order(no_card=True)
    return f"{caller}-{turn}", order(number=f"{caller}-{turn}")


def _verdict(expected: str, got: str) -> str:
    if got == expected:
        return "right"
    return "crossed" if "-" in got else f"{expected} became {got}"


def _got(recognize: Callable[[], list[Card]]) -> str:
    try:
        return _number(recognize())
    except TandemError as error:
        return _kind(error)


def _number(cards: list[Card]) -> str:
    return cards[0].fields["公民身份号码"] if cards else "empty"


def _kind(error: TandemError) -> str:
    if isinstance(error, (BadPictureError, ServerError)):
        return error.outcome
    return type(error).__name__


def test_64_threads_share_one_channel_that_is_cut_5_times(proxy: CuttingProxy) -> None:
    ledger = Ledger(proxy, THREADS * REQUESTS)

    def call(caller: int) -> None:
        for turn in range(REQUESTS):
            expected, picture = _request(caller, turn)
            ledger.settle(_verdict(expected, _got(lambda: client.recognize(picture))))  # noqa: B023 - called at once

    with Client(proxy.url, options=OPTIONS) as client:
        threads = [threading.Thread(target=call, args=(caller,)) for caller in range(THREADS)]
        for thread in threads:
            thread.start()
        dispatchers = [thread for thread in threading.enumerate() if thread.name == "tandem-dispatcher"]
        for thread in threads:
            thread.join()
        counted = client.metrics.snapshot()

    assert ledger.counts == {"right": THREADS * REQUESTS}
    assert len(dispatchers) == 1
    assert ledger.cuts == CUTS, "each cut found exactly one connection"
    assert proxy.accepted == 1 + CUTS, "the channel is one, reopened after each cut"
    assert counted.outcomes == {
        "answered": THREADS * REQUESTS * 7 // 10,
        "empty": THREADS * REQUESTS // 10,
        "refused": THREADS * REQUESTS // 10,
        "failed": THREADS * REQUESTS // 10,
        "overloaded": 0,
    }
    assert counted.in_flight == 0
    assert counted.retries > 0, "no cut broke anything: the test proves nothing"


def test_every_future_is_settled_by_the_one_dispatcher(proxy: CuttingProxy) -> None:
    settled_by: set[str] = set()
    with Client(proxy.url, options=OPTIONS) as client:
        futures = [client.submit(order(number=str(number), delay_s=0.01)) for number in range(40)]
        for future in futures:
            future.add_done_callback(lambda _: settled_by.add(threading.current_thread().name))
        assert [_number(future.result()) for future in futures] == [str(number) for number in range(40)]
    assert settled_by <= {
        "tandem-dispatcher",
        "MainThread",
    }  # MainThread: was done before the callback was added
    assert "tandem-dispatcher" in settled_by


def test_200_coroutines_share_one_channel_that_is_cut_5_times(proxy: CuttingProxy) -> None:
    ledger = Ledger(proxy, COROUTINES * REQUESTS_OF_A_COROUTINE)

    async def call(client: AsyncClient, caller: int) -> None:
        for turn in range(REQUESTS_OF_A_COROUTINE):
            expected, picture = _request(caller, turn)
            try:
                got = _number(await client.recognize(picture))
            except TandemError as error:
                got = _kind(error)
            ledger.settle(_verdict(expected, got))

    async def main() -> int:
        async with AsyncClient(proxy.url, options=OPTIONS) as client:
            await asyncio.gather(*(call(client, caller) for caller in range(COROUTINES)))
            return client.metrics.snapshot().retries

    retries = asyncio.run(main())
    assert ledger.counts == {"right": COROUTINES * REQUESTS_OF_A_COROUTINE}
    assert ledger.cuts == CUTS
    assert proxy.accepted == 1 + CUTS
    assert retries > 0


def test_a_slow_item_delays_nobody_elses_answer(triton: TritonServer) -> None:
    with Client(triton.grpc_url) as client:
        slow = client.submit(order(number="slow", delay_s=3))
        for number in range(100):
            assert _number(client.recognize(order(number=str(number)))) == str(number)
        assert not slow.done(), "a hundred quick answers came only behind the slow one"
        assert _number(slow.result()) == "slow"
