"""A thousand pictures while everything is killed in turn: each gets its own answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tests.client.orders import order
from tests.gateway.broker import Broker
from tests.gateway.conftest import MODELS
from tests.gateway.process import GatewayProcess

pytestmark = [pytest.mark.rabbitmq, pytest.mark.triton]

PICTURES = 1_000
IN_FLIGHT = 64
PATIENCE_S = 900


class MortalTriton:
    """A Triton that can be killed and comes back on the same ports."""

    def __init__(self) -> None:
        self._server = TritonServer(
            ServerOptions(model_repository=MODELS, grpc_port=0, http_port=0, metrics_port=0)
        )
        self._server.start()
        self.url = self._server.grpc_url

    def kill_and_restart(self) -> None:
        os.kill(self._server.pid, signal.SIGKILL)
        self._server.stop()
        # Its options name the ports that were chosen the first time.
        self._server.start()

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture
def mortal_triton() -> Iterator[MortalTriton]:
    pytest.importorskip("pytriton.tritonserver", reason="nvidia-pytriton is not installed")
    triton = MortalTriton()
    yield triton
    triton.stop()


@pytest.fixture
def mortal_broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as broker:
        yield broker


class Gateways:
    """One gateway at a time; a killed one is followed by the next."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._folder = folder
        self._words = words
        self._count = 0
        self._now = self._start()

    def kill_and_restart(self) -> None:
        self._now.kill()
        self._now = self._start()

    def kill(self) -> None:
        self._now.kill()

    def _start(self) -> GatewayProcess:
        self._count += 1
        return GatewayProcess(self._folder / f"gateway-{self._count}.log", *self._words)


def test_a_thousand_answers_while_everything_is_killed_in_turn(
    mortal_broker: Broker, mortal_triton: MortalTriton, names: QueueNames, tmp_path: Path
) -> None:
    gateways = Gateways(
        tmp_path,
        *("--broker", mortal_broker.url, "--url", mortal_triton.url),
        *("--prefix", names.prefix, "--redelivery-limit", "20"),
    )

    def restart_broker() -> None:
        mortal_broker.kill()
        mortal_broker.start()

    mishaps: dict[int, Callable[[], None]] = {
        150: gateways.kill_and_restart,
        300: mortal_triton.kill_and_restart,
        450: gateways.kill_and_restart,
        600: restart_broker,
        750: mortal_triton.kill_and_restart,
        850: gateways.kill_and_restart,
    }
    numbers: dict[int, str] = {}
    happened = 0
    try:
        with QueueClient(mortal_broker.url, QueueOptions(names=names, timeout_s=PATIENCE_S)) as client:
            pictures = (order(number=str(number), delay_s=0.01) for number in range(PICTURES))
            for reading in client.recognize_many(pictures, ordered=False, max_in_flight=IN_FLIGHT):
                assert reading.index not in numbers
                numbers[reading.index] = reading.cards[0].fields["公民身份号码"]
                mishap = mishaps.get(len(numbers))
                if mishap is not None:
                    mishap()
                    happened += 1
            counted = client.metrics.snapshot()
    finally:
        gateways.kill()
    assert numbers == {number: str(number) for number in range(PICTURES)}
    assert happened == len(mishaps)
    assert counted.outcomes["answered"] == PICTURES


def test_two_gateways_share_one_queue_evenly(
    broker: Broker,
    start_gateway: Callable[..., GatewayProcess],
    mortal_triton: MortalTriton,
    names: QueueNames,
) -> None:
    gateways = [start_gateway(), start_gateway(triton_url=mortal_triton.url)]
    with QueueClient(broker.url, QueueOptions(names=names, timeout_s=PATIENCE_S)) as client:
        pictures = (order(number=str(number), delay_s=0.05) for number in range(400))
        for reading in client.recognize_many(pictures, ordered=False, max_in_flight=IN_FLIGHT):
            assert reading.cards[0].fields["公民身份号码"] == str(reading.index)
    line = 'tandem_gateway_outcomes_total{outcome="answered",service="id_card"}'
    shares = [gateway.metric(line) for gateway in gateways]
    assert sum(shares) == 400
    assert all(0.4 <= share / 400 <= 0.6 for share in shares), shares
