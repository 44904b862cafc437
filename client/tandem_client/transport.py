"""What the router needs of a connection: start one request, and be told its outcome later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from tandem_client.errors import TandemError

RawOutcome: TypeAlias = "bytes | TandemError"
"""JSON text of an answer, or why there is none."""


class Call(Protocol):
    """One request on its way."""

    def cancel(self) -> object:
        """Ask for it to be given up; its outcome is still told."""


class Transport(Protocol):
    """A connection to one server, used from any thread."""

    def start(
        self, request_id: str, picture: bytes, timeout_s: float, done: Callable[[RawOutcome], None]
    ) -> Call:
        """Send one picture, at once, without waiting for the answer.

        Args:
            request_id: unique in the process.
            picture: encoded.
            timeout_s: after that the outcome may be a `DeadlineError`.
            done: told the outcome exactly once, from any thread; must return quickly. `start` itself
                never raises.
        """

    def close(self) -> None:
        """Give up what is on its way, and the connection."""
