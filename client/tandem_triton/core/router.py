"""`ResponseRouter`: any number of threads ask over one connection, each gets its own answers.

calling threads ───(id, item)────► one dispatcher thread, which holds ──one connection──► server
      ▲                                     the table of ids               │
      └──────────── future ◄────────────────────┴───────── outcome ◄───────┘
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from tandem_triton.core.dispatcher import Dispatcher, Pending, Slot, Ticket, Waiter
from tandem_triton.core.errors import ClosedError, OutcomeKind, OverloadedError
from tandem_triton.core.exchange import Exchange, Transport
from tandem_triton.core.in_flight import CallFuture
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.core.options import ClientOptions
from tandem_triton.core.service import Answer, Request

A = TypeVar("A")
T = TypeVar("T")


class _Caller(threading.local):
    """The calling thread's id: each thread gets the next, and unlike the system's none is used again."""

    def __init__(self, ids: Iterator[int]) -> None:
        self.thread_id = next(ids)


class ResponseRouter:
    """Sends items for any thread and routes each outcome back to the thread that asked.

    Args:
        transport: the connection; closed with the router.
        options: deadlines, back-pressure, retries.
        metrics: counts what becomes of items.
    """

    def __init__(self, transport: Transport, options: ClientOptions, metrics: ClientMetrics) -> None:
        self._options = options
        self._metrics = metrics
        self._places = threading.Semaphore(options.max_in_flight)
        self._closing = threading.Lock()
        self._closed = False
        self._numbers = itertools.count(1)
        self._caller = _Caller(itertools.count(1))
        exchange = Exchange(transport, options.retry, retried=metrics.retried)
        self._dispatcher = Dispatcher(exchange, finished=self._on_finished)
        self._dispatcher.thread.start()

    def ask(self, request: Request[A], shape: Callable[[Answer[A]], T]) -> T:
        """Send an item and wait for `shape(answer)`.

        Args:
            request: the encoded item, and its service.
            shape: makes what the caller wants of the answer, quickly: it runs in the dispatcher thread.

        Raises:
            TandemError: see `tandem_triton.core.errors`.
        """
        waiter: Waiter[T] = Waiter()
        ticket = self._ask(request, shape, waiter)
        try:
            return waiter.wait()
        except KeyboardInterrupt:
            self._dispatcher.forget(ticket)
            raise

    def send(self, request: Request[A], shape: Callable[[Answer[A]], T]) -> CallFuture[T]:
        """Send an item; its future gets `shape(answer)`, or a `TandemError`.

        Waits for a place if as many as allowed are in flight. Cancelling the future gives the item up.

        Args:
            request: the encoded item, and its service.
            shape: as in `ask`.

        Raises:
            OverloadedError: no place became free in time.
            ClosedError: the router is closed.
        """
        future: CallFuture[T] = CallFuture()
        ticket = self._ask(request, shape, future)
        forget = self._dispatcher.forget
        future.add_done_callback(lambda done: forget(ticket) if done.cancelled() else None)
        return future

    def close(self) -> None:
        """Fail what is in flight with `ClosedError`, stop the dispatcher, close the connection."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._dispatcher.stop()
        if threading.current_thread() is not self._dispatcher.thread:  # a future's callback may close
            self._dispatcher.thread.join()

    def _ask(self, request: Request[A], shape: Callable[[Answer[A]], T], slot: Slot) -> Ticket:
        """Give the item a place, and to the dispatcher."""
        began_s = time.monotonic()
        self._metrics.started(request.service.name)
        if not self._places.acquire(timeout=self._options.admission_s):
            self._metrics.finished(request.service.name, OverloadedError.outcome, time.monotonic() - began_s)
            raise OverloadedError(
                f"{self._options.max_in_flight} items in flight, none finished within "
                f"{self._options.admission_s:g} s"
            )
        pending = Pending(
            ticket=Ticket(self._caller.thread_id, next(self._numbers)),
            request=request,
            shape=shape,
            slot=slot,
            began_s=began_s,
            deadline_s=began_s + self._options.timeout_s,
        )
        # Under the lock nothing can be asked after the stop, where nobody would ever answer it.
        with self._closing:
            if not self._closed:
                self._dispatcher.ask(pending)
                return pending.ticket
        self._on_finished(pending, ClosedError.outcome)
        raise ClosedError("the client is closed")

    def _on_finished(self, pending: Pending, outcome: OutcomeKind) -> None:
        """Called before the caller has the outcome: so it finds its place free."""
        self._metrics.finished(pending.request.service.name, outcome, time.monotonic() - pending.began_s)
        self._places.release()
