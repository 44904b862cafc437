"""All seven services at once, 64 threads: over one client, and over the queue with a gateway killed twice.

Which answer belongs to which item is known: every item's own answer was asked for alone before.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tandem_triton import Client, ClientOptions
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from export.services import SERVICES, set_up
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY
from tests.gateway.broker import Broker
from tests.gateway.process import GatewayProcess
from tests.server.speech_server import missing, recordings

TRANSLATOR = REPOSITORY / "translator" / "1" / "model" / "model.bin"
EMBEDDER = REPOSITORY / "text_embedder" / "1" / "model.onnx"
LACKING = missing()
if not (TRANSLATOR.exists() and EMBEDDER.exists()):
    LACKING = "no translator or embedder: python -m export.translator.set_up, export.text_embedder.set_up"
pytestmark = [
    pytest.mark.triton,
    pytest.mark.rabbitmq,
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=LACKING),
]
IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURE = (IMAGES / "sample.jpg").read_bytes()
PICTURE_SERVICES = ("id_card", "find_cards", "document_kind")
THREADS = 64
EACH = 3  # items of a thread
DEAD = 'tandem_gateway_dead_letters_total{{service="{}"}}'
PATIENCE_S = 1_500
TEXTS = ("请问离这儿最近的地铁站怎么走？", "The library closes at nine on weekdays.")
PASSAGES = (
    "电动汽车的电池价格今年又下降了，许多城市正在修建新的充电站，方便居民使用。",
    "The museum shows paintings of the harbour, and visitors may join a guided tour every Sunday.",
)


@dataclass(frozen=True)
class Item:
    """Something to ask a service for.

    Attributes:
        service: its name.
        data: the item.
        options: of the request.
    """

    service: str
    data: bytes | str
    options: tuple[tuple[str, Any], ...] = ()


def items() -> list[Item]:
    """Two or more items of every service, each with an answer that no other has."""
    short = sorted(recordings(), key=lambda one: one.seconds)[:2]
    turned = (IMAGES / "sample-read.jpg").read_bytes()  # the same card, drawn on: other quads
    return [
        *(Item(name, data) for name in PICTURE_SERVICES for data in (PICTURE, turned)),
        *(Item("speech_to_text", one.data, (("language", one.language),)) for one in short),
        Item("speech_translation", short[0].data, (("target", "en" if short[0].language == "zh" else "zh"),)),
        *(Item("text_keywords", text) for text in PASSAGES),
        *(Item("text_translation", text) for text in TEXTS),
    ]


@pytest.fixture(scope="module")
def server() -> Iterator[TritonServer]:
    set_up(list(SERVICES), lambda line: None)
    options = ServerOptions(
        model_repository=REPOSITORY, services=tuple(SERVICES), grpc_port=0, http_port=0, metrics_port=0
    )
    with TritonServer(options) as running:
        yield running


@pytest.fixture(scope="module")
def answers(server: TritonServer) -> dict[Item, Any]:
    """Every item's answer, asked for alone."""
    with Client(server.grpc_url, options=ClientOptions(timeout_s=PATIENCE_S)) as client:
        alone = {item: called(client, item) for item in items()}
    told = [str(answer) for answer in alone.values()]
    assert len(set(told)) == len(told)
    assert {item.service for item in alone} == set(SERVICES)
    return alone


def called(client: Client | QueueClient, item: Item) -> Any:
    return client.call_json(item.service, item.data, **dict(item.options))


def essence(item: Item, answer: Any) -> Any:
    """What of an answer does not depend on its batch: arithmetic may differ in the last digit."""
    if item.service == "id_card":
        return [card["fields"] for card in answer["cards"]]
    if item.service == "find_cards":
        return [found["kind"] for found in answer["objects"]], [
            round(x / 20) for found in answer["objects"] for corner in found["quad"] for x in corner
        ]
    if item.service == "document_kind":
        return answer["kinds"][0]["kind"]
    if item.service == "text_keywords":
        return {found["text"] for found in answer["keywords"]}
    return {name: answer[name] for name in ("text", "translation") if name in answer}


def ask_by_threads(ask: Callable[[Item], Any], alone: dict[Item, Any], seed: int) -> None:
    """`THREADS` threads ask for `EACH` items, so that every service has its share, and check the answers."""
    wanted = list(alone) * (THREADS * EACH // len(alone) + 1)
    random.Random(seed).shuffle(wanted)
    begin = threading.Barrier(THREADS)

    def work(number: int) -> None:
        begin.wait()
        for item in wanted[number * EACH : (number + 1) * EACH]:
            assert essence(item, ask(item)) == essence(item, alone[item]), item.service

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(work, number) for number in range(THREADS)]:
            future.result(timeout=PATIENCE_S)


def test_each_thread_gets_its_own_answers_of_every_service(
    server: TritonServer, answers: dict[Item, Any]
) -> None:
    options = ClientOptions(timeout_s=PATIENCE_S, max_in_flight=THREADS)
    with Client(server.grpc_url, options=options) as client:
        ask_by_threads(lambda item: called(client, item), answers, seed=1)
        counted = client.metrics.snapshot().services
        assert all(counted[name].outcomes["answered"] > 0 for name in SERVICES)
        assert sum(counted[name].outcomes["failed"] for name in SERVICES) == 0


def test_nothing_is_lost_over_the_queue_when_the_gateway_is_killed_twice(
    server: TritonServer, answers: dict[Item, Any], broker: Broker, names: QueueNames, tmp_path: Path
) -> None:
    words = [
        *("--broker", broker.url, "--url", server.grpc_url, "--prefix", names.prefix),
        *("--services", ",".join(SERVICES), "--timeout", "600"),
    ]
    gateways = [GatewayProcess(tmp_path / "gateway-0.log", *words)]
    asked = threading.Semaphore(0)
    over = threading.Event()

    def kill_twice() -> None:
        for number in (1, 2):
            for _ in range(THREADS // 2):  # so many answers later
                while not asked.acquire(timeout=1):
                    if over.is_set():
                        return
            gateways[-1].kill()
            gateways.append(GatewayProcess(tmp_path / f"gateway-{number}.log", *words))

    killer = threading.Thread(target=kill_twice)
    killer.start()
    try:
        with QueueClient(broker.url, QueueOptions(names=names, timeout_s=PATIENCE_S)) as client:

            def ask(item: Item) -> Any:
                answer = called(client, item)
                asked.release()
                return answer

            ask_by_threads(ask, answers, seed=2)
        assert all(gateways[-1].metric(DEAD.format(name)) == 0 for name in SERVICES)
    finally:
        over.set()
        killer.join()
        gateways[-1].kill()
    assert len(gateways) == 3
