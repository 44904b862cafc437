"""The client for asyncio."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from types import TracebackType
from typing import Any

from tandem_triton.core import options as opt
from tandem_triton.core.aio_places import AsyncPlaces
from tandem_triton.core.connect import open_transport
from tandem_triton.core.errors import CancelledError, TandemError
from tandem_triton.core.exchange import Exchange
from tandem_triton.core.many import Reading
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.media.picture import Picture, encode_picture
from tandem_triton.services.id_card import Answer, Card


class AsyncClient:
    """`Client` for asyncio: the same surface, for any number of coroutines of one event loop.

    Args:
        url: `host:port`; None is this machine at the protocol's usual port.
        protocol: "grpc" or "http".
        options: everything else.

    Attributes:
        metrics: what became of this client's items.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        protocol: opt.Protocol = "grpc",
        options: opt.ClientOptions | None = None,
    ) -> None:
        self._options = options or opt.ClientOptions()
        self.metrics = ClientMetrics()
        transport = open_transport(url, protocol, self._options)
        self._exchange = Exchange(transport, self._options.retry, retried=self.metrics.retried)
        self._places = AsyncPlaces(self._options)
        self._numbers = itertools.count(1)

    async def recognize(self, picture: Picture) -> list[Card]:
        """The cards in a picture; see `Client.recognize`."""
        return (await self.ask(picture)).cards

    async def recognize_json(self, picture: Picture) -> dict[str, Any]:
        """The contract's JSON for a picture; see `Client.recognize_json`."""
        return (await self.ask(picture)).json

    def submit(self, picture: Picture) -> asyncio.Task[list[Card]]:
        """A task of the cards in a picture; cancelling it gives the picture up."""
        return asyncio.get_running_loop().create_task(self.recognize(picture))

    async def recognize_many(
        self,
        pictures: Iterable[Picture] | AsyncIterable[Picture],
        *,
        ordered: bool = True,
        max_in_flight: int | None = None,
    ) -> AsyncIterator[Reading]:
        """One reading a picture; see `Client.recognize_many`."""
        window = self._options.max_in_flight if max_in_flight is None else max_in_flight
        if window < 1:
            raise ValueError("max_in_flight must be at least 1")
        waiting: deque[asyncio.Task[Reading]] = deque()
        index = 0
        try:
            async for picture in _each(pictures):
                if len(waiting) == window:
                    yield await _next(waiting, ordered=ordered)
                waiting.append(asyncio.create_task(self._read(index, picture)))
                index += 1
            while waiting:
                yield await _next(waiting, ordered=ordered)
        finally:
            for task in waiting:
                task.cancel()

    async def close(self) -> None:
        """Fail what is in flight with `ClosedError`, and close the connection."""
        await self._exchange.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def ask(self, picture: Picture) -> Answer:
        """The answer to a picture: its text as sent, its JSON, its cards.

        Raises:
            TandemError: see `tandem_triton.core.errors`.
        """
        if isinstance(picture, bytes):
            return await self._ask(picture)
        # Reading a file and encoding an array take long enough to hold up the loop.
        return await self._ask(await asyncio.to_thread(encode_picture, picture))

    async def _ask(self, picture: bytes) -> Answer:
        began_s = time.monotonic()
        outcome = CancelledError.outcome  # what stands if the task is cancelled
        self.metrics.started()
        try:
            answer = await self._answer(picture, began_s + self._options.timeout_s)
            outcome = answer.outcome
        except TandemError as error:
            outcome = error.outcome
            raise
        else:
            return answer
        finally:
            self.metrics.finished(outcome, time.monotonic() - began_s)

    async def _answer(self, picture: bytes, deadline_s: float) -> Answer:
        await self._places.take()
        try:
            outcome = await self._exchange.outcome(f"a-{next(self._numbers)}", picture, deadline_s)
        finally:
            self._places.release()
        if isinstance(outcome, TandemError):
            raise outcome
        return Answer(outcome)

    async def _read(self, index: int, picture: Picture) -> Reading:
        try:
            return Reading(index=index, picture=picture, answer=await self.ask(picture))
        except TandemError as error:
            return Reading(index=index, picture=picture, error=error)


async def _each(pictures: Iterable[Picture] | AsyncIterable[Picture]) -> AsyncIterator[Picture]:
    if isinstance(pictures, AsyncIterable):
        async for picture in pictures:
            yield picture
    else:
        for picture in pictures:
            yield picture


async def _next(waiting: deque[asyncio.Task[Reading]], *, ordered: bool) -> Reading:
    if ordered:
        return await waiting.popleft()
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    task = next(iter(done))
    waiting.remove(task)
    return task.result()
