"""The queue's client for threads: one event loop in one thread of its own hands out all answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar

from tandem_triton.core.errors import ClosedError
from tandem_triton.core.many import Reading, read_as_completed, read_in_order
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.media.picture import Picture
from tandem_triton.queue.aio import AsyncQueueClient
from tandem_triton.queue.message import QueueOptions
from tandem_triton.services.id_card import Answer, Card

T = TypeVar("T")


class QueueClient:
    """`Client` through a message queue; make one for the whole process and use it from any thread.

    Args:
        url: `amqp://user:password@host/`.
        options: everything else.

    Raises:
        AccessError: the broker doesn't accept the user.
        UnavailableError: no broker.
    """

    def __init__(self, url: str, options: QueueOptions | None = None) -> None:
        self._options = options or QueueOptions()
        self._client = AsyncQueueClient(url, self._options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tandem-queue", daemon=True)
        self._thread.start()
        try:
            self._do(self._client.open()).result()
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

    def recognize(self, picture: Picture) -> list[Card]:
        """The cards in a picture; see `Client.recognize`."""
        return self._wait(self._client.recognize(picture))

    def recognize_json(self, picture: Picture) -> dict[str, Any]:
        """The contract's JSON for a picture; see `Client.recognize_json`."""
        return self._wait(self._client.recognize_json(picture))

    def submit(self, picture: Picture) -> Future[list[Card]]:
        """A future of the cards in a picture; see `Client.submit`. Cancelling it only drops the answer."""
        return self._do(self._client.recognize(picture))

    def recognize_many(
        self, pictures: Iterable[Picture], *, ordered: bool = True, max_in_flight: int | None = None
    ) -> Iterator[Reading]:
        """One reading a picture; see `Client.recognize_many`."""
        window = self._options.max_in_flight if max_in_flight is None else max_in_flight
        if window < 1:
            raise ValueError("max_in_flight must be at least 1")
        read = read_in_order if ordered else read_as_completed
        return read(self._submit_answer, pictures, window)

    def close(self) -> None:
        """Fail what waits with `ClosedError`, and disconnect."""
        if self._loop.is_closed():
            return
        self._do(self._client.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> QueueClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _submit_answer(self, picture: Picture) -> Future[Answer]:
        return self._do(self._client.ask(picture))

    def _wait(self, asked: Coroutine[Any, Any, T]) -> T:
        future = self._do(asked)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # of use only if the waiting was interrupted
            raise

    def _do(self, asked: Coroutine[Any, Any, T]) -> Future[T]:
        if self._loop.is_closed():
            asked.close()
            raise ClosedError("the client is closed")
        return asyncio.run_coroutine_threadsafe(asked, self._loop)
