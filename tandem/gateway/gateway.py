"""One gateway: takes messages, asks the Triton beside it, replies, and only then acknowledges."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import aio_pika
import aiormq.exceptions
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection
from tandem_triton import Answer, AsyncClient, RetryPolicy, Service
from tandem_triton.queue.connection import LOST, begin, is_up
from tandem_triton.queue.message import REASON_HEADER, REPLY_CONTENT_TYPE, encode_failure
from tandem_triton.queue.topology import declare

from tandem.gateway.asking import Asking, Failed, Stopped
from tandem.gateway.decisions import (
    Ask,
    Bury,
    Envelope,
    GiveBack,
    Reply,
    decide_on_failure,
    decide_on_message,
)
from tandem.gateway.health import ServiceHealth
from tandem.gateway.monitor import GatewayMetrics
from tandem.gateway.options import GatewayOptions

_LOG = logging.getLogger(__name__)
_BROKER_PAUSE_S = 0.5  # between attempts while the broker is lost
_GIVE_UP_FACTOR = (
    4  # beyond the redelivery limit: a message that ends gateways never gets as far as an outcome
)


class Gateway:
    """Consumes the queues of its services until stopped.

    Args:
        options: see `GatewayOptions`.

    Attributes:
        metrics: what became of messages.
    """

    def __init__(self, options: GatewayOptions) -> None:
        self.metrics = GatewayMetrics()
        self._options = options
        self._client = AsyncClient(
            options.triton_url, options=options.client_options(RetryPolicy(attempts=1))
        )
        self._stopping = asyncio.Event()
        places = options.prefetch * len(options.services)
        self._asking = Asking(self._client, places=places, stopping=self._stopping, metrics=self.metrics)
        self._in_hand: set[asyncio.Task[None]] = set()
        self._replies: Any = None
        self._dead: Any = None
        self._queues: dict[str, Any] = {}

    async def run(self) -> None:
        """Consume until `stop` is called, then finish what is in hand.

        Raises:
            AccessError: the broker doesn't accept the user.
            NotServedError: a queue of that name exists with other settings.
            UnavailableError: no broker at the start; one that is lost later is waited for.
        """
        connection = await self._begin()
        if connection is None:
            await self._client.close()
            return
        lines = [asyncio.create_task(self._serve(service)) for service in self._options.services]
        try:
            self.metrics.watch(lambda: is_up(connection))
            await self._stopping.wait()
            self.metrics.stopping()
            await asyncio.gather(*lines, return_exceptions=True)
            await self._finish()
        finally:
            for line in lines:
                line.cancel()
            await connection.close()  # what is not acknowledged goes back to the queue
            await self._client.close()

    def stop(self) -> None:
        """Take no more messages, and let `run` return; call it in the event loop's thread."""
        self._stopping.set()

    async def _begin(self) -> AbstractRobustConnection | None:
        """The connection to the broker, None if told to stop before there is one."""
        connecting = asyncio.create_task(begin(self._options.broker_url, self._set_up))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((connecting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                return connecting.result()
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            return None
        finally:
            stopping.cancel()

    async def _set_up(self, connection: AbstractRobustConnection, channel: Any) -> None:
        names = self._options.names
        await channel.set_qos(prefetch_count=self._options.prefetch)
        for service in self._options.services:
            self._queues[service.name] = await declare(channel, names, service.name)
        self._replies = await channel.get_exchange(names.replies_exchange, ensure=False)
        self._dead = await channel.get_exchange(names.dead_exchange, ensure=False)

    async def _serve(self, service: Service[Any]) -> None:
        """Consume a service's queue while the service works, until told to stop."""
        health = ServiceHealth(self._client, service, self.metrics.health_changed)
        self.metrics.health_changed(health)
        queue = self._queues[service.name]

        async def take(message: AbstractIncomingMessage) -> None:
            # The work is a task of its own, so that messages overtake each other.
            task = asyncio.create_task(self._handle(message, service, health))
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)

        while await self._unless_stopping(health.recover()):
            tag = await self._repeated(lambda: queue.consume(take))
            consuming = tag is not None and await self._unless_stopping(health.wait_ill())
            if tag is not None:
                await self._repeated(lambda tag=tag: queue.cancel(tag))
            if not consuming:
                break

    async def _unless_stopping(self, waited: Any) -> bool:
        """Whether what is waited for happened before the stop."""
        happening = asyncio.ensure_future(waited)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((happening, stopping), return_when=asyncio.FIRST_COMPLETED)
            return happening.done() and not self._stopping.is_set()
        finally:
            happening.cancel()
            stopping.cancel()

    async def _repeated(self, do: Any) -> Any:
        """What `do` gives, tried again while the broker is lost; None once told to stop."""
        while True:
            try:
                return await do()
            except LOST:
                if self._stopping.is_set():
                    return None
                await asyncio.sleep(_BROKER_PAUSE_S)

    async def _finish(self) -> None:
        if self._in_hand:
            _, late = await asyncio.wait(self._in_hand, timeout=self._options.stop_timeout_s)
            for task in late:
                task.cancel()

    async def _handle(
        self, message: AbstractIncomingMessage, service: Service[Any], health: ServiceHealth
    ) -> None:
        with self.metrics.handling(service.name) as handling:
            try:
                handling.outcome = await self._settle(message, service, health)
            except (Stopped, asyncio.TimeoutError) as why:
                # Stopping; or the broker lives but does not confirm: then the message is not settled yet.
                handling.outcome = "given_back"
                if not isinstance(why, Stopped):
                    _LOG.warning("the broker did not confirm in time; a message is given back")
                await self._give_back(message)
            except LOST:
                # Not acknowledged, so it comes again, here or elsewhere.
                _LOG.warning("the broker was lost before a message was settled; it will come again")
                handling.outcome = "lost"
            except Exception as error:
                # The message must not stay in hand for ever; the broker counts how often it comes back.
                _LOG.error("a message could not be handled (%s)", type(error).__name__)
                await self._give_back(message)

    async def _settle(
        self, message: AbstractIncomingMessage, service: Service[Any], health: ServiceHealth
    ) -> str:
        """Do what was decided; gives the outcome's kind."""
        decision: Ask | Reply | Bury | GiveBack = decide_on_message(
            Envelope(
                correlation_id=message.correlation_id,
                reply_to=message.reply_to,
                content_type=message.content_type,
                headers=message.headers,
                redelivered=bool(message.redelivered),
            ),
            message.body,
            service,
            names=self._options.names,
            give_up_after=_GIVE_UP_FACTOR * self._options.redelivery_limit,
        )
        outcome = "refused"
        if isinstance(decision, Ask):
            decision, outcome = await self._ask(decision, health)
        match decision:
            case Reply(body=body, dead_reason=reason):
                reason = await self._reply(message, body) or reason
                if reason is not None:
                    await self._bury(message, service, reason)
                await message.ack()
            case Bury(reason=reason):
                await self._bury(message, service, reason)
                await message.ack()
            case GiveBack(after_s=after_s):
                await self._unless_stopping(asyncio.sleep(after_s))
                await message.nack(requeue=True)
        return outcome

    async def _ask(self, ask: Ask, health: ServiceHealth) -> tuple[Reply | GiveBack, str]:
        """What the Triton's answer means for the message; and the outcome's kind."""
        found = await self._asking.outcome(ask.request, health)
        if isinstance(found, Answer):
            return Reply(body=found.text), found.outcome
        if isinstance(found, Failed):
            _LOG.warning("an item of %s failed where others pass: %s", health.service.name, found.error.code)
            decision = decide_on_failure(found.error, ask.given_out, self._options.redelivery_limit)
            return decision, found.error.outcome
        return Reply(body=encode_failure(found)), found.outcome

    async def _reply(self, message: AbstractIncomingMessage, body: bytes) -> str | None:
        """Publish the reply and wait until the broker has it; gives why the message dies, if it does."""
        reply = aio_pika.Message(
            body,
            content_type=REPLY_CONTENT_TYPE,
            correlation_id=message.correlation_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        try:
            await self._publish(self._replies, reply, message.reply_to or "")
        except aiormq.exceptions.PublishError:
            # The client and its queue are gone: there is nobody to answer.
            self.metrics.unclaimed()
        except aiormq.exceptions.DeliveryError:
            # Its queue is bounded and full: it reads too slowly. Waiting would hold up everybody else.
            self.metrics.unclaimed()
            return "the queue of replies takes no more: its reader is too slow"
        return None

    async def _bury(self, message: AbstractIncomingMessage, service: Service[Any], reason: str) -> None:
        """Put the message among the dead letters with the reason."""
        self.metrics.buried(service.name)
        letter = aio_pika.Message(
            message.body,
            content_type=message.content_type,
            correlation_id=message.correlation_id,
            reply_to=message.reply_to,
            headers={**message.headers, REASON_HEADER: reason},
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await self._publish(self._dead, letter, service.name)

    async def _publish(self, exchange: Any, message: aio_pika.Message, key: str) -> None:
        await asyncio.wait_for(exchange.publish(message, routing_key=key), self._options.confirm_timeout_s)

    async def _give_back(self, message: AbstractIncomingMessage) -> None:
        with contextlib.suppress(*LOST):
            await message.nack(requeue=True)
