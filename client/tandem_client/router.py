"""`ResponseRouter`: any number of threads ask over one connection, each gets its own answers.

calling threads ──picture──► one connection ──► server
      ▲                           │ callbacks put (id, outcome) on a queue
      └── future ◄── one dispatcher thread, which holds the table of ids
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from tandem_client.cards import Answer
from tandem_client.dispatcher import Answered, Asked, Dispatcher, Pending, Stop, Ticket, Unwanted
from tandem_client.errors import ClosedError, OutcomeKind, OverloadedError
from tandem_client.metrics import ClientMetrics
from tandem_client.options import ClientOptions
from tandem_client.transport import Transport

T = TypeVar("T")


class _Caller(threading.local):
    """The calling thread's id: each thread gets the next, and unlike the system's none is used again."""

    def __init__(self, ids: Iterator[int]) -> None:
        self.thread_id = next(ids)


class ResponseRouter:
    """Sends pictures for any thread and routes each outcome back to the thread that asked.

    Args:
        transport: the connection; closed with the router.
        options: deadlines, back-pressure, retries.
        metrics: counts what becomes of items.
    """

    def __init__(self, transport: Transport, options: ClientOptions, metrics: ClientMetrics) -> None:
        self._transport = transport
        self._options = options
        self._metrics = metrics
        self._places = threading.Semaphore(options.max_in_flight)
        self._closing = threading.Lock()
        self._closed = False
        self._numbers = itertools.count(1)
        self._caller = _Caller(itertools.count(1))
        self._dispatcher = Dispatcher(
            transport, options.retry, finished=self._on_finished, retried=metrics.retried
        )
        self._dispatcher.thread.start()

    def send(self, picture: bytes, shape: Callable[[Answer], T]) -> Future[T]:
        """Send a picture; its future gets `shape(answer)`, or a `TandemError`.

        Waits for a place if as many as allowed are in flight. Cancelling the future gives the item up.

        Args:
            picture: encoded.
            shape: makes what the caller wants of the answer, quickly: it runs in the dispatcher thread.

        Raises:
            OverloadedError: no place became free in time.
            ClosedError: the router is closed.
        """
        began_s = time.monotonic()
        self._metrics.started()
        try:
            self._take_place()
        except OverloadedError as error:
            self._metrics.finished(error.outcome, time.monotonic() - began_s)
            raise
        pending = Pending(
            ticket=Ticket(self._caller.thread_id, next(self._numbers)),
            picture=picture,
            shape=shape,
            future=Future(),
            began_s=began_s,
            deadline_s=began_s + self._options.timeout_s,
        )
        self._announce(pending)
        self._start(pending)
        return pending.future

    def close(self) -> None:
        """Fail what is in flight with `ClosedError`, stop the dispatcher, close the connection."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._dispatcher.events.put(Stop())
        if threading.current_thread() is not self._dispatcher.thread:  # a future's callback may close
            self._dispatcher.thread.join()
        self._transport.close()

    def _take_place(self) -> None:
        if not self._places.acquire(timeout=self._options.admission_s):
            raise OverloadedError(
                f"{self._options.max_in_flight} items in flight, none finished within "
                f"{self._options.admission_s:g} s"
            )

    def _announce(self, pending: Pending) -> None:
        """Put the item on the dispatcher's table, before it is sent: so its outcome can't come first."""
        # Under the lock nothing can be asked after Stop, where nobody would ever answer it.
        with self._closing:
            if not self._closed:
                self._dispatcher.events.put(Asked(pending))
                return
        self._on_finished(pending, ClosedError.outcome)
        raise ClosedError("the client is closed")

    def _start(self, pending: Pending) -> None:
        ticket, put = pending.ticket, self._dispatcher.events.put
        pending.future.add_done_callback(lambda future: put(Unwanted(ticket)) if future.cancelled() else None)
        pending.first_call = self._transport.start(
            str(ticket),
            pending.picture,
            pending.deadline_s - time.monotonic(),
            lambda outcome: put(Answered(ticket, 1, outcome)),
        )

    def _on_finished(self, pending: Pending, outcome: OutcomeKind) -> None:
        """Called before the caller has the outcome: so it finds its place free."""
        self._metrics.finished(outcome, time.monotonic() - pending.began_s)
        self._places.release()
