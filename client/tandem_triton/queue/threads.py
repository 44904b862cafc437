"""The queue's client for threads: one event loop in one thread of its own hands out all answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from tandem_triton.core.calls import ThreadCalls
from tandem_triton.core.ending import cancel_until_done
from tandem_triton.core.errors import ClosedError
from tandem_triton.core.in_flight import CallFuture
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.core.service import Answer, Request
from tandem_triton.queue.aio import AsyncQueueClient
from tandem_triton.queue.message import QueueOptions

A = TypeVar("A")
T = TypeVar("T")


class QueueClient(ThreadCalls):
    """`Client` through a message queue; make one for the whole process and use it from any thread.

    Cancelling a future only drops its answer.

    Args:
        url: `amqp://user:password@host/`, or `amqps://…`.
        options: everything else.

    Raises:
        TypeError: the URL is not text.
        ValueError: it is none of a broker.
        TandemError: see `AsyncQueueClient.open`.
    """

    def __init__(self, url: str, options: QueueOptions | None = None) -> None:
        options = options or QueueOptions()
        self._max_in_flight = options.max_in_flight
        self._client = AsyncQueueClient(url, options)
        self._closing = threading.Lock()
        self._closed = False
        self._calls: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="tandem-queue", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._client.open(), self._loop).result()
        except BaseException:
            self.close()
            raise

    @property
    def metrics(self) -> ClientMetrics:
        """What became of this client's items."""
        return self._client.metrics

    @property
    def repeated(self) -> int:
        """Answers that came for no waiting item: second ones, or too late."""
        return self._client.repeated

    def close(self) -> None:
        """Fail what waits with `ClosedError`, and disconnect."""
        with self._closing:
            first, self._closed = not self._closed, True
            if first:
                # Under the lock: every call that was let in is in the loop before this.
                self._loop.call_soon_threadsafe(self._begin_to_end)
        if threading.current_thread() is not self._thread:  # a future's callback may close
            self._thread.join()

    def __enter__(self) -> QueueClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: Request[A], shape: Callable[[Answer[A]], T]) -> T:
        future = self._send(request, shape)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # of use only if the waiting was interrupted
            raise

    def _send(self, request: Request[A], shape: Callable[[Answer[A]], T]) -> CallFuture[T]:
        future: CallFuture[T] = CallFuture()
        with self._closing:
            if self._closed:
                raise ClosedError("the client is closed")
            self._loop.call_soon_threadsafe(self._begin, future, request, shape)
        return future

    def _begin(self, future: CallFuture[T], request: Request[A], shape: Callable[[Answer[A]], T]) -> None:
        """In the loop: ask, and settle the future whatever happens."""
        call = self._loop.create_task(self._settle(future, request, shape))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

        def give_up(done: object) -> None:
            if future.cancelled() and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(call.cancel)

        future.add_done_callback(give_up)

    async def _settle(
        self, future: CallFuture[T], request: Request[A], shape: Callable[[Answer[A]], T]
    ) -> None:
        settle: Callable[[], Any]
        try:
            answer = shape(await self._client.ask(request))
        except asyncio.CancelledError:
            error = ClosedError("the client was closed before the answer came")
            settle = lambda: future.set_exception(error)  # noqa: E731
        except Exception as raised:
            failure = raised
            settle = lambda: future.set_exception(failure)  # noqa: E731
        else:
            settle = lambda: future.set_result(answer)  # noqa: E731
        if future.set_running_or_notify_cancel():
            settle()

    def _live(self) -> None:
        """The thread's whole life."""
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _begin_to_end(self) -> None:
        self._ending = self._loop.create_task(self._end())

    async def _end(self) -> None:
        await cancel_until_done(self._calls)
        try:
            await self._client.close()
        finally:
            self._loop.stop()
