"""What the clients need of a connection: send one request, and get its outcome."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from tandem_triton.core.errors import TandemError

RawOutcome: TypeAlias = "bytes | TandemError"
"""JSON text of an answer, or why there is none."""


class Transport(Protocol):
    """A connection to one server, used by the coroutines of one event loop."""

    async def send(self, request_id: str, picture: bytes, timeout_s: float) -> RawOutcome:
        """Send one picture and wait for its outcome; cancelling this gives the request up.

        Args:
            request_id: unique in the process.
            picture: encoded.
            timeout_s: after that the outcome is a `DeadlineError`; > 0.
        """

    async def close(self) -> None:
        """Give up what is on its way, with `ClosedError`, and the connection."""
