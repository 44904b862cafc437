"""Users of the broker with no more rights than they need, as docs/security.md sets them."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aio_pika
import aiormq.exceptions
import pytest
from tandem_triton import AccessError, NotServedError
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tandem.runtime.server import TritonServer
from tests.client.orders import order
from tests.gateway.broker import Broker
from tests.gateway.process import ROOT, GatewayProcess

pytestmark = [pytest.mark.rabbitmq, pytest.mark.triton]
PAGE = Path(ROOT, "docs", "security.md").read_text("utf-8")
PATIENCE_S = 180
NAMES = QueueNames()


def recipe() -> list[list[str]]:
    """The page's commands: `rabbitmqctl …` each."""
    [block] = [
        block for block in re.findall(r"^```\w*\n(.*?)^```", PAGE, re.S | re.M) if "rabbitmqctl" in block
    ]
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("rabbitmqctl")]


@pytest.fixture(scope="module")
def restricted(broker: Broker) -> Broker:
    for words in recipe():
        broker.control(*words)
    return broker


@pytest.fixture
def gateway(restricted: Broker, triton: TritonServer, tmp_path: Path) -> Any:
    url = restricted.url_of("tandem-gateway", "GATEWAY-PASSWORD")
    started = GatewayProcess(tmp_path / "log", "--broker", url, "--url", triton.grpc_url)
    yield started
    started.kill()


def test_a_client_and_a_gateway_have_all_they_need(restricted: Broker, gateway: GatewayProcess) -> None:
    url = restricted.url_of("app1", "APP1-PASSWORD")
    with QueueClient(url, QueueOptions(timeout_s=PATIENCE_S)) as client:
        assert len(client.recognize(order(number="1"))) == 1
    assert gateway.metric('tandem_gateway_outcomes_total{outcome="answered",service="id_card"}') == 1


async def _consume_items(channel: Any) -> None:
    queue = await channel.get_queue(NAMES.items("id_card"), ensure=False)
    await queue.get(fail=False)


async def _consume_anothers_replies(channel: Any) -> None:
    queue = await channel.get_queue(NAMES.replies("app2", "1"), ensure=False)
    await queue.get(fail=False)


async def _answer(channel: Any) -> None:
    exchange = await channel.get_exchange(NAMES.replies_exchange, ensure=False)
    await exchange.publish(aio_pika.Message(b"{}"), routing_key=NAMES.replies("app2", "1"))


async def _publish_anywhere(channel: Any) -> None:
    await channel.default_exchange.publish(aio_pika.Message(b"{}"), routing_key="billing.orders")


async def _bind_another_queue(channel: Any) -> None:
    queue = await channel.get_queue("billing.orders", ensure=False)
    await queue.bind(NAMES.replies_exchange, "billing.orders")


async def _delete_items(channel: Any) -> None:
    await channel.queue_delete(NAMES.items("id_card"))


@pytest.mark.parametrize(
    "do",
    [
        _consume_items,
        _consume_anothers_replies,
        _answer,
        _publish_anywhere,
        _bind_another_queue,
        _delete_items,
    ],
)
def test_a_client_may_do_no_more(
    restricted: Broker, gateway: GatewayProcess, do: Callable[[Any], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with await aio_pika.connect(restricted.url_of("app1", "APP1-PASSWORD")) as connection:
            await do(await connection.channel())

    with QueueClient(
        restricted.url_of("app1", "APP1-PASSWORD"), QueueOptions(timeout_s=PATIENCE_S)
    ) as client:
        assert len(client.recognize(order(number="1"))) == 1  # everything is declared by then
    with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
        asyncio.run(main())


def test_a_client_that_may_not_declare_says_what_is_missing(restricted: Broker) -> None:
    other = QueueOptions(names=QueueNames(prefix="nobody"), timeout_s=PATIENCE_S)
    with pytest.raises((NotServedError, AccessError), match=r"declare|queue of replies"):
        QueueClient(restricted.url_of("app1", "APP1-PASSWORD"), other)


def test_a_reply_to_reaches_no_queue_but_a_clients_own(restricted: Broker, gateway: GatewayProcess) -> None:
    """Card data does not go into somebody's orders, the dead letters or the gateway's own input."""

    async def main() -> list[int]:
        async with await aio_pika.connect(restricted.url) as connection:
            channel = await connection.channel()
            orders = await channel.declare_queue("billing.orders", auto_delete=False)
            items = await channel.get_exchange(NAMES.items_exchange)
            for reply_to in ("billing.orders", NAMES.items("id_card"), NAMES.dead("id_card")):
                message = aio_pika.Message(order(number="1"), correlation_id="1", reply_to=reply_to)
                await items.publish(message, routing_key="id_card")
            # A name that looks like a client's, of a queue that nobody has bound.
            unbound = NAMES.replies("app1", "made-up")
            await channel.declare_queue(unbound, auto_delete=False)
            message = aio_pika.Message(order(number="1"), correlation_id="1", reply_to=unbound)
            await items.publish(message, routing_key="id_card")
            while gateway.metric("tandem_gateway_unclaimed_replies_total") < 1:
                await asyncio.sleep(0.05)
            while gateway.metric('tandem_gateway_dead_letters_total{service="id_card"}') < 3:
                await asyncio.sleep(0.05)
            counts = []
            for name in ("billing.orders", unbound, NAMES.items("id_card")):
                queue = await channel.declare_queue(name, passive=True)
                counts.append(queue.declaration_result.message_count or 0)
            await orders.delete(if_empty=False)
            return counts

    assert asyncio.run(asyncio.wait_for(main(), PATIENCE_S)) == [0, 0, 0]


def test_a_senders_own_count_of_deliveries_means_nothing(restricted: Broker, gateway: GatewayProcess) -> None:
    async def main() -> bytes:
        async with await aio_pika.connect(restricted.url) as connection:
            channel = await connection.channel()
            replies = await channel.declare_queue(NAMES.replies("guest", "counting"), auto_delete=False)
            await replies.bind(NAMES.replies_exchange, replies.name)
            items = await channel.get_exchange(NAMES.items_exchange)
            message = aio_pika.Message(
                order(number="1"),
                correlation_id="1",
                reply_to=replies.name,
                headers={"x-delivery-count": 1_000},
            )
            await items.publish(message, routing_key="id_card")
            answer = None
            while answer is None:
                answer = await replies.get(fail=False)
                await asyncio.sleep(0.05)
            await answer.ack()
            await replies.delete(if_empty=False)
            return answer.body

    assert b'"cards"' in asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
