"""Errors as RFC 9457 problem documents; `error` in them is where KServe's clients look for the message."""

from __future__ import annotations

import math

import msgspec
from starlette.responses import Response
from tandem_triton import TandemError

from tandem.door.errors import DoorError, retry_after_s, status_of, title_of

PROBLEM_TYPE = "application/problem+json"
KINDS = "/docs#problem-"
"""Where a problem's kind is explained; its code is put behind."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What every failed request answers.

    Attributes:
        type: URI of its kind.
        title: its kind in words.
        status: the HTTP status.
        detail: what was wrong with this request, and what is allowed.
        code: a gRPC status name.
        retryable: whether sending the same again can help.
        request_id: of this request, for the operator.
        error: the same as detail, for clients of KServe's protocol.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    request_id: str
    error: str


def problem_of(error: DoorError | TandemError, request_id: str) -> Problem:
    """The document that says what an error was."""
    detail = str(error) or title_of(error)
    return Problem(
        type=KINDS + error.code,
        title=title_of(error),
        status=status_of(error),
        detail=detail,
        code=error.code,
        retryable=retry_after_s(error) is not None,
        request_id=request_id,
        error=detail,
    )


def problem_response(error: DoorError | TandemError, request_id: str) -> Response:
    """The answer to a request that failed."""
    problem = problem_of(error, request_id)
    headers = {}
    wait_s = retry_after_s(error)
    if wait_s is not None and problem.status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status in (408, 413, 431):
        headers["Connection"] = "close"  # the rest of the request is not read
    return Response(msgspec.json.encode(problem), problem.status, headers, PROBLEM_TYPE)
