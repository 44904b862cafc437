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
from tandem_client.dispatcher import Answered, Dispatcher, Pending, Stop, Ticket, Unwanted
from tandem_client.errors import ClosedError, OutcomeKind, OverloadedError
from tandem_client.metrics import ClientMetrics
from tandem_client.options import ClientOptions
from tandem_client.transport import Transport
from tandem_client.waiter import Slot, Waiter

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

    def ask(self, picture: bytes, shape: Callable[[Answer], T]) -> T:
        """Send a picture and wait for `shape(answer)`.

        Args:
            picture: encoded.
            shape: makes what the caller wants of the answer, quickly: it runs in the dispatcher thread.

        Raises:
            TandemError: see `tandem_client.errors`.
        """
        waiter: Waiter[T] = Waiter()
        pending = self._admit(picture, shape, waiter)
        self._start(pending)
        try:
            return waiter.wait()
        except KeyboardInterrupt:
            self._dispatcher.events.put(Unwanted(pending.ticket))
            raise

    def send(self, picture: bytes, shape: Callable[[Answer], T]) -> Future[T]:
        """Send a picture; its future gets `shape(answer)`, or a `TandemError`.

        Waits for a place if as many as allowed are in flight. Cancelling the future gives the item up.

        Args:
            picture: encoded.
            shape: as in `ask`.

        Raises:
            OverloadedError: no place became free in time.
            ClosedError: the router is closed.
        """
        future: Future[T] = Future()
        pending = self._admit(picture, shape, future)
        unwanted, put = Unwanted(pending.ticket), self._dispatcher.events.put
        future.add_done_callback(lambda done: put(unwanted) if done.cancelled() else None)
        self._start(pending)
        return future

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

    def _admit(self, picture: bytes, shape: Callable[[Answer], T], slot: Slot) -> Pending:
        """The item, with a place of its own and known to the dispatcher."""
        began_s = time.monotonic()
        self._metrics.started()
        if not self._places.acquire(timeout=self._options.admission_s):
            self._metrics.finished(OverloadedError.outcome, time.monotonic() - began_s)
            raise OverloadedError(
                f"{self._options.max_in_flight} items in flight, none finished within "
                f"{self._options.admission_s:g} s"
            )
        pending = Pending(
            ticket=Ticket(self._caller.thread_id, next(self._numbers)),
            picture=picture,
            shape=shape,
            slot=slot,
            began_s=began_s,
            deadline_s=began_s + self._options.timeout_s,
        )
        # Under the lock nothing can be asked after Stop, where nobody would ever answer it.
        with self._closing:
            if not self._closed:
                self._dispatcher.ask(pending)
                return pending
        self._on_finished(pending, ClosedError.outcome)
        raise ClosedError("the client is closed")

    def _start(self, pending: Pending) -> None:
        ticket, put = pending.ticket, self._dispatcher.events.put
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
