"""A connection to the broker that restores itself, and the exceptions that mean it is lost just now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import aiormq.exceptions
from aio_pika.abc import AbstractRobustConnection

from tandem_triton.core.errors import AccessError, UnavailableError

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


def check_broker_url(url: str) -> str:
    """The name of the broker's user in `amqp://user:password@host/`.

    Raises:
        TypeError: the URL is not text.
        ValueError: it is none of a broker; the message does not repeat it, for there is a password in it.
    """
    if not isinstance(url, str):
        raise TypeError(f"a broker's url must be text, not {type(url).__name__}")
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError:
        host, user, parts = None, None, urlsplit("")
    if parts.scheme not in ("amqp", "amqps") or not host:
        raise ValueError("a broker's url is amqp://user:password@host/ or amqps://…")
    return user or "guest"


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
    url: str, set_up: Callable[[AbstractRobustConnection, Any], Awaitable[None]]
) -> AbstractRobustConnection:
    """A connection on which `set_up` has run.

    Several attempts: the broker itself drops who consumes a queue that another is just declaring.

    Args:
        url: of the broker.
        set_up: gets the connection and a channel of it; may run again if the connection was lost.

    Raises:
        TandemError: what `set_up` raises.
        AccessError: the broker doesn't accept the user.
        UnavailableError: no broker, or it drops every connection.
    """
    for _ in range(_ATTEMPTS):
        connection = await connect(url)
        try:
            await set_up(connection, await connection.channel(on_return_raises=True))
        except LOST:
            await connection.close()
            await asyncio.sleep(RECONNECT_INTERVAL_S)
        except BaseException:
            await connection.close()
            raise
        else:
            return connection
    raise UnavailableError("the broker drops every connection")


def is_up(connection: AbstractRobustConnection) -> bool:
    """Whether the broker can be spoken to now."""
    transport = connection.transport
    return transport is not None and not transport.connection.is_closed and not connection.reconnecting
