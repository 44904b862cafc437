"""A client is closed while 64 threads are in calls: each of them ends soon, with a typed error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from tandem_triton import Client, ClientOptions, ClosedError, TandemError
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tandem.runtime.server import TritonServer
from tests.client.orders import order
from tests.gateway.broker import Broker

THREADS = 64
PATIENCE_S = 60
SOON_S = 1.0


class Callers:
    """Threads that call until they are refused."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.errors: list[BaseException] = []
        self.ended_s: list[float] = []
        self._call = call
        self._inside = threading.Barrier(THREADS + 1)
        self._threads = [threading.Thread(target=self._run) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()
        self._inside.wait(PATIENCE_S)

    def _run(self) -> None:
        self._inside.wait(PATIENCE_S)
        try:
            while True:
                self._call()
        except BaseException as error:
            self.errors.append(error)
            self.ended_s.append(time.monotonic())

    def join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a caller waits for ever"


def assert_all_end(call: Callable[[], object], close: Callable[[], None]) -> None:
    callers = Callers(call)
    time.sleep(0.3)  # some wait for an answer then, some for a place
    began_s = time.monotonic()
    close()
    callers.join()
    assert {type(error) for error in callers.errors} == {ClosedError}
    assert max(callers.ended_s) - began_s < SOON_S
    with pytest.raises(ClosedError):
        call()


@pytest.mark.triton
@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("places", [8, 128])
def test_a_client(triton: TritonServer, protocol: str, places: int) -> None:
    url = triton.grpc_url if protocol == "grpc" else triton.http_url
    options = ClientOptions(max_in_flight=places)
    client = Client(url, protocol=protocol, options=options)  # type: ignore[arg-type]
    assert_all_end(lambda: client.recognize(order(number="1", delay_s=0.1)), client.close)


@pytest.mark.rabbitmq
@pytest.mark.parametrize("places", [8, 128])
def test_a_client_of_the_queue(broker: Broker, names: QueueNames, places: int) -> None:
    client = QueueClient(broker.url, QueueOptions(names=names, max_in_flight=places))
    assert_all_end(lambda: client.recognize(order(number="1")), client.close)  # nobody answers


@pytest.mark.rabbitmq
def test_futures_of_the_queue_are_all_settled(broker: Broker, names: QueueNames) -> None:
    client = QueueClient(broker.url, QueueOptions(names=names))
    futures = [client.submit(order(number="1")) for _ in range(THREADS)]
    cancelled = futures[5]
    assert cancelled.cancel()
    client.close()
    client.close()  # a second time does nothing
    for future in futures:
        with pytest.raises(TandemError):
            future.result(timeout=SOON_S)
