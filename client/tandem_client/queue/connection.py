"""A connection to the broker that restores itself, and the exceptions that mean it is lost just now."""

from __future__ import annotations

import asyncio

import aio_pika
import aiormq.exceptions
from aio_pika.abc import AbstractRobustConnection

from tandem_client.errors import AccessError, UnavailableError

RECONNECT_INTERVAL_S = 0.5
_CONNECT_TIMEOUT_S = 30.0

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
