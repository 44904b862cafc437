"""A client that does not take its replies: nobody else waits for it, and what it asked for is kept for it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import aio_pika
import aiormq.exceptions
import pytest
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions
from tandem_triton.queue.message import REASON_HEADER

from tests.client.orders import order
from tests.gateway.broker import Broker
from tests.gateway.process import ROOT, GatewayProcess

pytestmark = [pytest.mark.rabbitmq, pytest.mark.triton]

ASKED = 100
OTHERS = 50
PATIENCE_S = 180
READ = 'tandem_gateway_outcomes_total{outcome="answered",service="id_card"}'
NO_CARD = 'tandem_gateway_outcomes_total{outcome="empty",service="id_card"}'


def _until(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_a_stalled_reader_holds_up_nobody_and_loses_nothing(
    broker: Broker, start_gateway: Callable[..., GatewayProcess], names: QueueNames
) -> None:
    gateway = start_gateway()
    reader = subprocess.Popen(
        [sys.executable, "-m", "tests.gateway.reader", broker.url, names.prefix, str(ASKED)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        _until(lambda: gateway.metric(NO_CARD) > 0)  # it has its first replies
        reader.send_signal(signal.SIGSTOP)
        with QueueClient(broker.url, QueueOptions(names=names, timeout_s=PATIENCE_S)) as client:
            for number in range(OTHERS):
                assert client.recognize(order(number=str(number)))[0].fields["公民身份号码"] == str(number)
        assert reader.poll() is None
        assert gateway.metric(READ) == OTHERS
        assert gateway.metric('tandem_gateway_dead_letters_total{service="id_card"}') == 0
        reader.send_signal(signal.SIGCONT)
        answers, _ = reader.communicate(timeout=PATIENCE_S)
    finally:
        reader.kill()
        reader.wait()
    assert answers == f"{ASKED} answers\n"
    assert reader.returncode == 0


def test_a_full_queue_of_replies_makes_a_dead_letter_and_holds_up_nobody(
    broker: Broker, start_gateway: Callable[..., GatewayProcess], names: QueueNames
) -> None:
    gateway = start_gateway("--prefetch", "1")  # one after the other
    replies = names.replies("guest", "bounded")

    async def ask() -> dict[str, object]:
        async with await aio_pika.connect(broker.url) as connection:
            channel = await connection.channel()
            bounded = {"x-max-length": 1, "x-overflow": "reject-publish"}
            queue = await channel.declare_queue(replies, durable=True, arguments=bounded)
            await queue.bind(names.replies_exchange, replies)
            for number in range(3):
                message = aio_pika.Message(
                    order(number=str(number)), correlation_id=str(number), reply_to=replies
                )
                await channel.default_exchange.publish(message, routing_key=names.items("id_card"))
            dead = await channel.get_queue(names.dead("id_card"))
            found: dict[str, object] = {}
            while len(found) < 2:
                letter = await dead.get(fail=False)
                if letter is None:
                    await asyncio.sleep(0.1)
                    continue
                found[str(letter.correlation_id)] = letter.headers[REASON_HEADER]
                await letter.ack()
            kept = await queue.get()
            await kept.ack()
            assert kept.correlation_id == "0"
            await queue.delete(if_unused=False, if_empty=False)
            return found

    with QueueClient(broker.url, QueueOptions(names=names, timeout_s=PATIENCE_S)) as client:
        dead = asyncio.run(asyncio.wait_for(ask(), PATIENCE_S))
        assert len(client.recognize(order(number="still well"))) == 1
    assert set(dead) == {"1", "2"}
    assert all("too slow" in str(reason) for reason in dead.values())
    assert gateway.metric("tandem_gateway_unclaimed_replies_total") == 2


def test_a_queue_deleted_under_a_gateway_is_declared_again(
    broker: Broker, start_gateway: Callable[..., GatewayProcess], names: QueueNames
) -> None:
    gateway = start_gateway()
    _until(gateway.healthy)

    async def delete_and_wait_for_its_return() -> None:
        async with await aio_pika.connect(broker.url) as connection:
            await (await connection.channel()).queue_delete(names.items("id_card"))
            # A queue that somebody else declares within some 20 ms of its end is one of RabbitMQ 3.10's
            # defects: the consumer of the old one is told nothing and gets nothing. Hence the wait.
            while True:
                try:
                    await (await connection.channel()).get_queue(names.items("id_card"))
                except aiormq.exceptions.ChannelNotFoundEntity:
                    await asyncio.sleep(0.05)
                else:
                    return

    asyncio.run(asyncio.wait_for(delete_and_wait_for_its_return(), PATIENCE_S))
    with QueueClient(broker.url, QueueOptions(names=names, timeout_s=PATIENCE_S)) as client:
        assert len(client.recognize(order(number="1"))) == 1


def test_a_gateway_that_the_broker_does_not_accept_says_so_and_ends(
    broker: Broker, names: QueueNames
) -> None:
    url = broker.url.replace("guest:guest", "guest:not-this-one")
    done = subprocess.run(
        [sys.executable, "-m", "tandem.gateway", "--broker", url, "--prefix", names.prefix,
         "--monitor-port", "0"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the broker does not accept this user" in done.stderr
    assert "not-this-one" not in done.stderr
