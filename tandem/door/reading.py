"""A request's body, read no further than the limit, no longer than the time, no slower than is decent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tandem.door.callers import ReadingBudget
from tandem.door.errors import BadRequestError, SlowBodyError, TooLargeError


def declared_length(text: str | None) -> int | None:
    """What a Content-Length header says; None if there is none.

    Raises:
        BadRequestError: it is no number.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise BadRequestError("Content-Length is no number")
    return int(text)


class Body:
    """A body's bytes, counted in the budget until `close`.

    Args:
        budget: of all bodies.
        limit: bytes at most.
        timeout_s: for the whole.
    """

    def __init__(self, budget: ReadingBudget, *, limit: int, timeout_s: float) -> None:
        self._budget = budget
        self._limit = limit
        self._timeout_s = timeout_s
        self._held = 0

    async def read(self, chunks: AsyncIterator[bytes], declared: int | None) -> bytes:
        """All of it.

        Args:
            chunks: as they come; an exception of theirs passes.
            declared: what the sender says its length is.

        Raises:
            TooLargeError: longer than the limit; no more than the limit was kept.
            SlowBodyError: not there in time.
            TooManyError: no room at the moment.
        """
        if declared is not None and declared > self._limit:
            raise self._too_large(f"the request has {declared} bytes")
        try:
            return await asyncio.wait_for(self._gather(chunks), self._timeout_s)
        except asyncio.TimeoutError:
            raise SlowBodyError(f"the body must come within {self._timeout_s:g} s") from None

    def close(self) -> None:
        """The bytes are no longer held."""
        self._budget.give_back(self._held)
        self._held = 0

    async def _gather(self, chunks: AsyncIterator[bytes]) -> bytes:
        gathered = bytearray()  # not a list: a million one-byte chunks would take 60 MB of it
        async for chunk in chunks:
            if len(gathered) + len(chunk) > self._limit:
                raise self._too_large("the request is longer than what is read")
            self._budget.take(len(chunk))
            self._held += len(chunk)
            gathered += chunk
        return bytes(gathered)

    def _too_large(self, what: str) -> TooLargeError:
        return TooLargeError(f"{what}; at most {self._limit} are allowed here")
