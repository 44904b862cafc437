"""What to do with a message, pure: by what it is, and by what the Triton made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tandem_triton.core.errors import (
    BadPictureError,
    DeadlineError,
    OverloadedError,
    ServerError,
    TandemError,
    UnavailableError,
)
from tandem_triton.queue.message import DELIVERY_COUNT_HEADER, encode_failure

_PICTURE_TYPES = ("application/octet-stream", "image/")
"""What a message's content type may be, or begin with; none at all is taken for the first."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Answer the client, then acknowledge.

    Attributes:
        body: of the reply.
        dead_reason: also put the message among the dead letters, with this reason.
    """

    body: bytes
    dead_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Bury:
    """Nobody can be answered: put the message among the dead letters, then acknowledge.

    Attributes:
        reason: why.
    """

    reason: str


@dataclass(frozen=True)
class Ask:
    """Ask the Triton."""


@dataclass(frozen=True)
class AskAgain:
    """The Triton is away or full: keep the message and ask again after a pause."""


@dataclass(frozen=True)
class GiveBack:
    """Give the message back to the queue: another gateway may do better; the broker counts how often."""


def decide_on_message(
    *,
    correlation_id: str | None,
    reply_to: str | None,
    content_type: str | None,
    headers: Mapping[str, Any],
    redelivery_limit: int,
) -> Ask | Reply | Bury:
    """What to do with a message that just came."""
    reason = _malformed(correlation_id, reply_to, content_type)
    if reason is not None:
        if not correlation_id or not reply_to:
            return Bury(reason=reason)
        return Reply(body=encode_failure(BadPictureError(reason)), dead_reason=reason)
    given_out = headers.get(DELIVERY_COUNT_HEADER, 0)
    if isinstance(given_out, int) and given_out >= redelivery_limit:
        reason = f"given out {given_out} times without an answer"
        return Reply(body=encode_failure(ServerError(reason)), dead_reason=reason)
    return Ask()


def decide_on_error(error: TandemError) -> Reply | AskAgain | GiveBack:
    """What to do with a message that the Triton gave no answer to."""
    if isinstance(error, BadPictureError):
        return Reply(body=encode_failure(error))
    if isinstance(error, (UnavailableError, OverloadedError)):
        return AskAgain()
    if isinstance(error, DeadlineError):
        return GiveBack()
    # The server failed on this picture, or is set up wrong: others may not be.
    return GiveBack()


def _malformed(correlation_id: str | None, reply_to: str | None, content_type: str | None) -> str | None:
    if not correlation_id:
        return "the message has no correlation_id"
    if not reply_to:
        return "the message has no reply_to"
    if content_type and not content_type.lower().startswith(_PICTURE_TYPES):
        return "the message's content type is not a picture's: application/octet-stream or image/…"
    return None
