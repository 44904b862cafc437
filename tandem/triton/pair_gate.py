"""Pairs at the door of an ensemble: a lone request waits for a second one only while there is company.

Triton's queue delay is one number: long enough to pair the callers of a busy server, it is lost time for a
caller who is alone. So the first step answers at once while no other request is on the way, and else keeps a
lone answer back for a moment, or until the next is ready. What leaves together meets in the next step's queue
within the little delay that is set there.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from tandem.triton.failures import log_unexpected

# The more are on the way, the sooner the next one comes, and the less is lost by waiting for it: on two busy
# cores it comes 20 to 40 ms after the first of a pair. Beyond this many a wait is no longer.
_MOST_OTHERS = 6

#: Who sends it (`InferenceResponseSender`), the response, and of how many items it is.
Answer = tuple[Any, Any, int]
Timer = Callable[[float, Callable[[], None]], threading.Timer]


class Counting(Protocol):
    """What the gate asks of `tandem.triton.company.Company`."""

    def count(self) -> int:
        """How many items are on the way, those of the answers here among them."""


class PairGate:
    """Sends answers on two by two.

    Args:
        company: counts who is on the way.
        hold_s: how long an answer waits for a second one, seconds for each other request on the way, of six
            at most; with 0 none waits.
        final: Triton's flag of a request's last response.
        timer: starts a function after some seconds, in another thread.

    Raises:
        ValueError: `hold_s` below 0.
    """

    def __init__(
        self, company: Counting, *, hold_s: float, final: int, timer: Timer = threading.Timer
    ) -> None:
        if hold_s < 0:
            raise ValueError(f"a lone request can't wait {hold_s} s: 0 or more")
        self._company, self._hold_s, self._final, self._new_timer = company, hold_s, final, timer
        self._held: deque[Answer] = deque()
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        # Sending takes milliseconds, most of them copying pictures: one after the other, two would not meet.
        self._senders = ThreadPoolExecutor(2, thread_name_prefix="send")

    def pass_on(self, answers: Sequence[Answer]) -> None:
        """Sends what makes pairs; an odd one waits if others are on the way.

        Args:
            answers: one execution's, in the requests' order. Errors go at once: no step waits for them.
        """
        failed = [answer for answer in answers if answer[1].has_error()]
        good = [answer for answer in answers if not answer[1].has_error()]
        with self._lock:
            self._held.extend(good)
            others = self._company.count() - sum(items for _, _, items in self._held)
            keep = len(self._held) % 2 if others > 0 and self._hold_s > 0 else 0
            ready = [self._held.popleft() for _ in range(len(self._held) - keep)]
            self._stop_timer()
            if keep:
                self._timer = self._new_timer(self._hold_s * min(others, _MOST_OTHERS), self.release)
                self._timer.daemon = True
                self._timer.start()
        self._send([*failed, *ready])

    def release(self) -> None:
        """Sends what is held: its time is over, or the server stops."""
        with self._lock:
            self._stop_timer()
            ready, self._held = list(self._held), deque()
        self._send(ready)

    def close(self) -> None:
        """Sends what is held, and ends the threads."""
        self.release()
        self._senders.shutdown()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send(self, answers: Sequence[Answer]) -> None:
        if len(answers) > 1:
            list(self._senders.map(self._send_one, answers))
        elif answers:
            self._send_one(answers[0])

    def _send_one(self, answer: Answer) -> None:
        sender, response, _ = answer
        try:
            sender.send(response, flags=self._final)
        except Exception as error:  # its caller is gone; the other one's answer must go out all the same
            log_unexpected(error, "sending an answer")
