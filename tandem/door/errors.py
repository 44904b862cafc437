"""Everything that the door itself refuses, and the one place where errors become statuses.

    DoorError                    500  INTERNAL            base: never raised itself
    ├── BadRequestError          400  INVALID_ARGUMENT    the request is not what is asked for: mend it
    │   ├── TooLargeError        413  INVALID_ARGUMENT    … it is longer than what is read
    │   ├── MediaTypeError       415  INVALID_ARGUMENT    … its content type is none of the service's
    │   ├── HeadersError         431  INVALID_ARGUMENT    … its headers are longer than what is read
    │   └── ForbiddenPartError   400  UNIMPLEMENTED       … it holds what never passes: a parameter, a region
    ├── SlowBodyError            408  DEADLINE_EXCEEDED   the body didn't come in time
    ├── NoKeyError               401  UNAUTHENTICATED     no key, or none that is known
    ├── TooManyError             429  RESOURCE_EXHAUSTED  over the key's rate, or too much in flight
    ├── NotHereError             404  NOT_FOUND           no such path, service or model
    ├── MethodError              405  UNIMPLEMENTED       the path is there, the method isn't
    └── ClosedMethodError        501  UNIMPLEMENTED       Triton has it, the door doesn't pass it

The client's own errors (`tandem_triton`) pass with their code; `status_of_code` gives their HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from tandem_triton import TandemError

STATUS_OF_CODE: Mapping[str, int] = MappingProxyType(
    {
        "INVALID_ARGUMENT": 400,
        "NOT_FOUND": 404,
        "RESOURCE_EXHAUSTED": 429,
        "UNAVAILABLE": 503,
        "DEADLINE_EXCEEDED": 504,
        "CANCELLED": 503,
        "PERMISSION_DENIED": 502,  # Triton refuses the door's own token: not the caller's fault
        "INTERNAL": 500,
        "DATA_LOSS": 502,
        "UNKNOWN": 500,
    }
)
"""The HTTP status of each code of the client's errors."""

RETRY_AFTER_S = 1
"""What a caller is told where nothing better is known."""


class DoorError(Exception):
    """Base of the door's own errors."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL"
    title: ClassVar[str] = "The door failed"


class BadRequestError(DoorError):
    """The request is not what is asked for."""

    status = 400
    code = "INVALID_ARGUMENT"
    title = "The request can't be used"


class TooLargeError(BadRequestError):
    """More bytes than are read."""

    status = 413
    title = "The request is too large"


class MediaTypeError(BadRequestError):
    """A content type, or encoding, that isn't taken here."""

    status = 415
    title = "This content type is not taken here"


class HeadersError(BadRequestError):
    """Longer headers than are read."""

    status = 431
    title = "The headers are too long"


class ForbiddenPartError(BadRequestError):
    """A parameter, output or shared-memory region that the door never passes on."""

    code = "UNIMPLEMENTED"
    title = "The request holds what never passes"


class SlowBodyError(DoorError):
    """The body didn't come in time."""

    status = 408
    code = "DEADLINE_EXCEEDED"
    title = "The request came too slowly"


class NoKeyError(DoorError):
    """No key, or one that isn't known or was revoked."""

    status = 401
    code = "UNAUTHENTICATED"
    title = "A key is needed"


class TooManyError(DoorError):
    """Over a limit on rate or number.

    Args:
        message: which limit.
        retry_after_s: seconds after which asking again can help.
    """

    status = 429
    code = "RESOURCE_EXHAUSTED"
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotHereError(DoorError):
    """There is no such thing here."""

    status = 404
    code = "NOT_FOUND"
    title = "There is no such thing here"


class MethodError(DoorError):
    """The path is there, but not for this method."""

    status = 405
    code = "UNIMPLEMENTED"
    title = "This method is not for this path"


class ClosedMethodError(DoorError):
    """Triton has this method; the door does not pass it on."""

    status = 501
    code = "UNIMPLEMENTED"
    title = "The door does not pass this on"


def status_of(error: DoorError | TandemError) -> int:
    """The HTTP status of an error."""
    return error.status if isinstance(error, DoorError) else STATUS_OF_CODE.get(error.code, 500)


def title_of(error: DoorError | TandemError) -> str:
    """A few words on the kind of error."""
    if isinstance(error, DoorError):
        return error.title
    return (type(error).__doc__ or "").partition("\n")[0].rstrip(".")


def retry_after_s(error: DoorError | TandemError) -> float | None:
    """Seconds after which asking again can help; None where it can't."""
    if isinstance(error, TooManyError):
        return error.retry_after_s
    if isinstance(error, TandemError) and error.retryable:
        return RETRY_AFTER_S
    return None
