"""Asks the Triton about an item until its message can be settled, however ill the Triton is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from tandem_triton import (
    Answer,
    AsyncClient,
    BadItemError,
    OverloadedError,
    Request,
    TandemError,
    UnavailableError,
)

from tandem.gateway.health import ServiceHealth
from tandem.gateway.monitor import GatewayMetrics

_PAUSE_S = 0.2  # before an item is sent again that the Triton had no place for
_SUSPECT_AFTER = 2  # times the server went away while it had the item; then the item is asked about alone


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The item failed where others pass.

    Attributes:
        error: with what.
    """

    error: TandemError


class Stopped(Exception):  # noqa: N818 - it is no error
    """The gateway stops: the message goes back."""


class Asking:
    """Asks for all messages in hand; used by one event loop.

    Args:
        client: asks the Triton, once a call.
        places: messages in hand at most.
        stopping: set when nothing may begin any more.
        metrics: of the gateway.
    """

    def __init__(
        self, client: AsyncClient, *, places: int, stopping: asyncio.Event, metrics: GatewayMetrics
    ) -> None:
        self._client = client
        self._places = asyncio.Semaphore(places)
        self._count = places
        self._one_alone = asyncio.Lock()
        self._stopping = stopping
        self._metrics = metrics

    async def outcome(
        self, request: Request[Any], health: ServiceHealth
    ) -> Answer[Any] | BadItemError | Failed:
        """What became of the item; waits while the service does not work.

        Raises:
            Stopped: the gateway stops, and the item has no outcome.
        """
        left_with_it = 0
        while True:
            await self._until_well(health)
            try:
                async with self._place(alone=left_with_it >= _SUSPECT_AFTER):
                    return await self._client.ask(request)
            except BadItemError as error:
                return error
            except OverloadedError:
                self._metrics.retried(request.service.name)
                await asyncio.sleep(_PAUSE_S)
            except TandemError as error:
                if self._stopping.is_set():
                    raise Stopped from None
                well = await health.passes()
                if isinstance(error, UnavailableError):
                    left_with_it += 1
                    self._metrics.retried(request.service.name)
                if well and not isinstance(error, UnavailableError):
                    return Failed(error=error)
                if left_with_it > _SUSPECT_AFTER:  # it was alone with the server when that went away
                    await self._until_well(health)
                    return Failed(error=error)

    async def _until_well(self, health: ServiceHealth) -> None:
        well = asyncio.ensure_future(health.wait_well())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((well, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not well.done():
                raise Stopped
        finally:
            well.cancel()
            stopping.cancel()

    @contextlib.asynccontextmanager
    async def _place(self, *, alone: bool) -> AsyncIterator[None]:
        """A place among those in flight; or all: an item that may end the server harms no other."""
        if not alone:
            async with self._places:
                yield
            return
        taken = 0
        try:
            async with self._one_alone:
                for _ in range(self._count):
                    await self._places.acquire()
                    taken += 1
            yield
        finally:
            for _ in range(taken):
                self._places.release()
