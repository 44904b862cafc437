"""Everything that reading a card can fail with; callers catch `TandemError`, or the branch they can mend.

    TandemError                 UNKNOWN              base: never raised itself
    ├── BadPictureError         INVALID_ARGUMENT     the picture can't be read: mend the picture
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
itself does so on `UnavailableError` only); `outcome` is the kind it is counted as. Messages never quote a
card.
"""

from __future__ import annotations

from typing import ClassVar, Literal

OutcomeKind = Literal["read", "no_card", "bad_picture", "overloaded", "failed"]


class TandemError(Exception):
    """Base of every error of this package."""

    code: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False
    outcome: ClassVar[OutcomeKind] = "failed"


class BadPictureError(TandemError):
    """The picture is missing, empty, can't be decoded, or is over the server's limits."""

    code = "INVALID_ARGUMENT"
    outcome = "bad_picture"


class OverloadedError(TandemError):
    """As many pictures as allowed are in flight, and none was finished in time."""

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


class CancelledError(TandemError):
    """The request was cancelled."""

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
