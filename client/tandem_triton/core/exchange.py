"""Sends one item until its outcome is final: its deadline, its retries; for threads and coroutines alike."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable

from tandem_triton.core.errors import DeadlineError
from tandem_triton.core.options import RetryPolicy
from tandem_triton.core.retry import pause_before_retry_s
from tandem_triton.transport.transport import RawOutcome, Transport


class Exchange:
    """Asks over one connection; used by the coroutines of one event loop.

    Args:
        transport: the connection; closed with this.
        policy: says when an item is sent again.
        retried: told when one is.
    """

    def __init__(self, transport: Transport, policy: RetryPolicy, *, retried: Callable[[], None]) -> None:
        self._transport = transport
        self._policy = policy
        self._retried = retried
        self._random = random.Random()

    async def outcome(self, request_id: str, picture: bytes, deadline_s: float) -> RawOutcome:
        """What becomes of one picture; cancelling this gives it up.

        Args:
            request_id: unique in the process.
            picture: encoded.
            deadline_s: by `time.monotonic`.
        """
        for sent in itertools.count(1):
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                break
            outcome = await self._transport.send(request_id, picture, left_s)
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
            self._retried()
        return DeadlineError("no answer within the time allowed")

    async def close(self) -> None:
        """Give up what is on its way, with `ClosedError`, and the connection."""
        await self._transport.close()
