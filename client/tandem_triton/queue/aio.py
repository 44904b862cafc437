"""The queue's client for asyncio: publishes items, gets each answer by its id, outlives the broker."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, TypeVar

import aio_pika
import aiormq.exceptions
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection

from tandem_triton.core.calls import AsyncCalls
from tandem_triton.core.errors import (
    AccessError,
    CancelledError,
    ClosedError,
    DeadlineError,
    NotServedError,
    OutcomeKind,
    OverloadedError,
    TandemError,
)
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.core.service import Answer, Request, Service
from tandem_triton.queue.connection import LOST, begin, check_broker_url
from tandem_triton.queue.message import ITEM_CONTENT_TYPE, OPTIONS_HEADER, QueueOptions, decode_reply
from tandem_triton.queue.topology import declare_exchanges, look

A = TypeVar("A")

_CONFIRM_TIMEOUT_S = 10.0  # a broker that is silent for longer is taken for lost
_UNBOUND_S = 5.0  # how long a queue may be without its binding: a gateway on a busy machine takes its time
_PUBLISH_PAUSE_S = 0.2  # between attempts to publish while the connection is restored


class AsyncQueueClient(AsyncCalls):
    """Asks whatever gateways consume the services' queues; for coroutines of one event loop.

    An answer may come twice after a crash somewhere; the second is dropped.

    Args:
        url: `amqp://user:password@host/`, or `amqps://…`.
        options: everything else.

    Attributes:
        metrics: what became of this client's items.
        repeated: answers that came for no waiting item: second ones, or too late.

    Raises:
        TypeError: the URL is not text.
        ValueError: it is none of a broker.
    """

    def __init__(self, url: str, options: QueueOptions | None = None) -> None:
        user = check_broker_url(url)
        self._url = url
        self._options = options or QueueOptions()
        self._max_in_flight = self._options.max_in_flight
        self.metrics = ClientMetrics()
        self.repeated = 0
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._places = asyncio.Semaphore(self._options.max_in_flight)
        self._replies = self._options.names.replies(user, uuid.uuid4().hex)
        self._looked_for: set[str] = set()
        self._connection: AbstractRobustConnection | None = None
        self._channel: Any = None
        self._items: Any = None

    async def open(self) -> None:
        """Connect, declare this client's queue of answers, and wait for them.

        Raises:
            AccessError: the broker doesn't accept the user.
            NotServedError: no gateway was ever here, and this user may not prepare the broker for one.
            UnavailableError: no broker.
        """
        self._connection = await begin(self._url, self._set_up)

    async def _set_up(self, connection: AbstractRobustConnection, channel: Any) -> None:
        names = self._options.names
        await declare_exchanges(connection, names)
        # Not exclusive: it must outlive a broken connection, so that no answer is lost with it.
        try:
            replies = await channel.declare_queue(
                self._replies,
                durable=True,
                arguments={"x-expires": round(self._options.reply_expiry_s * 1000)},
            )
            await replies.bind(names.replies_exchange, self._replies)
        except aiormq.exceptions.ChannelAccessRefused:
            raise AccessError(
                f"this user may not have a queue of replies, {names.replies('…', '…')}"
            ) from None
        await replies.consume(self._on_reply)
        self._items = await channel.get_exchange(names.items_exchange, ensure=False)
        self._channel = channel

    async def close(self) -> None:
        """Fail what waits with `ClosedError`, delete the queue of answers, disconnect."""
        connection, self._connection = self._connection, None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ClosedError("the client was closed before the answer came"))
        if connection is not None:
            with contextlib.suppress(*LOST):
                await self._channel.queue_delete(self._replies)
            await connection.close()

    async def __aenter__(self) -> AsyncQueueClient:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def ask(self, request: Request[A]) -> Answer[A]:
        """The answer to a request."""
        name, began_s = request.service.name, time.monotonic()
        outcome: OutcomeKind = CancelledError.outcome  # what stands if the task is cancelled
        self.metrics.started(name)
        try:
            reply = await self._exchange(request, began_s + self._options.timeout_s)
            answer = Answer(request.service, decode_reply(reply, request.service.bad_item))
            outcome = answer.outcome
        except TandemError as error:
            outcome = error.outcome
            raise
        else:
            return answer
        finally:
            self.metrics.finished(name, outcome, time.monotonic() - began_s)

    async def _ask(self, service: Service[A], item: Any, options: dict[str, Any]) -> Answer[A]:
        return await self.ask(await asyncio.to_thread(service.request, item, options))

    async def _exchange(self, request: Request[Any], deadline_s: float) -> bytes:
        """Publish the item and wait for its reply."""
        try:
            return await asyncio.wait_for(
                self._published_and_replied(request, deadline_s), deadline_s - time.monotonic()
            )
        except asyncio.TimeoutError:
            raise DeadlineError("no answer within the time allowed") from None

    async def _published_and_replied(self, request: Request[Any], deadline_s: float) -> bytes:
        async with self._places, self._waiter() as (item, reply):
            await self._publish(item, request, deadline_s)
            return await reply

    @contextlib.asynccontextmanager
    async def _waiter(self) -> AsyncIterator[tuple[str, asyncio.Future[bytes]]]:
        """A new item's id and the future of its reply."""
        if self._connection is None:
            raise ClosedError("the client is not open")
        item = uuid.uuid4().hex
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[item] = reply
        try:
            yield item, reply
        finally:
            del self._waiting[item]
            reply.cancel()

    async def _publish(self, item: str, request: Request[Any], deadline_s: float) -> None:
        """Publish until the broker confirms; a repeated message only costs a repeated answer."""
        options = {} if request.options is None else {OPTIONS_HEADER: request.options.decode()}
        unroutable_until_s = time.monotonic() + _UNBOUND_S
        while True:
            left_s = deadline_s - time.monotonic()
            message = aio_pika.Message(
                request.content,
                headers=options,  # type: ignore[arg-type]
                content_type=ITEM_CONTENT_TYPE,
                correlation_id=item,
                message_id=item,
                reply_to=self._replies,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                expiration=max(left_s, 0.001),
            )
            try:
                await self._publish_once(message, request.service.name)
            except LOST:
                await asyncio.sleep(_PUBLISH_PAUSE_S)
            except NotServedError:
                # A gateway that is just starting declares the queue first and binds it then.
                if time.monotonic() > unroutable_until_s:
                    raise
                await asyncio.sleep(_PUBLISH_PAUSE_S)
            else:
                return

    async def _publish_once(self, message: aio_pika.Message, service: str) -> None:
        connection = self._connection
        if connection is None:
            raise ClosedError("the client was closed before the answer came")
        if service not in self._looked_for:
            await look(connection, self._options.names, service)
            self._looked_for.add(service)
        try:
            await asyncio.wait_for(self._items.publish(message, routing_key=service), _CONFIRM_TIMEOUT_S)
        except aiormq.exceptions.ChannelAccessRefused:
            raise AccessError("this user may not publish items") from None
        except aiormq.exceptions.PublishError:
            raise NotServedError(f"there is no queue of {service}") from None
        except aiormq.exceptions.DeliveryError:
            raise OverloadedError("as many items wait as the queue takes") from None

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        reply = self._waiting.get(message.correlation_id or "")
        if reply is None or reply.done():
            self.repeated += 1
        else:
            reply.set_result(message.body)
        with contextlib.suppress(*LOST):  # then it comes again, and is dropped as a repeated one
            await message.ack()
