"""Sends one item until its outcome is final: its deadline, its retries; for threads and coroutines alike."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from tandem_triton.core.errors import DeadlineError, TandemError, UnavailableError
from tandem_triton.core.options import RetryPolicy
from tandem_triton.core.service import Request

RawOutcome: TypeAlias = "bytes | TandemError"
"""JSON text of an answer, or why there is none."""


class Transport(Protocol):
    """A connection to one server, used by the coroutines of one event loop."""

    async def send(self, request_id: str, request: Request[Any], timeout_s: float) -> RawOutcome:
        """Send one item and wait for its outcome; cancelling this gives the request up.

        Args:
            request_id: unique in the process.
            request: the encoded item, and its service.
            timeout_s: after that the outcome is a `DeadlineError`; > 0.
        """

    async def close(self) -> None:
        """Give up what is on its way, with `ClosedError`, and the connection."""


class Exchange:
    """Asks over one connection; used by the coroutines of one event loop.

    Args:
        transport: the connection; closed with this.
        policy: says when an item is sent again.
        retried: told the item's service when one is.
    """

    def __init__(self, transport: Transport, policy: RetryPolicy, *, retried: Callable[[str], None]) -> None:
        self._transport = transport
        self._policy = policy
        self._retried = retried
        self._random = random.Random()

    async def outcome(self, request_id: str, request: Request[Any], deadline_s: float) -> RawOutcome:
        """What becomes of one item; cancelling this gives it up.

        Args:
            request_id: unique in the process.
            request: the encoded item, and its service.
            deadline_s: by `time.monotonic`.
        """
        for sent in itertools.count(1):
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                break
            outcome = await self._transport.send(request_id, request, left_s)
            pause_s = pause_before_retry_s(
                self._policy,
                outcome,
                sent=sent,
                left_s=deadline_s - time.monotonic(),
                draw=self._random.random(),
            )
            if pause_s is None:
                return outcome
            await asyncio.sleep(pause_s)
            self._retried(request.service.name)
        return DeadlineError("no answer within the time allowed")

    async def close(self) -> None:
        """Give up what is on its way, with `ClosedError`, and the connection."""
        await self._transport.close()


def pause_before_retry_s(
    policy: RetryPolicy, outcome: RawOutcome, *, sent: int, left_s: float, draw: float
) -> float | None:
    """Seconds to wait before the item is sent again, or None if the outcome is final.

    Only `UnavailableError` is retried: the server never took the item, or its answer was lost with the
    connection; doing it twice does no harm. Any other failure would fail again, or add to an overload.

    Args:
        policy: see `RetryPolicy`.
        outcome: of the latest attempt.
        sent: how often the item was sent, ≥ 1.
        left_s: until the item's deadline; a pause that outlasts it is not begun.
        draw: evenly from [0, 1).
    """
    if not isinstance(outcome, UnavailableError):
        return None
    if policy.attempts is not None and sent >= policy.attempts:
        return None
    # The exponent is bounded so that many attempts do not overflow.
    longest = min(policy.longest_pause_s, policy.first_pause_s * 2.0 ** min(sent - 1, 32))
    pause = longest * (0.5 + 0.5 * draw)
    return pause if pause < left_s else None
