"""uvicorn's HTTP connection with what it lacks: limits on a head's length, and on how long they take.

Without them a connection that never says anything stays for ever, and so does a body that nobody reads.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tandem.door.errors import BadRequestError, DoorError, HeadersError, SlowBodyError
from tandem.door.problems import PROBLEM_TYPE, problem_response

LONGEST_HEAD = 32 * 1024  # bytes of a request's line and headers, trailers included
LONGEST_GAP = 1024 * 1024  # bytes that are neither head nor body: chunks' extensions, an endless trailer
_GRACE_S = 5.0  # the application answers late bodies itself; this is for those that it doesn't read
_NO_ID = "-"


class DoorProtocol(HttpToolsProtocol):
    """One connection."""

    head_timeout_s = 10.0
    body_timeout_s = 30.0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._timer: asyncio.TimerHandle | None = None
        self._in_body = False
        self._came = 0  # bytes since the head's beginning, or since the latest piece of the body
        self._head_bytes = 0
        self._error: DoorError | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            self.transport.abort()
            return
        self._wait(self.head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless too much came already that is neither head nor body."""
        if self.transport.is_closing() or self.parser is None:
            return
        if self._came > (LONGEST_GAP if self._in_body else LONGEST_HEAD):
            self._refuse(HeadersError(f"a request's head may have {LONGEST_HEAD} bytes"))
            return
        self._came += len(data)
        if self._timer is None:  # a further request of a connection that was kept
            self._wait(self.head_timeout_s)
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header or a trailer, unless they have become too long."""
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > LONGEST_HEAD:
            self._error = HeadersError(f"a request's head may have {LONGEST_HEAD} bytes")
            raise ValueError("the head is too long")  # the parser stops, and `send_400_response` is called
        if not self._in_body:  # trailers are none of the application's
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there; begin to wait for the rest."""
        self._in_body, self._came = True, 0
        self._wait(self.body_timeout_s + _GRACE_S)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._came = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there; another head may follow."""
        self._in_body, self._came = False, 0
        self._wait(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or too long."""
        self._refuse(self._error or BadRequestError("this is no HTTP request"))

    def _late(self) -> None:
        self._timer = None
        if self._in_body or not self._came:
            self.transport.abort()
        else:
            self._refuse(SlowBodyError(f"a request's head must come within {self.head_timeout_s:g} s"))

    def _refuse(self, error: DoorError) -> None:
        if self.transport.is_closing():
            return
        body = bytes(problem_response(error, _NO_ID).body)
        head = (
            f"HTTP/1.1 {error.status} {error.title}\r\nContent-Type: {PROBLEM_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _wait(self, seconds: float | None) -> None:
        """Set the timer anew, or none."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._late)


def protocol_class(head_timeout_s: float, body_timeout_s: float) -> type[DoorProtocol]:
    """The connection's class with these limits, in seconds."""
    return type(
        "DoorProtocol",
        (DoorProtocol,),
        {"head_timeout_s": head_timeout_s, "body_timeout_s": body_timeout_s},
    )
