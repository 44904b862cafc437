"""Everything that asking a server can fail with; callers catch `TandemError`, or the branch they can mend.

    TandemError                 UNKNOWN              base: never raised itself
    ├── BadItemError            INVALID_ARGUMENT     the item can't be used: mend the item
    │   ├── BadPictureError     INVALID_ARGUMENT     … and it is a picture
    │   └── ItemTypeError       INVALID_ARGUMENT     … its Python type can't be sent; a TypeError too
    ├── OverloadedError         RESOURCE_EXHAUSTED   too much in flight: send later            retryable
    ├── UnavailableError        UNAVAILABLE          no server, or the connection broke        retryable
    ├── DeadlineError           DEADLINE_EXCEEDED    no answer in time                         retryable
    ├── CancelledError          CANCELLED            cancelled here or there
    │   └── ClosedError         CANCELLED            the client was closed meanwhile
    ├── AccessError             PERMISSION_DENIED    the token or certificate isn't accepted
    ├── NotServedError          NOT_FOUND            the server has no such model: check its name
    ├── ServerError             INTERNAL             the server failed on it
    └── ProtocolError           DATA_LOSS            an answer that isn't the contract's

`code` is a gRPC status name; `retryable` says whether sending the same bytes again can help (the client
itself does so on `UnavailableError` only); `outcome` is the kind it is counted as. Messages never quote an
item or an answer.
"""

from __future__ import annotations

import concurrent.futures
from typing import ClassVar, Literal

OutcomeKind = Literal["answered", "empty", "refused", "overloaded", "failed"]
"""answered; empty: answered, with nothing found; refused: the item's own fault; overloaded; failed."""


class TandemError(Exception):
    """Base of every error of this package."""

    code: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False
    outcome: ClassVar[OutcomeKind] = "failed"


class BadItemError(TandemError):
    """The item is missing, empty, can't be decoded, or is over the server's limits; or an option is wrong."""

    code = "INVALID_ARGUMENT"
    outcome = "refused"


class BadPictureError(BadItemError):
    """The picture is missing, empty, can't be decoded, or is over the server's limits."""


class ItemTypeError(BadItemError, TypeError):
    """The item is of a Python type that the service does not take."""


class OverloadedError(TandemError):
    """As many items as allowed are in flight, and none was finished in time."""

    code = "RESOURCE_EXHAUSTED"
    retryable = True
    outcome = "overloaded"


class UnavailableError(TandemError):
    """The server can't be reached, is starting, or the connection broke."""

    code = "UNAVAILABLE"
    retryable = True


class DeadlineError(TandemError):
    """No answer within the time allowed."""

    code = "DEADLINE_EXCEEDED"
    retryable = True


class CancelledError(TandemError, concurrent.futures.CancelledError):
    """The request was cancelled; also the class that the standard library's cancelled futures raise."""

    code = "CANCELLED"


class ClosedError(CancelledError):
    """The client was closed before the answer came, or before the request was made."""


class AccessError(TandemError):
    """The server does not accept who asks."""

    code = "PERMISSION_DENIED"


class NotServedError(TandemError):
    """The server has no such model, or can't do what is asked."""

    code = "NOT_FOUND"


class ServerError(TandemError):
    """The server failed on the request."""

    code = "INTERNAL"


class ProtocolError(TandemError):
    """The server's answer is not what the contract says."""

    code = "DATA_LOSS"


_BY_CODE: dict[str, type[TandemError]] = {
    cls.code: cls
    for cls in (
        BadItemError,
        OverloadedError,
        UnavailableError,
        DeadlineError,
        CancelledError,
        AccessError,
        NotServedError,
        ServerError,
        ProtocolError,
    )
}


def error_of_code(code: str, bad_item: type[BadItemError] = BadItemError) -> type[TandemError]:
    """The class of the errors that carry `code`; `ServerError` for a code unknown here.

    Args:
        code: as in an error's JSON.
        bad_item: the class of the service's refused items.
    """
    found = _BY_CODE.get(code, ServerError)
    return bad_item if found is BadItemError else found
