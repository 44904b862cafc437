"""A connection to the broker that restores itself, and the exceptions that mean it is lost just now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aio_pika
import aiormq.exceptions
from aio_pika.abc import AbstractQueue, AbstractRobustConnection

from tandem_triton.core.errors import AccessError, NotServedError, UnavailableError
from tandem_triton.queue.message import QueueNames

RECONNECT_INTERVAL_S = 0.5
_CONNECT_TIMEOUT_S = 30.0
_ATTEMPTS = 10

LOST: tuple[type[Exception], ...] = (
    aiormq.exceptions.AMQPConnectionError,
    aiormq.exceptions.ChannelInvalidStateError,
    aiormq.exceptions.ChannelClosed,
    aiormq.exceptions.ConnectionClosed,
    ConnectionError,
    RuntimeError,  # what a transport that is being closed raises
    asyncio.TimeoutError,  # it has been silent for too long
)
"""The broker can't be spoken to now; `connect`'s connection restores itself."""


async def connect(url: str) -> AbstractRobustConnection:
    """A connection that restores itself with its channels, queues and consumers.

    Raises:
        AccessError: the broker doesn't accept the user.
        UnavailableError: no broker.
    """
    try:
        return await aio_pika.connect_robust(
            url, timeout=_CONNECT_TIMEOUT_S, reconnect_interval=RECONNECT_INTERVAL_S, fail_fast=True
        )
    except (aiormq.exceptions.ProbableAuthenticationError, aiormq.exceptions.AuthenticationError):
        raise AccessError("the broker does not accept this user") from None
    except (aiormq.exceptions.AMQPError, OSError, asyncio.TimeoutError) as error:
        raise UnavailableError(f"no broker ({type(error).__name__})") from None


async def begin(
    url: str, names: QueueNames, set_up: Callable[[Any, AbstractQueue], Awaitable[None]]
) -> AbstractRobustConnection:
    """A connection on which the shared queues are declared and `set_up` has run.

    Several attempts: the broker itself drops who consumes a queue that another is just declaring.

    Args:
        url: of the broker.
        names: of the queues.
        set_up: gets the channel and the queue of pictures; may run again if the connection was lost.

    Raises:
        AccessError: the broker doesn't accept the user.
        NotServedError: a queue of that name exists with other settings.
        UnavailableError: no broker, or it drops every connection.
    """
    for _ in range(_ATTEMPTS):
        connection = await connect(url)
        try:
            channel = await connection.channel(on_return_raises=True)
            await channel.declare_queue(names.dead, durable=True, arguments=names.dead_arguments())
            pictures = await channel.declare_queue(
                names.pictures, durable=True, arguments=names.pictures_arguments()
            )
            await set_up(channel, pictures)
        except aiormq.exceptions.ChannelPreconditionFailed:
            await connection.close()
            raise NotServedError("a queue of that name exists with other settings") from None
        except LOST:
            await connection.close()
            await asyncio.sleep(RECONNECT_INTERVAL_S)
        except BaseException:
            await connection.close()
            raise
        else:
            return connection
    raise UnavailableError("the broker drops every connection")
