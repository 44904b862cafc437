"""A connection whose outcomes the test decides, and a router over it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

from tandem_triton import ClientMetrics, ClientOptions, RetryPolicy
from tandem_triton.core.exchange import RawOutcome
from tandem_triton.core.router import ResponseRouter
from tandem_triton.core.service import Request
from tandem_triton.services.id_card import SERVICE

PATIENCE_S = 60  # for what must happen; never waited out unless a test fails
ATTEMPTS = 3
QUICK = RetryPolicy(attempts=ATTEMPTS, first_pause_s=0.001, longest_pause_s=0.002)


class Held:
    """One request that the connection holds until the test tells its outcome."""

    def __init__(self, request_id: str, request: Request[Any], timeout_s: float) -> None:
        self.request_id = request_id
        self.picture = request.content
        self.timeout_s = timeout_s
        self.cancelled = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[RawOutcome] = self._loop.create_future()

    def done(self, outcome: RawOutcome) -> None:
        """Tell it; the first word counts."""

        def tell() -> None:
            if not self._outcome.done():
                self._outcome.set_result(outcome)

        self._loop.call_soon_threadsafe(tell)

    async def wait(self) -> RawOutcome:
        try:
            return await self._outcome
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


class HeldTransport:
    """A connection that only keeps what is sent."""

    def __init__(self) -> None:
        self._sent: list[Held] = []
        self._arrived = threading.Condition()
        self.closed = False

    async def send(self, request_id: str, request: Request[Any], timeout_s: float) -> RawOutcome:
        held = Held(request_id, request, timeout_s)
        with self._arrived:
            self._sent.append(held)
            self._arrived.notify_all()
        return await held.wait()

    async def close(self) -> None:
        self.closed = True

    def sent(self, count: int) -> list[Held]:
        """The first `count` requests, once so many were sent."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self._sent) >= count, PATIENCE_S)
            return self._sent[:count]

    def last(self, count: int) -> Held:
        """Request number `count`."""
        return self.sent(count)[-1]


class Bench:
    def __init__(self, transport: HeldTransport | None = None, **options: object) -> None:
        self.transport = transport or HeldTransport()
        self.metrics = ClientMetrics()
        chosen = ClientOptions(**{"retry": QUICK, **options})  # type: ignore[arg-type]
        self.router = ResponseRouter(self.transport, chosen, self.metrics)

    def send(self, picture: bytes = b"p") -> Future[bytes]:
        return self.router.send(SERVICE.request(picture), lambda answer: answer.text)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.router.close()
