"""The one thread that holds the table of all calling threads and hands each outcome to the one that asked.

Everyone else only leaves word: a calling thread that it asks something, the connection's callback that
something has an outcome, a caller that it no longer wants one. So the table needs no lock, an answer can't go
to another thread, and no callback is ever held up.
"""

from __future__ import annotations

import collections
import heapq
import logging
import math
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from tandem_client.cards import Answer
from tandem_client.errors import (
    CancelledError,
    ClosedError,
    DeadlineError,
    OutcomeKind,
    ProtocolError,
    TandemError,
)
from tandem_client.options import RetryPolicy
from tandem_client.retry import pause_before_retry_s
from tandem_client.transport import Call, RawOutcome, Transport
from tandem_client.waiter import Slot

_LOG = logging.getLogger(__name__)
_STALE_TIMERS = 1_024  # this many timers of finished items may lie about before they are swept out


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
        picture: encoded, kept to be sent again.
        shape: makes what the caller wants of the answer.
        slot: what the caller waits on.
        began_s: when it was asked for, by `time.monotonic`.
        deadline_s: by `time.monotonic`.
        sent: how often it was sent.
        first_call: set by the calling thread.
        later_call: set by the dispatcher when it sends the item again; two fields, so that neither
            thread overwrites the other's.
    """

    ticket: Ticket
    picture: bytes
    shape: Callable[[Answer], Any]
    slot: Slot
    began_s: float
    deadline_s: float
    sent: int = 1
    first_call: Call | None = None
    later_call: Call | None = None

    def cancel_calls(self) -> None:
        """Give up what is on its way."""
        for call in (self.first_call, self.later_call):
            if call is not None:
                call.cancel()


class Answered(NamedTuple):
    """The attempt number `sent` of an item has an outcome."""

    ticket: Ticket
    sent: int
    outcome: RawOutcome


class Unwanted(NamedTuple):
    """The caller cancelled its future."""

    ticket: Ticket


class Nudge(NamedTuple):
    """Something asked is due before the dispatcher would wake."""


class Stop(NamedTuple):
    """Fail what is left, and end; nothing is asked after it."""


Event: TypeAlias = "Answered | Unwanted | Nudge | Stop"


class Dispatcher:
    """Hands out outcomes; `run` is the thread's whole life.

    Args:
        transport: sends items again.
        policy: says when.
        finished: told each item's kind of outcome, before its caller gets it.
        retried: told when an item is sent again.
    """

    def __init__(
        self,
        transport: Transport,
        policy: RetryPolicy,
        *,
        finished: Callable[[Pending, OutcomeKind], None],
        retried: Callable[[], None],
    ) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._transport = transport
        self._policy = policy
        self._finished = finished
        self._retried = retried
        self._table: dict[int, dict[int, Pending]] = {}
        self._count = 0
        # (when, ticket, whether to send again; else the item's deadline)
        self._timers: list[tuple[float, Ticket, bool]] = []
        self._asked: collections.deque[Pending] = collections.deque()
        self._wakes_s = math.inf
        self._random = random.Random()
        self.thread = threading.Thread(target=self.run, name="tandem-dispatcher", daemon=True)

    def ask(self, pending: Pending) -> None:
        """A thread asks; called before the item is sent, so that its outcome can't come first.

        Waking this thread for every item would cost as much as the rest of the routing. So the item only
        waits here to be entered before the next outcome is looked at, and the thread is woken only for an
        earlier deadline than it sleeps for.
        """
        self._asked.append(pending)
        # Read after the append, as the thread looks at the items after it writes this: one sees the other.
        if pending.deadline_s < self._wakes_s:
            self.events.put(Nudge())

    def run(self) -> None:
        """Hand out outcomes until told to stop."""
        while True:
            event = self._next_event()
            self._enter_asked()
            match event:
                case Answered(ticket, sent, outcome):
                    self._on_answered(ticket, sent, outcome)
                case Unwanted(ticket):
                    self._give_up(ticket, CancelledError("cancelled by the caller"))
                case Stop():
                    for ticket in [p.ticket for items in self._table.values() for p in items.values()]:
                        self._give_up(ticket, ClosedError("the client was closed before the answer came"))
                    return
                case Nudge() | None:
                    pass
            self._fire_timers(time.monotonic())

    def _next_event(self) -> Event | None:
        """The next event, or None when a timer is due first."""
        self._wakes_s = self._timers[0][0] if self._timers else math.inf
        self._enter_asked()
        if not self._timers:
            return self.events.get()
        try:
            return self.events.get(timeout=max(0.0, self._timers[0][0] - time.monotonic()))
        except queue.Empty:
            return None

    def _enter_asked(self) -> None:
        """Put what was asked on the table."""
        while self._asked:
            pending = self._asked.popleft()
            self._table.setdefault(pending.ticket.thread, {})[pending.ticket.number] = pending
            self._count += 1
            heapq.heappush(self._timers, (pending.deadline_s, pending.ticket, False))
        if len(self._timers) > 2 * self._count + _STALE_TIMERS:
            self._timers = [timer for timer in self._timers if self._find(timer[1])]
            heapq.heapify(self._timers)

    def _find(self, ticket: Ticket) -> Pending | None:
        return self._table.get(ticket.thread, {}).get(ticket.number)

    def _fire_timers(self, now_s: float) -> None:
        while self._timers and self._timers[0][0] <= now_s:
            _, ticket, again = heapq.heappop(self._timers)
            if not again:
                self._give_up(ticket, DeadlineError("no answer within the time allowed"))
            elif (pending := self._find(ticket)) is not None:
                self._send_again(pending, now_s)

    def _send_again(self, pending: Pending, now_s: float) -> None:
        pending.sent += 1
        self._retried()
        ticket, sent, put = pending.ticket, pending.sent, self.events.put
        pending.later_call = self._transport.start(
            str(ticket),
            pending.picture,
            pending.deadline_s - now_s,
            lambda outcome: put(Answered(ticket, sent, outcome)),
        )

    def _on_answered(self, ticket: Ticket, sent: int, outcome: RawOutcome) -> None:
        pending = self._find(ticket)
        if pending is None or pending.sent != sent:
            return  # given up meanwhile, or an earlier attempt's late word
        now_s = time.monotonic()
        pause_s = pause_before_retry_s(
            self._policy, outcome, sent=sent, left_s=pending.deadline_s - now_s, draw=self._random.random()
        )
        if pause_s is None:
            self._finish(pending, outcome)
        else:
            heapq.heappush(self._timers, (now_s + pause_s, ticket, True))

    def _give_up(self, ticket: Ticket, why: TandemError) -> None:
        pending = self._find(ticket)
        if pending is not None:
            pending.cancel_calls()
            self._finish(pending, why)

    def _finish(self, pending: Pending, outcome: RawOutcome) -> None:
        """Take the item off the table and hand its caller the outcome."""
        items = self._table[pending.ticket.thread]
        del items[pending.ticket.number]
        if not items:
            del self._table[pending.ticket.thread]
        self._count -= 1
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


def _shape(pending: Pending, outcome: RawOutcome) -> tuple[OutcomeKind, Any]:
    if isinstance(outcome, TandemError):
        raise outcome
    answer = Answer(outcome)
    try:
        return answer.outcome, pending.shape(answer)
    except TandemError:
        raise
    except Exception as error:  # the thread must outlive whatever one answer does to it
        _LOG.exception("an answer could not be made sense of")
        raise ProtocolError(f"the answer could not be made sense of ({type(error).__name__})") from error
