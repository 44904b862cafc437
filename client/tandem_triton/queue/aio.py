"""The queue's client for asyncio: publishes pictures, gets each answer by its id, outlives the broker."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

import aio_pika
import aiormq.exceptions
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue, AbstractRobustConnection

from tandem_triton.core.errors import (
    CancelledError,
    ClosedError,
    DeadlineError,
    NotServedError,
    OutcomeKind,
    OverloadedError,
    TandemError,
)
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.media.picture import Picture, encode_picture
from tandem_triton.queue.connection import LOST, begin
from tandem_triton.queue.message import PICTURE_CONTENT_TYPE, QueueOptions, decode_reply
from tandem_triton.services.id_card import Answer, Card

_CONFIRM_TIMEOUT_S = 10.0  # a broker that is silent for longer is taken for lost
_PUBLISH_PAUSE_S = 0.2  # between attempts to publish while the connection is restored


class AsyncQueueClient:
    """Asks whatever gateways consume a queue of pictures; for coroutines of one event loop.

    An answer may come twice after a crash somewhere; the second is dropped.

    Args:
        url: `amqp://user:password@host/`.
        options: everything else.

    Attributes:
        metrics: what became of this client's items.
        repeated: answers that came for no waiting item: second ones, or too late.
    """

    def __init__(self, url: str, options: QueueOptions | None = None) -> None:
        self._url = url
        self._options = options or QueueOptions()
        self.metrics = ClientMetrics()
        self.repeated = 0
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._places = asyncio.Semaphore(self._options.max_in_flight)
        self._replies = f"tandem.replies.{uuid.uuid4().hex}"
        self._connection: AbstractRobustConnection | None = None
        self._channel: Any = None

    async def open(self) -> None:
        """Connect, declare the queues, and wait for answers.

        Raises:
            AccessError: the broker doesn't accept the user.
            NotServedError: a queue of that name exists with other settings.
            UnavailableError: no broker.
        """
        self._connection = await begin(self._url, self._options.names, self._set_up)

    async def _set_up(self, channel: Any, _: AbstractQueue) -> None:
        self._channel = channel
        # Not exclusive: it must outlive a broken connection, so that no answer is lost with it.
        replies = await channel.declare_queue(
            self._replies,
            durable=True,
            arguments={"x-expires": round(self._options.reply_expiry_s * 1000)},
        )
        await replies.consume(self._on_reply)

    async def close(self) -> None:
        """Fail what waits with `ClosedError`, delete the queue of answers, disconnect."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ClosedError("the client was closed before the answer came"))
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*LOST):
                if self._channel is not None and not self._channel.is_closed:
                    await self._channel.queue_delete(self._replies)
            await connection.close()

    async def __aenter__(self) -> AsyncQueueClient:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def recognize(self, picture: Picture) -> list[Card]:
        """The cards in a picture; see `Client.recognize`."""
        return (await self.ask(picture)).cards

    async def recognize_json(self, picture: Picture) -> dict[str, Any]:
        """The contract's JSON for a picture; see `Client.recognize_json`."""
        return (await self.ask(picture)).json

    async def ask(self, picture: Picture) -> Answer:
        """The answer to a picture.

        Raises:
            TandemError: see `tandem_triton.core.errors`.
        """
        encoded = await asyncio.to_thread(encode_picture, picture)
        began_s = time.monotonic()
        outcome: OutcomeKind = CancelledError.outcome  # what stands if the task is cancelled
        self.metrics.started()
        try:
            answer = Answer(decode_reply(await self._exchange(encoded, began_s + self._options.timeout_s)))
            outcome = answer.outcome
        except TandemError as error:
            outcome = error.outcome
            raise
        else:
            return answer
        finally:
            self.metrics.finished(outcome, time.monotonic() - began_s)

    async def _exchange(self, picture: bytes, deadline_s: float) -> bytes:
        """Publish the picture and wait for its reply."""
        try:
            return await asyncio.wait_for(
                self._published_and_replied(picture, deadline_s), deadline_s - time.monotonic()
            )
        except asyncio.TimeoutError:
            raise DeadlineError("no answer within the time allowed") from None

    async def _published_and_replied(self, picture: bytes, deadline_s: float) -> bytes:
        async with self._places, self._waiter() as (item, reply):
            await self._publish(item, picture, deadline_s)
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

    async def _publish(self, item: str, picture: bytes, deadline_s: float) -> None:
        """Publish until the broker confirms; a repeated message only costs a repeated answer."""
        while True:
            left_s = deadline_s - time.monotonic()
            message = aio_pika.Message(
                picture,
                content_type=PICTURE_CONTENT_TYPE,
                correlation_id=item,
                message_id=item,
                reply_to=self._replies,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                expiration=max(left_s, 0.001),
            )
            try:
                await self._publish_once(message)
            except LOST:
                await asyncio.sleep(_PUBLISH_PAUSE_S)
            else:
                return

    async def _publish_once(self, message: aio_pika.Message) -> None:
        channel = self._channel
        if channel is None or self._connection is None:
            raise ClosedError("the client was closed before the answer came")
        try:
            await asyncio.wait_for(
                channel.default_exchange.publish(message, routing_key=self._options.names.pictures),
                _CONFIRM_TIMEOUT_S,
            )
        except aiormq.exceptions.PublishError:
            raise NotServedError("there is no queue of pictures") from None
        except aiormq.exceptions.DeliveryError:
            raise OverloadedError("as many pictures wait as the queue takes") from None

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        reply = self._waiting.get(message.correlation_id or "")
        if reply is None or reply.done():
            self.repeated += 1
        else:
            reply.set_result(message.body)
        with contextlib.suppress(*LOST):  # then it comes again, and is dropped as a repeated one
            await message.ack()
