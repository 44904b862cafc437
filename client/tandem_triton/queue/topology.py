"""The exchanges and queues that clients and gateways share, and who may do what with them.

    client ──► exchange `tandem.items` ──(service)──► queue `tandem.<service>` ──► gateway
    gateway ──► exchange `tandem.replies` ──(reply_to)──► the client's own queue `tandem.replies.<user>.<id>`
    gateway, or the broker ──► exchange `tandem.dead` ──(service)──► queue `tandem.<service>.dead`

A gateway publishes to no other exchange: a sender's `reply_to` can reach a queue only if that queue's owner
has bound it to the exchange of replies. Gateways declare all of it. Clients look whether it is there, and
declare it only where nobody has and they may.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aio_pika
import aiormq.exceptions

from tandem_triton.core.errors import NotServedError

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_QUORUM: dict[str, Any] = {"x-queue-type": "quorum"}
DAY_S = 86_400.0
_LOOKS, _LOOK_PAUSE_S = 10, 0.3


@dataclass(frozen=True, kw_only=True)
class QueueNames:
    """The names of everything shared, and the queues' limits; all gateways of a broker must agree.

    Attributes:
        prefix: every name begins with it.
        longest: items of a service that may wait, roughly; then more are refused at once.
        dead_expiry_s: how long a dead letter is kept, it holds an item; > 0.
    """

    prefix: str = "tandem"
    longest: int = 10_000
    dead_expiry_s: float = 3 * DAY_S

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError("prefix must be letters, digits, _ and -, with single dots in between")
        if self.longest < 1:
            raise ValueError("longest must be at least 1")
        if self.dead_expiry_s <= 0:
            raise ValueError("dead_expiry_s must be positive")

    @property
    def items_exchange(self) -> str:
        """Where clients publish items; the routing key is the service's name."""
        return f"{self.prefix}.items"

    @property
    def replies_exchange(self) -> str:
        """Where gateways publish replies; the routing key is the item's `reply_to`."""
        return f"{self.prefix}.replies"

    @property
    def dead_exchange(self) -> str:
        """Where items go that nobody could answer; the routing key is the service's name."""
        return f"{self.prefix}.dead"

    def items(self, service: str) -> str:
        """The queue where a service's items wait."""
        return f"{self.prefix}.{service}"

    def dead(self, service: str) -> str:
        """The queue where a service's items end that nobody could answer, with their reason."""
        return f"{self.prefix}.{service}.dead"

    def replies(self, user: str, client_id: str) -> str:
        """A client's own queue of replies."""
        return f"{self.replies_exchange}.{user}.{client_id}"

    def is_replies(self, queue: str) -> bool:
        """Whether a queue is a client's own, by its name."""
        return queue.startswith(f"{self.replies_exchange}.")


async def declare(channel: Any, names: QueueNames, service: str) -> Any:
    """The queue of a service's items; it and everything beside it is declared.

    Args:
        channel: of the broker.
        names: of everything.
        service: name.

    Raises:
        NotServedError: something of that name exists with other settings, or this user may not declare it.
    """
    try:
        dead_exchange = await channel.declare_exchange(names.dead_exchange, "direct", durable=True)
        dead = await channel.declare_queue(
            names.dead(service),
            durable=True,
            arguments={**_QUORUM, "x-message-ttl": round(names.dead_expiry_s * 1000)},
        )
        await dead.bind(dead_exchange, service)
        await channel.declare_exchange(names.replies_exchange, "direct", durable=True)
        items_exchange = await channel.declare_exchange(names.items_exchange, "direct", durable=True)
        items = await channel.declare_queue(
            names.items(service),
            durable=True,
            arguments={
                **_QUORUM,
                "x-max-length": names.longest,
                "x-overflow": "reject-publish",
                "x-dead-letter-exchange": names.dead_exchange,
                "x-dead-letter-routing-key": service,
            },
        )
        await items.bind(items_exchange, service)
    except aiormq.exceptions.ChannelPreconditionFailed:
        raise NotServedError(f"a queue of {service} exists with other settings") from None
    except aiormq.exceptions.ChannelAccessRefused:
        raise NotServedError(
            f"this user may not declare the queues of {service}: start a gateway, whose user may"
        ) from None
    return items


async def declare_exchanges(connection: Any, names: QueueNames) -> None:
    """Return if the exchanges that a client needs are there, or could be declared.

    Raises:
        NotServedError: nobody has declared them, and this user may not.
    """
    exchanges = (names.items_exchange, names.replies_exchange)
    try:
        await _on_own_channel(connection, _find_exchanges, exchanges)
    except aiormq.exceptions.ChannelAccessRefused:
        return  # binding and publishing will tell
    except aiormq.exceptions.ChannelNotFoundEntity:
        try:
            await _on_own_channel(connection, _make_exchanges, exchanges)
        except aiormq.exceptions.ChannelAccessRefused:
            raise NotServedError(
                "no gateway has been here yet, and this user may not declare exchanges"
            ) from None


async def look(connection: Any, names: QueueNames, service: str) -> None:
    """Return if a service's queue is there, could be declared, or this user may not even look.

    Raises:
        NotServedError: nobody has declared it, and this user may not.
    """
    for _ in range(_LOOKS):
        try:
            await _on_own_channel(connection, _find_queue, names.items(service))
        except aiormq.exceptions.ChannelNotFoundEntity:
            # A gateway that starts at the same time is about to declare it. Two that declare a new quorum
            # queue at once are one of RabbitMQ 3.10's defects: its consumer may get nothing, ever.
            await asyncio.sleep(_LOOK_PAUSE_S)
        except aiormq.exceptions.ChannelAccessRefused:
            return  # publishing will tell
        else:
            return
    await _on_own_channel(connection, declare, names, service)


async def _find_exchanges(channel: Any, exchanges: Sequence[str]) -> None:
    for exchange in exchanges:
        await channel.declare_exchange(exchange, passive=True)


async def _make_exchanges(channel: Any, exchanges: Sequence[str]) -> None:
    for exchange in exchanges:
        await channel.declare_exchange(exchange, "direct", durable=True)


async def _find_queue(channel: Any, queue: str) -> None:
    await channel.declare_queue(queue, passive=True)


async def _on_own_channel(connection: Any, do: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
    """Do it on a channel that is closed afterwards: the broker closes one on which something was refused.

    The connection's own kind of channel would be restored, with all that was declared on it, for ever.
    """
    channel = aio_pika.Channel(connection)
    await channel.initialize()
    try:
        await do(channel, *arguments)
    finally:
        if not channel.is_closed:
            await channel.close()
