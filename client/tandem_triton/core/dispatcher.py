"""The one thread that holds the table of all calling threads and hands each outcome to the one that asked.

It is an event loop, in which all requests are on their way at the same time over the one connection. Everyone
else only leaves word: a calling thread that it asks something, a caller that it no longer wants an answer. So
the table needs no lock, and an answer can't go to another thread.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from tandem_triton.core.ending import cancel_until_done
from tandem_triton.core.errors import CancelledError, ClosedError, OutcomeKind, ProtocolError, TandemError
from tandem_triton.core.exchange import Exchange, RawOutcome
from tandem_triton.core.service import Answer, Request

T = TypeVar("T")

_LOG = logging.getLogger(__name__)


class Slot(Protocol):
    """Where an outcome is put; `concurrent.futures.Future` is one."""

    def set_running_or_notify_cancel(self) -> bool:
        """Whether an outcome is still wanted; from then on it can't be cancelled."""

    def set_result(self, result: Any, /) -> None:
        """Put the value."""

    def set_exception(self, exception: BaseException | None, /) -> None:
        """Put the error."""


class Waiter(Generic[T]):
    """A future for exactly one thread that waits exactly once, without `Future`'s condition and callbacks."""

    __slots__ = ("_error", "_lock", "_value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._value: T
        self._error: BaseException | None = None

    def set_running_or_notify_cancel(self) -> bool:
        """See `Slot`: somebody waits."""
        return True

    def set_result(self, result: T, /) -> None:
        """See `Slot`."""
        self._value = result
        self._lock.release()

    def set_exception(self, exception: BaseException | None, /) -> None:
        """See `Slot`."""
        self._error = exception
        self._lock.release()

    def wait(self) -> T:
        """The value, once it is there.

        Raises:
            BaseException: the error that was put instead.
        """
        self._lock.acquire()
        if self._error is not None:
            raise self._error
        return self._value


class Ticket(NamedTuple):
    """Whose item it is, and which; neither number is ever used again."""

    thread: int
    number: int

    def __str__(self) -> str:
        return f"{self.thread}-{self.number}"


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Pending:
    """An item on its way.

    Attributes:
        ticket: who asked.
        request: the encoded item, and its service.
        shape: makes what the caller wants of the answer.
        slot: what the caller waits on.
        began_s: when it was asked for, by `time.monotonic`.
        deadline_s: by `time.monotonic`.
        task: the dispatcher's, while the item is on its table.
    """

    ticket: Ticket
    request: Request[Any]
    shape: Callable[[Answer[Any]], Any]
    slot: Slot
    began_s: float
    deadline_s: float
    task: asyncio.Task[None] | None = None


class Dispatcher:
    """Sends items and hands out their outcomes.

    Args:
        exchange: sends an item until its outcome is final; closed with this.
        finished: told each item's kind of outcome, before its caller gets it.
    """

    def __init__(self, exchange: Exchange, *, finished: Callable[[Pending, OutcomeKind], None]) -> None:
        self._exchange = exchange
        self._finished = finished
        self._table: dict[int, dict[int, Pending]] = {}
        self._asked: collections.deque[Pending] = collections.deque()
        self._called = False
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self.thread = threading.Thread(target=self._live, name="tandem-dispatcher", daemon=True)

    def ask(self, pending: Pending) -> None:
        """A thread asks; raises `RuntimeError` after the end.

        Waking the loop costs a system call, so threads that ask before it has come round wake it once.
        """
        self._asked.append(pending)
        # Read after the append, as the loop takes the items after it resets this: one sees the other.
        if not self._called:
            self._called = True
            self._loop.call_soon_threadsafe(self._enter_asked)

    def forget(self, ticket: Ticket) -> None:
        """A caller no longer wants its answer; from any thread, at any time."""
        with contextlib.suppress(RuntimeError):  # after the end: then every item has been settled
            self._loop.call_soon_threadsafe(self._give_up, ticket, CancelledError("cancelled by the caller"))

    def stop(self) -> None:
        """Fail what is left, and end; nothing may be asked after this."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    def _live(self) -> None:
        """The thread's whole life."""
        try:
            self._loop.run_until_complete(self._serve_until_stopped())
        finally:
            self._loop.close()

    async def _serve_until_stopped(self) -> None:
        await self._stopping.wait()
        self._enter_asked()
        for ticket in [pending.ticket for items in self._table.values() for pending in items.values()]:
            self._give_up(ticket, ClosedError("the client was closed before the answer came"))
        await self._exchange.close()
        # The loop may close only after them.
        await cancel_until_done(asyncio.all_tasks() - {asyncio.current_task()})

    def _enter_asked(self) -> None:
        """Put what was asked on the table, and send it."""
        self._called = False
        while self._asked:
            pending = self._asked.popleft()
            self._table.setdefault(pending.ticket.thread, {})[pending.ticket.number] = pending
            pending.task = self._loop.create_task(self._serve(pending))

    async def _serve(self, pending: Pending) -> None:
        outcome: RawOutcome
        try:
            outcome = await self._exchange.outcome(str(pending.ticket), pending.request, pending.deadline_s)
        except Exception as error:  # the caller must not wait for ever, whatever happened
            _LOG.exception("an item could not be sent")
            outcome = ProtocolError(f"the item could not be sent ({type(error).__name__})")
        self._finish(pending.ticket, outcome)

    def _give_up(self, ticket: Ticket, why: TandemError) -> None:
        pending = self._finish(ticket, why)
        if pending is not None and pending.task is not None:
            pending.task.cancel()

    def _finish(self, ticket: Ticket, outcome: RawOutcome) -> Pending | None:
        """Take the item off the table and hand its caller the outcome; None if it was off already."""
        items = self._table.get(ticket.thread, {})
        pending = items.pop(ticket.number, None)
        if pending is None:
            return None
        if not items:
            del self._table[ticket.thread]
        wanted = pending.slot.set_running_or_notify_cancel()
        try:
            kind, value = _shape(pending, outcome)
        except TandemError as error:
            self._finished(pending, error.outcome)
            if wanted:
                pending.slot.set_exception(error)
        else:
            self._finished(pending, kind)
            if wanted:
                pending.slot.set_result(value)
        return pending


def _shape(pending: Pending, outcome: RawOutcome) -> tuple[OutcomeKind, Any]:
    if isinstance(outcome, TandemError):
        raise outcome
    try:
        answer = Answer(pending.request.service, outcome)
        return answer.outcome, pending.shape(answer)
    except TandemError:
        raise
    except Exception as error:  # the thread must outlive whatever one answer does to it
        _LOG.exception("an answer could not be made sense of")
        raise ProtocolError(f"the answer could not be made sense of ({type(error).__name__})") from error
