"""The client for asyncio."""

from __future__ import annotations

import asyncio
import itertools
import time
from types import TracebackType
from typing import Any, TypeVar

from tandem_triton.core.calls import AsyncCalls
from tandem_triton.core.errors import CancelledError, OverloadedError, TandemError
from tandem_triton.core.exchange import Exchange
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.core.options import ClientOptions, Protocol
from tandem_triton.core.service import Answer, Request, Service
from tandem_triton.transport import open_transport

A = TypeVar("A")


class AsyncClient(AsyncCalls):
    """`Client` for asyncio: the same surface, for any number of coroutines of one event loop.

    Args:
        url: `host:port`; None is this machine at the protocol's usual port.
        protocol: "grpc" or "http".
        options: everything else.

    Attributes:
        metrics: what became of this client's items.

    Raises:
        TypeError: the URL is not text.
        ValueError: no such protocol, or the URL is not `host:port`.
        OSError: a certificate's file can't be read.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        protocol: Protocol = "grpc",
        options: ClientOptions | None = None,
    ) -> None:
        self._options = options or ClientOptions()
        self._max_in_flight = self._options.max_in_flight
        self.metrics = ClientMetrics()
        transport = open_transport(url, protocol, self._options)
        self._exchange = Exchange(transport, self._options.retry, retried=self.metrics.retried)
        self._places = asyncio.Semaphore(self._options.max_in_flight)
        self._numbers = itertools.count(1)

    async def close(self) -> None:
        """Fail what is in flight with `ClosedError`, and close the connection."""
        await self._exchange.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def ask(self, request: Request[A]) -> Answer[A]:
        """The answer to a request."""
        name, began_s = request.service.name, time.monotonic()
        outcome = CancelledError.outcome  # what stands if the task is cancelled
        self.metrics.started(name)
        try:
            answer = await self._answer(request, began_s + self._options.timeout_s)
            outcome = answer.outcome
        except TandemError as error:
            outcome = error.outcome
            raise
        else:
            return answer
        finally:
            self.metrics.finished(name, outcome, time.monotonic() - began_s)

    async def _ask(self, service: Service[A], item: Any, options: dict[str, Any]) -> Answer[A]:
        if isinstance(item, bytes):
            return await self.ask(service.request(item, options))
        # Reading a file and encoding an array take long enough to hold up the loop.
        return await self.ask(await asyncio.to_thread(service.request, item, options))

    async def _answer(self, request: Request[A], deadline_s: float) -> Answer[A]:
        await self._take_place()
        try:
            outcome = await self._exchange.outcome(f"a-{next(self._numbers)}", request, deadline_s)
        finally:
            self._places.release()
        if isinstance(outcome, TandemError):
            raise outcome
        return Answer(request.service, outcome)

    async def _take_place(self) -> None:
        """Take a place among those in flight.

        Raises:
            OverloadedError: none became free in time.
        """
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            await asyncio.wait_for(self._places.acquire(), self._options.admission_s)
        except asyncio.TimeoutError:
            raise OverloadedError(
                f"{self._max_in_flight} items in flight, none finished within {self._options.admission_s:g} s"
            ) from None
