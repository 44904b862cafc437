"""The one place where gRPC's and HTTP's status codes become this package's errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import grpc

from tandem_triton.core.errors import (
    AccessError,
    BadItemError,
    CancelledError,
    DeadlineError,
    NotServedError,
    OverloadedError,
    ServerError,
    TandemError,
    UnavailableError,
)

GRPC_ERRORS: Mapping[grpc.StatusCode, type[TandemError]] = MappingProxyType(
    {
        grpc.StatusCode.CANCELLED: CancelledError,
        grpc.StatusCode.UNKNOWN: ServerError,
        grpc.StatusCode.INVALID_ARGUMENT: BadItemError,
        grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
        grpc.StatusCode.NOT_FOUND: NotServedError,
        grpc.StatusCode.ALREADY_EXISTS: ServerError,
        grpc.StatusCode.PERMISSION_DENIED: AccessError,
        grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
        grpc.StatusCode.FAILED_PRECONDITION: ServerError,
        grpc.StatusCode.ABORTED: ServerError,
        grpc.StatusCode.OUT_OF_RANGE: BadItemError,
        grpc.StatusCode.UNIMPLEMENTED: NotServedError,
        grpc.StatusCode.INTERNAL: ServerError,
        grpc.StatusCode.UNAVAILABLE: UnavailableError,
        grpc.StatusCode.DATA_LOSS: ServerError,
        grpc.StatusCode.UNAUTHENTICATED: AccessError,
    }
)
"""Every status that is a failure, and the error it becomes (a test holds that none is missing)."""

HTTP_ERRORS: Mapping[int, type[TandemError]] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: BadItemError,
        HTTPStatus.UNAUTHORIZED: AccessError,
        HTTPStatus.FORBIDDEN: AccessError,
        HTTPStatus.NOT_FOUND: NotServedError,
        HTTPStatus.METHOD_NOT_ALLOWED: NotServedError,
        HTTPStatus.REQUEST_TIMEOUT: DeadlineError,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: BadItemError,
        HTTPStatus.TOO_MANY_REQUESTS: OverloadedError,
        499: CancelledError,  # what Triton answers for a cancelled request; not in the standard
        HTTPStatus.NOT_IMPLEMENTED: NotServedError,
        HTTPStatus.BAD_GATEWAY: UnavailableError,
        HTTPStatus.SERVICE_UNAVAILABLE: UnavailableError,
        HTTPStatus.GATEWAY_TIMEOUT: DeadlineError,
    }
)
"""The HTTP statuses that mean something of their own; any other failure is a `ServerError`."""


# What Triton says when a step of the ensemble fell over and its outputs never came. It comes as an invalid
# argument, but the item is not to blame.
_BROKEN_STEP = re.compile(r"expected \d+ inputs but got \d+ inputs for model")
# What it says, as UNAVAILABLE, to a caller without the right token: asking again would be in vain.
_RESTRICTED = re.compile(r"protocol is restricted")


def error_of_grpc(
    code: grpc.StatusCode, details: str | None, bad_item: type[BadItemError] = BadItemError
) -> TandemError:
    """The error that a failed call's status stands for.

    Args:
        code: the status.
        details: its message.
        bad_item: the class of the service's refused items.
    """
    return _kind(GRPC_ERRORS.get(code, ServerError), details, bad_item)(details or code.name)


def error_of_http(status: int, message: str, bad_item: type[BadItemError] = BadItemError) -> TandemError:
    """The error that an HTTP status other than 200 stands for; see `error_of_grpc`."""
    kind = _kind(HTTP_ERRORS.get(status, ServerError), message, bad_item)
    return kind(message or f"HTTP status {status}")


def _kind(kind: type[TandemError], message: str | None, bad_item: type[BadItemError]) -> type[TandemError]:
    """The kind that a status stands for, unless the message shows that something else is at fault."""
    if kind is UnavailableError and _RESTRICTED.search(message or ""):
        return AccessError
    if kind is not BadItemError:
        return kind
    return ServerError if _BROKEN_STEP.search(message or "") else bad_item
