"""One gateway: takes messages, asks the Triton beside it, replies, and only then acknowledges."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import Any

import aio_pika
import aiormq.exceptions
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from tandem_triton import AsyncClient, ClientOptions, RetryPolicy, TandemError
from tandem_triton.queue.connection import LOST, begin
from tandem_triton.queue.message import REASON_HEADER, REPLY_CONTENT_TYPE

from tandem.gateway.decisions import Ask, AskAgain, Bury, GiveBack, Reply, decide_on_error, decide_on_message
from tandem.gateway.monitor import GatewayMetrics
from tandem.gateway.options import GatewayOptions

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0  # how long a Triton that is back may wait for its first picture
_CONFIRM_TIMEOUT_S = 30.0  # a broker that is silent for longer is taken for lost


class Gateway:
    """Consumes the queue of pictures until stopped.

    Args:
        options: see `GatewayOptions`.

    Attributes:
        metrics: what became of messages.
    """

    def __init__(self, options: GatewayOptions) -> None:
        self.metrics = GatewayMetrics()
        self._options = options
        self._client = AsyncClient(
            options.triton_url,
            options=ClientOptions(
                model=options.model,
                timeout_s=options.timeout_s,
                max_in_flight=options.prefetch,
                retry=RetryPolicy(attempts=1),  # `_ask` retries, for as long as it takes
            ),
        )
        self._channel: Any = None
        self._stopping = asyncio.Event()
        self._in_hand: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Consume until `stop` is called, then finish what is in hand.

        Raises:
            AccessError: the broker doesn't accept the user.
            NotServedError: a queue of that name exists with other settings.
            UnavailableError: no broker at the start; one that is lost later is waited for.
        """
        connection = await begin(self._options.broker_url, self._options.names, self._consume)
        try:
            self.metrics.ready = True
            await self._stopping.wait()
            self.metrics.ready = False
            with contextlib.suppress(*LOST):
                await self._stop_consuming()
            await self._finish()
        finally:
            await connection.close()  # what is not acknowledged goes back to the queue
            await self._client.close()

    def stop(self) -> None:
        """Take no more messages, and let `run` return; call it in the event loop's thread."""
        self._stopping.set()

    async def _consume(self, channel: Any, pictures: AbstractQueue) -> None:
        self._channel = channel
        await channel.set_qos(prefetch_count=self._options.prefetch)
        tag = await pictures.consume(self._take)
        self._stop_consuming = partial(pictures.cancel, tag)

    async def _finish(self) -> None:
        if self._in_hand:
            _, late = await asyncio.wait(self._in_hand, timeout=self._options.stop_timeout_s)
            for task in late:
                task.cancel()

    async def _take(self, message: AbstractIncomingMessage) -> None:
        """Called for each message; the work is a task of its own, so that messages overtake each other."""
        task = asyncio.create_task(self._handle(message))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        with self.metrics.handling() as handling:
            try:
                handling.outcome = await self._settle(message)
            except LOST:
                # Not acknowledged, so it comes again, here or elsewhere.
                _LOG.warning("the broker was lost before a message was settled; it will come again")
                handling.outcome = "lost"
            except Exception:
                # The message must not stay in hand for ever; the broker counts how often it comes back.
                _LOG.exception("a message could not be handled")
                with contextlib.suppress(*LOST):
                    await message.nack(requeue=True)

    async def _settle(self, message: AbstractIncomingMessage) -> str:
        """Do what was decided; gives the outcome's kind."""
        decision: Any = decide_on_message(
            correlation_id=message.correlation_id,
            reply_to=message.reply_to,
            content_type=message.content_type,
            headers=message.headers,
            redelivery_limit=self._options.redelivery_limit,
        )
        outcome = "failed"
        if isinstance(decision, Ask):
            decision, outcome = await self._ask(message.body)
        match decision:
            case Reply(body=body, dead_reason=reason):
                reason = await self._reply(message, body) or reason
                if reason is not None:
                    await self._bury(message, reason)
                await message.ack()
            case Bury(reason=reason):
                await self._bury(message, reason)
                await message.ack()
            case GiveBack():
                await message.nack(requeue=True)
        return outcome

    async def _ask(self, picture: bytes) -> tuple[Reply | GiveBack, str]:
        """The Triton's answer, however long the Triton is away; and the outcome's kind."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                answer = await self._client.ask(picture)
            except TandemError as error:
                decision = decide_on_error(error)
                if not isinstance(decision, AskAgain):
                    _LOG.info("no answer: %s", error.code)
                    return decision, error.outcome
                if self._stopping.is_set():
                    return GiveBack(), error.outcome
                self.metrics.triton_away()
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
            else:
                self.metrics.triton_here()
                return Reply(body=answer.text), answer.outcome

    async def _reply(self, message: AbstractIncomingMessage, body: bytes) -> str | None:
        """Publish the reply and wait until the broker has it; gives why the message dies, if it does."""
        reply = aio_pika.Message(
            body,
            content_type=REPLY_CONTENT_TYPE,
            correlation_id=message.correlation_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        try:
            await self._publish(reply, message.reply_to or "")
        except aiormq.exceptions.PublishError:
            # The client and its queue are gone: there is nobody to answer.
            self.metrics.unclaimed()
        except aiormq.exceptions.DeliveryError:
            # Its queue is bounded and full: it reads too slowly. Waiting would hold up everybody else.
            self.metrics.unclaimed()
            return "the queue of replies takes no more: its reader is too slow"
        return None

    async def _bury(self, message: AbstractIncomingMessage, reason: str) -> None:
        """Put the message among the dead letters with the reason."""
        self.metrics.buried()
        letter = aio_pika.Message(
            message.body,
            content_type=message.content_type,
            correlation_id=message.correlation_id,
            reply_to=message.reply_to,
            headers={**message.headers, REASON_HEADER: reason},
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await self._publish(letter, self._options.names.dead)

    async def _publish(self, message: aio_pika.Message, queue: str) -> None:
        await asyncio.wait_for(
            self._channel.default_exchange.publish(message, routing_key=queue), _CONFIRM_TIMEOUT_S
        )
