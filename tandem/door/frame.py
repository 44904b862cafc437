"""Around every HTTP request: its id, its record, and errors as problem documents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from tandem_triton import TandemError

from tandem.door.asking import Asker
from tandem.door.callers import Callers, ReadingBudget
from tandem.door.errors import DoorError, MethodError, NotHereError, TooLargeError, status_of
from tandem.door.options import DoorOptions
from tandem.door.problems import problem_response
from tandem.door.reading import Body, declared_length
from tandem.door.records import REQUEST_ID, Record, Records, request_id

_LOG = logging.getLogger(__name__)
_RECORD = "tandem.record"
_DRAIN_S, _DRAIN_BYTES = 2.0, 128 * 2**20
_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class SenderGone(Exception):  # noqa: N818 - nobody is there to be told
    """The caller hung up while its body was read."""


class Frame:
    """Wraps the application.

    Args:
        app: what answers.
        records: take note of each request.
    """

    def __init__(self, app: App, records: Records) -> None:
        self._app = app
        self._records = records

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; see ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = Record(request_id=request_id(Headers(scope=scope)), protocol="http")
        scope[_RECORD] = record

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"] = [*message["headers"], *_SAFE, *_timing(record)]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._records.finished(record)


def _timing(record: Record) -> list[tuple[bytes, bytes]]:
    triton_ms = record.triton_s * 1000
    door_ms = record.took_s * 1000 - triton_ms
    timing = f"door;dur={door_ms:.2f}, triton;dur={triton_ms:.2f}"
    return [(REQUEST_ID.encode(), record.request_id.encode()), (b"server-timing", timing.encode())]


def record_of(request: HttpRequest) -> Record:
    """The request's record."""
    record: Record = request.scope[_RECORD]
    return record


class House:
    """What every route needs.

    Args:
        options: of the door.
        asker: asks Triton.
        callers: lets callers in.
    """

    def __init__(self, options: DoorOptions, asker: Asker, callers: Callers) -> None:
        self.options = options
        self.asker = asker
        self.callers = callers
        self.budget = ReadingBudget(options.reading_bytes)

    def body(self, limit: int) -> Body:
        """A body to be read, of at most `limit` bytes."""
        return Body(self.budget, limit=limit, timeout_s=self.options.body_timeout_s)

    async def read(self, request: HttpRequest, body: Body) -> bytes:
        """The request's body.

        Raises:
            DoorError: over a limit.
            SenderGone: nobody is there any more.
        """
        record = record_of(request)
        try:
            content = await body.read(
                _chunks(request), declared_length(request.headers.get("content-length"))
            )
        except TooLargeError:
            await _drain(request)
            raise
        record.bytes_in = len(content)
        return content


async def _chunks(request: HttpRequest) -> AsyncIterator[bytes]:
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise SenderGone
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _drain(request: HttpRequest) -> None:
    """Read on for a little while: who is still sending would not see the answer otherwise."""

    async def read() -> None:
        drained = 0
        async for chunk in _chunks(request):
            drained += len(chunk)
            if drained > _DRAIN_BYTES:
                return

    try:
        await asyncio.wait_for(read(), _DRAIN_S)
    except (asyncio.TimeoutError, SenderGone):
        return


async def on_error(request: HttpRequest, error: Exception) -> Response:
    """The problem document of an error."""
    record = record_of(request)
    if isinstance(error, HTTPException):
        error = (
            MethodError("this path has another method")
            if error.status_code == 405
            else NotHereError("there is no such path; /docs lists them")
        )
    if isinstance(error, SenderGone):
        record.code = "CANCELLED"
        return Response(status_code=499)
    if not isinstance(error, DoorError | TandemError):
        # Its text may hold what was sent: only its kind and place are logged.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
        _LOG.error("%s: %s at %s", record.request_id, type(error).__name__, place)
        error = DoorError("the door failed on this request; it is logged under its id")
    record.code = error.code
    record.status = status_of(error)
    return problem_response(error, record.request_id)
