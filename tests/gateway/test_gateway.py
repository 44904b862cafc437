"""Pictures through a real broker, real gateways and a real Triton."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aio_pika
import aiormq.exceptions
import pytest
from tandem_triton import AccessError, BadPictureError, DeadlineError, NotServedError, UnavailableError
from tandem_triton.core.errors import OverloadedError
from tandem_triton.queue import AsyncQueueClient, QueueClient, QueueNames, QueueOptions
from tandem_triton.queue.message import REASON_HEADER

from tests.client.orders import order
from tests.gateway.broker import Broker
from tests.gateway.process import GatewayProcess

pytestmark = [pytest.mark.rabbitmq, pytest.mark.triton]

Start = Callable[..., GatewayProcess]
PATIENCE_S = 180
REPLIES = "PREFIX.replies.guest.1"


def _options(names: QueueNames, **changes: float) -> QueueOptions:
    return QueueOptions(names=names, **{"timeout_s": PATIENCE_S, **changes})  # type: ignore[arg-type]


def _publish(url: str, queue: str, body: bytes, **properties: object) -> None:
    async def main() -> None:
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            message = aio_pika.Message(body, **properties)  # type: ignore[arg-type]
            await channel.default_exchange.publish(message, routing_key=queue)

    asyncio.run(main())


def _dead_letter(url: str, names: QueueNames) -> aio_pika.abc.AbstractIncomingMessage:
    async def main() -> aio_pika.abc.AbstractIncomingMessage:
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            queue = await channel.get_queue(names.dead("id_card"))
            letter: aio_pika.abc.AbstractIncomingMessage | None = None
            while letter is None:
                await asyncio.sleep(0.1)
                letter = await queue.get(fail=False)
            await letter.ack()
            return letter

    return asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_answers_come_back_by_id(broker: Broker, start_gateway: Start, names: QueueNames) -> None:
    gateway = start_gateway()
    pictures = [order(number=str(number)) for number in range(50)]
    pictures[7], pictures[9] = b"not a picture", order(no_card=True)
    with QueueClient(broker.url, _options(names)) as client:
        readings = list(client.recognize_many(pictures))
        for number, reading in enumerate(readings):
            if number == 7:
                assert isinstance(reading.error, BadPictureError)
            elif number == 9:
                assert reading.cards == []
            else:
                assert reading.cards[0].fields["公民身份号码"] == str(number)
        assert client.metrics.snapshot().outcomes["answered"] == 48
    assert gateway.metric('tandem_gateway_outcomes_total{outcome="answered",service="id_card"}') == 48
    assert gateway.metric('tandem_gateway_outcomes_total{outcome="refused",service="id_card"}') == 1
    assert gateway.stop() == 0


def test_a_stopped_gateway_finishes_what_is_in_hand(
    broker: Broker, start_gateway: Start, names: QueueNames
) -> None:
    gateway = start_gateway()

    async def main() -> None:
        async with AsyncQueueClient(broker.url, _options(names)) as client:
            slow = asyncio.create_task(client.recognize(order(number="slow", delay_s=2)))
            while gateway.metric('tandem_gateway_in_flight{service="id_card"}') == 0:
                await asyncio.sleep(0.05)
            assert await asyncio.to_thread(gateway.stop) == 0
            assert (await slow)[0].fields["公民身份号码"] == "slow"

    asyncio.run(main())


def test_a_picture_that_no_server_survives_is_a_dead_letter_with_its_reason(
    broker: Broker, start_gateway: Start, names: QueueNames
) -> None:
    start_gateway("--redelivery-limit", "3")
    with (
        QueueClient(broker.url, _options(names)) as client,
        pytest.raises(Exception, match="given out 3 times"),
    ):
        client.recognize(order(error="INTERNAL"))
    letter = _dead_letter(broker.url, names)
    assert letter.headers[REASON_HEADER] == "given out 3 times without an answer (INTERNAL)"
    assert letter.body == order(error="INTERNAL")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"reply_to": REPLIES}, "no correlation_id"),
        ({"correlation_id": "1"}, "no reply_to"),
        ({"correlation_id": "1", "reply_to": "billing.orders"}, "no client's queue of replies"),
        ({"correlation_id": "1", "reply_to": REPLIES, "content_type": "text/html"}, "content type"),
        ({"correlation_id": "1", "reply_to": REPLIES, "headers": {"tandem-options": "[]"}}, "JSON object"),
        ({"correlation_id": "1", "reply_to": REPLIES, "headers": {"tandem-options": 7}}, "JSON object"),
        (
            {"correlation_id": "1", "reply_to": REPLIES, "headers": {"tandem-options": '{"colour": 1}'}},
            "no option colour",
        ),
    ],
)
def test_a_malformed_message_is_a_dead_letter_with_its_reason(
    broker: Broker, start_gateway: Start, names: QueueNames, properties: dict[str, Any], reason: str
) -> None:
    start_gateway()
    if "reply_to" in properties:
        properties = {**properties, "reply_to": properties["reply_to"].replace("PREFIX", names.prefix)}
    with QueueClient(broker.url, _options(names)) as client:
        assert len(client.recognize(order(number="well"))) == 1
        _publish(broker.url, names.items("id_card"), b"body", **properties)
        assert reason in str(_dead_letter(broker.url, names).headers[REASON_HEADER])
        assert len(client.recognize(order(number="still well"))) == 1


def test_a_reply_to_nobody_is_dropped(broker: Broker, start_gateway: Start, names: QueueNames) -> None:
    gateway = start_gateway("--prefetch", "1")  # one after the other
    with QueueClient(broker.url, _options(names)) as client:
        assert len(client.recognize(order(number="0"))) == 1  # so that the queue is there
        gone = names.replies("guest", "gone")
        _publish(broker.url, names.items("id_card"), order(number="1"), correlation_id="1", reply_to=gone)
        assert len(client.recognize(order(number="2"))) == 1
        assert gateway.metric("tandem_gateway_unclaimed_replies_total") == 1


def test_without_a_gateway_the_deadline_passes(broker: Broker, names: QueueNames) -> None:
    with QueueClient(broker.url, _options(names, timeout_s=0.5)) as client, pytest.raises(DeadlineError):
        client.recognize(order(number="1"))


def test_a_full_queue_refuses_quickly(broker: Broker, names: QueueNames) -> None:
    short = QueueNames(prefix=names.prefix, longest=2)

    async def main() -> None:
        async with AsyncQueueClient(broker.url, _options(short)) as client:
            waiting: list[asyncio.Task[object]] = []
            # One after the other: a quorum queue takes some more while it tells that it is full.
            while len(waiting) < 50 and not any(task.done() for task in waiting):
                waiting.append(asyncio.create_task(client.recognize(order(number="1"))))
                await asyncio.sleep(0.1)
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            assert [type(task.exception()) for task in done] == [OverloadedError] * len(done)
            for task in waiting:
                task.cancel()

    asyncio.run(main())


async def _until_declared(connection: aio_pika.abc.AbstractConnection, queue: str) -> None:
    while True:
        try:
            await (await connection.channel()).get_queue(queue)
        except aiormq.exceptions.ChannelNotFoundEntity:
            await asyncio.sleep(0.05)
        else:
            return


def test_a_queue_that_is_gone_is_told(broker: Broker, names: QueueNames) -> None:
    async def main() -> None:
        async with AsyncQueueClient(broker.url, _options(names)) as client:
            waiting = client.submit(order(number="1"))  # declares the queue: nobody else has
            async with await aio_pika.connect(broker.url) as connection:
                await _until_declared(connection, names.items("id_card"))
                channel = await connection.channel()
                await channel.queue_delete(names.items("id_card"))
            waiting.cancel()
            with pytest.raises(NotServedError):
                await client.recognize(order(number="1"))

    asyncio.run(main())


def test_a_gateway_with_other_settings_says_so_and_ends(
    broker: Broker, start_gateway: Start, names: QueueNames
) -> None:
    start_gateway()
    with QueueClient(broker.url, _options(names)) as client:
        assert len(client.recognize(order(number="1"))) == 1
    other = start_gateway("--longest", "7")
    assert other.ended() == 1
    assert "exists with other settings" in other.log()


def test_wrong_credentials_are_told(broker: Broker, names: QueueNames) -> None:
    with pytest.raises(AccessError):
        QueueClient(broker.url.replace("guest:guest", "guest:wrong"), _options(names))


def test_no_broker_is_told(names: QueueNames) -> None:
    with pytest.raises(UnavailableError):
        QueueClient("amqp://guest:guest@127.0.0.1:1/", _options(names))
