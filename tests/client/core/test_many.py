"""Many pictures through one client: order, window, failures; threads and coroutines alike."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from tandem_triton import (
    AsyncClient,
    BadPictureError,
    Client,
    ClientOptions,
    OverloadedError,
    Reading,
)
from tandem_triton.core.options import Protocol
from tandem_triton.media.picture import Picture

from tandem.runtime.server import TritonServer
from tests.client.cutting_proxy import CuttingProxy
from tests.client.orders import order

pytestmark = pytest.mark.triton

PATIENCE_S = 60


@pytest.fixture(params=["grpc", "http"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    value: Protocol = request.param
    return value


@pytest.fixture
def url(triton: TritonServer, protocol: Protocol) -> str:
    return triton.grpc_url if protocol == "grpc" else triton.http_url


def _number(reading: Reading) -> str:
    return reading.cards[0].fields["公民身份号码"] if reading.answer else type(reading.error).__name__


PICTURES: list[Picture] = [
    order(number="slow", delay_s=0.5),
    order(number="quick"),
    b"not a picture",
    "missing.jpg",
    order(number="last"),
]
READ = ["slow", "quick", "BadPictureError", "BadPictureError", "last"]


def test_threads_in_order(url: str, protocol: Protocol) -> None:
    with Client(url, protocol=protocol) as client:
        readings = list(client.recognize_many(PICTURES))
    assert [_number(reading) for reading in readings] == READ
    assert [reading.index for reading in readings] == list(range(len(PICTURES)))
    assert [reading.picture for reading in readings] == PICTURES
    assert [reading.outcome for reading in readings] == [
        "answered",
        "answered",
        "refused",
        "refused",
        "answered",
    ]


def test_threads_as_completed(url: str, protocol: Protocol) -> None:
    with Client(url, protocol=protocol) as client:
        readings = list(client.recognize_many(PICTURES, ordered=False))
    assert sorted(map(_number, readings)) == sorted(READ)
    assert _number(readings[-1]) == "slow"
    assert all(READ[reading.index] == _number(reading) for reading in readings)


def test_coroutines_in_order_and_as_completed(url: str, protocol: Protocol) -> None:
    async def main(*, ordered: bool) -> list[Reading]:
        async with AsyncClient(url, protocol=protocol) as client:
            return [reading async for reading in client.recognize_many(PICTURES, ordered=ordered)]

    assert [_number(reading) for reading in asyncio.run(main(ordered=True))] == READ
    readings = asyncio.run(main(ordered=False))
    assert _number(readings[-1]) == "slow"
    assert all(READ[reading.index] == _number(reading) for reading in readings)


@pytest.mark.parametrize("ordered", [True, False])
def test_pictures_are_taken_only_as_far_as_the_window(triton: TritonServer, ordered: bool) -> None:
    taken = 0

    def endless() -> Iterator[Picture]:
        nonlocal taken
        while True:
            taken += 1
            yield order(number=str(taken))

    with Client(triton.grpc_url) as client:
        readings = client.recognize_many(endless(), ordered=ordered, max_in_flight=3)
        for given in range(1, 20):
            next(readings)
            assert taken <= given + 3
        readings.close()  # type: ignore[attr-defined]


def test_coroutines_take_from_an_async_source(triton: TritonServer) -> None:
    async def source() -> AsyncIterator[Picture]:
        for number in range(5):
            await asyncio.sleep(0)
            yield order(number=str(number))

    async def main() -> list[str]:
        async with AsyncClient(triton.grpc_url) as client:
            return [_number(reading) async for reading in client.recognize_many(source(), max_in_flight=2)]

    assert asyncio.run(main()) == list("01234")


def test_leaving_early_gives_up_the_rest(triton: TritonServer) -> None:
    with Client(triton.grpc_url) as client:
        for _ in client.recognize_many([order(number="1"), order(number="2", delay_s=5)]):
            break
        # The generator is closed by now: its slow item is given up, not waited for.
        deadline = threading.Event()
        while client.metrics.snapshot().in_flight and not deadline.wait(0.01):
            pass
        assert client.metrics.snapshot().outcomes["failed"] == 1


def test_a_window_below_one_is_refused(triton: TritonServer) -> None:
    with Client(triton.grpc_url) as client, pytest.raises(ValueError, match="max_in_flight"):
        client.recognize_many([], max_in_flight=0)


def test_coroutines_submit_and_cancel(url: str, protocol: Protocol) -> None:
    async def main() -> None:
        async with AsyncClient(url, protocol=protocol) as client:
            slow = client.submit(order(number="slow", delay_s=1))
            quick = client.submit(order(number="quick"))
            assert (await quick)[0].fields["公民身份号码"] == "quick"
            assert not slow.done()
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            with pytest.raises(BadPictureError):
                await client.recognize("missing.jpg")
            assert (await client.recognize_json(order(no_card=True))) == {"cards": []}

    asyncio.run(main())


def test_coroutines_are_refused_quickly_when_every_place_is_taken(url: str, protocol: Protocol) -> None:
    async def main() -> None:
        options = ClientOptions(max_in_flight=2, admission_timeout_s=0.02)
        async with AsyncClient(url, protocol=protocol, options=options) as client:
            slow = [client.submit(order(number="slow", delay_s=1)) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(OverloadedError):
                await client.recognize(order(number="one too many"))
            assert len(await asyncio.gather(*slow)) == 2
            assert len(await client.recognize(order(number="fits again"))) == 1
            assert client.metrics.snapshot().outcomes["overloaded"] == 1
            assert client.metrics.snapshot().in_flight == 0

    asyncio.run(main())


def test_http_too_survives_cut_connections(triton: TritonServer) -> None:
    with CuttingProxy(triton.http_url) as proxy, Client(proxy.url, protocol="http") as client:
        wrong: list[str] = []
        answered = threading.Semaphore(0)

        def call(caller: int) -> None:
            for turn in range(40):
                number = f"{caller}-{turn}"
                got = client.recognize(order(number=number))[0].fields["公民身份号码"]
                if got != number:
                    wrong.append(got)
                answered.release()

        callers = [threading.Thread(target=call, args=(caller,)) for caller in range(8)]
        for caller in callers:
            caller.start()
        for _ in range(3):
            for _ in range(80):
                assert answered.acquire(timeout=PATIENCE_S)
            assert proxy.cut() > 0
        for caller in callers:
            caller.join(PATIENCE_S)
        assert wrong == []
        assert client.metrics.snapshot().outcomes["answered"] == 320
